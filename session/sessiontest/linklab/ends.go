//go:build lab && linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/agent/work"
	"assist/session/console"
	"assist/session/host"
	"assist/session/sessiontest"
	"assist/session/transfer"
	"assist/transport"
	"assist/transport/wire"
)

// child is what a child process is told.
type child struct {
	relay, pin, path, code, user, files string
}

func (c *child) flags() {
	flag.StringVar(&c.relay, "relay", "", "of a child: the relay")
	flag.StringVar(&c.pin, "pin", "", "of a child: its key")
	flag.StringVar(&c.path, "path", "auto", "of a child: how packets travel")
	flag.StringVar(&c.code, "code", "", "of a console: the session")
	flag.StringVar(&c.user, "user", "", "of a console: who it is")
	flag.StringVar(&c.files, "files", "", "of a host: where files are put")
}

// password of everybody in the lab.
const password = "correct horse battery staple"

// firstKey is the key that stands for the number 0.
const firstKey = 0x4e00

// event is a line that a child says.
type event struct {
	What  string `json:"what"` // code, asked, played, contact, seat; sent, confirmed, shown, state, heard, file
	N     int    `json:"n,omitempty"`
	At    int64  `json:"at"` // Unix ns
	Text  string `json:"text,omitempty"`
	Path  string `json:"path,omitempty"`
	Why   string `json:"why,omitempty"`
	Since int64  `json:"since,omitempty"` // of Path, Unix ns

	Code   string `json:"code,omitempty"`   // of a state: of the session,
	Self   int    `json:"self,omitempty"`   // who the agent is there,
	Lead   bool   `json:"lead,omitempty"`   // whether that is the lead,
	Unsent int    `json:"unsent,omitempty"` // and how many words wait
}

var said sync.Mutex

func say(e event) {
	if e.At == 0 {
		e.At = time.Now().UnixNano()
	}
	said.Lock()
	defer said.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(e) // who does not listen has ended this
}

func (c *child) run(role string) error {
	switch role {
	case "host":
		return c.host()
	case "console":
		return c.console()
	case "echo":
		return echo()
	case "proxy":
		return connectProxy(c.relay)
	case "metrics":
		return metrics(c.relay)
	}
	return errors.New("no such role")
}

func (c *child) options() transport.Options {
	return transport.Options{Software: "linklab", Path: transport.Path(c.path)}
}

// machine is the customer's: every key that is played is shown as a colour.
type machine struct {
	*sessiontest.Recorder
	*sessiontest.Display
}

func (m machine) Play(ev screen.Input) error {
	if n := int(ev.Key) - firstKey; ev.Kind == screen.KeyTap && n >= 0 {
		say(event{What: "played", N: n})
		m.paint(n)
	}
	return nil
}

// shownBy is the number that a pixel stands for.
func shownBy(p screen.RGB565) int { return int(p>>11&31)<<10 | int(p>>6&31)<<5 | int(p&31) }

func (c *child) host() error {
	m := machine{sessiontest.NewRecorder(), sessiontest.NewDisplay(640, 480)}
	h, err := host.New(host.Config{
		Relay: transport.Relay{Addr: c.relay, Pin: transport.Pin(c.pin)}, Options: c.options(), Source: m.Display, Injector: m,
		Customer: "Ada", Software: "linklab", Answer: &host.AutoAnswer{Allow: session.View | session.Control | session.Chat | session.File}, Files: c.files,
		Fronts: []host.Front{watching{}}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Events: func(e host.Event) {
			switch e.Event {
			case "code":
				say(event{What: "code", Text: e.Code})
			case "consent_asked":
				say(event{What: "asked"})
			}
		},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go m.obey(cancel)
	if err := h.Run(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// obey does what the parent writes: paint COUNT EVERY, until it closes stdin.
func (m machine) obey(end context.CancelFunc) {
	defer end()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var n int
		var each string
		_, _ = fmt.Sscanf(in.Text(), "paint %d %s", &n, &each)
		every, err := time.ParseDuration(each)
		if err != nil {
			return
		}
		for i := range n {
			m.paint(i)
			time.Sleep(every)
		}
	}
}

// paint shows a number as a colour, each five bits in the middle of what becomes them again where colours are rounded.
func (m machine) paint(n int) {
	five := func(n int) byte { return byte(n&31)<<3 | byte(n&31)>>2 }
	m.Fill(image.Rect(0, 0, 640, 480), five(n>>10), byte(n>>5&31)<<3|4, five(n))
}

// watching is the customer's screen.
type watching struct{}

func (watching) Run(ctx context.Context, views <-chan host.View, _ func(host.Act)) error {
	lost, seat := false, session.Presence(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case v := <-views:
			if now := !v.Lost.IsZero(); now != lost {
				lost = now
				say(event{What: "contact", N: map[bool]int{true: 0, false: 1}[lost]})
			}
			for _, m := range v.Roster.Members {
				if m.Role != session.Customer && m.Presence != seat {
					seat = m.Presence
					say(event{What: "seat", Text: seats[seat]})
				}
			}
		}
	}
}

var seats = map[session.Presence]string{session.Here: "here", session.Reconnecting: "held", session.Gone: "given up"}

func (c *child) console() error {
	id, err := transport.NewIdentity()
	if err != nil {
		return err
	}
	relay := transport.Relay{Addr: c.relay, Pin: transport.Pin(c.pin)}
	token, err := c.login(relay, id)
	if err != nil {
		return err
	}
	say(event{What: "login"})
	s := agent.Join(agent.Config{
		Relay: relay, Identity: id, Token: token, Code: c.code, Device: "lab", Software: "linklab", Options: c.options(),
		Want: session.View | session.Control | session.Chat | session.File,
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go c.obey(s, cancel)
	go c.look(ctx, s)
	err = s.Run(ctx)
	say(event{What: "state", Text: "over"})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *child) login(relay transport.Relay, id transport.Identity) (string, error) {
	o, err := transport.DialRelay(context.Background(), relay, id, c.options())
	if err != nil {
		return "", err
	}
	defer o.Close()
	reply, err := o.Request(context.Background(), &wire.Request{Kind: &wire.Request_Login{Login: &wire.Login{Account: c.user, Password: password, Device: "lab"}}})
	if err != nil {
		return "", err
	}
	return reply.GetLoggedIn().GetToken(), nil
}

// look says what changes for the agent.
func (c *child) look(ctx context.Context, s *agent.Session) {
	var before event
	shown, heard := -1, chat.Seq(0)
	for ctx.Err() == nil {
		select {
		case <-s.Changed():
		case <-time.After(20 * time.Millisecond):
		}
		st := s.State()
		now := event{What: "state", Text: st.Phase.String(), Path: st.Link.Path, Why: st.Link.Why, Code: st.Code, Self: int(st.Self), Unsent: st.Unsent}
		now.Lead = st.Self != session.Nobody && st.Roster.Lead == st.Self
		if now != before {
			before = now
			now.Since = st.Link.Since.UnixNano()
			say(now)
		}
		if p := s.Picture(); p != nil && len(p.Pix) > 0 {
			if n := shownBy(p.Pix[0]); n != shown {
				shown = n
				say(event{What: "shown", N: n})
			}
		} else if st.Display.Size.X > 0 {
			s.Look(screen.Viewport{ID: 1, Region: image.Rectangle{Max: st.Display.Size}, Grid: image.Pt(32, 24)})
		}
		for _, e := range s.Log(heard) {
			if heard = e.Seq; e.Kind == chat.Said {
				say(event{What: "heard", Text: e.Text})
			}
		}
	}
}

// obey does what the parent writes: control, keys COUNT MEAN, say TEXT, put FILE.
func (c *child) obey(s *agent.Session, end context.CancelFunc) {
	defer end()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "control":
			s.Do(console.TakeControl{})
		case "say":
			s.Do(console.Say{Lane: chat.Everyone, Text: rest})
		case "put":
			go put(s, rest)
		case "keys":
			var n int
			var mean string
			_, _ = fmt.Sscan(rest, &n, &mean)
			every, err := time.ParseDuration(mean)
			if err != nil || n <= 0 {
				say(event{What: "state", Text: "what keys? " + strconv.Quote(rest)})
				return
			}
			go typeKeys(s, n, every)
		}
	}
}

// put sends a file, and goes on with it when its link broke, as the verb does. It says how often it began, and the checksum.
func put(s *agent.Session, name string) {
	for n, began := 1, time.Now(); ; n++ {
		moved, err := putOnce(s, name)
		if err == nil || time.Since(began) > 10*time.Minute {
			say(event{What: "file", N: n, Text: fmt.Sprintf("%x", moved.Digest), Why: fmt.Sprint(err)})
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func putOnce(s *agent.Session, name string) (work.Moved, error) {
	f, err := transfer.OpenSourceAt(name)
	if err != nil {
		return work.Moved{}, err
	}
	defer f.Close()
	stream, err := s.Open(context.Background(), wire.StreamFile)
	if err != nil {
		return work.Moved{}, err
	}
	return work.Put(context.Background(), stream, f, work.Place{Again: true}, func(uint64, uint64) {})
}

// typeKeys types n keys, on average every so often, and says when each was sent and when the host has confirmed it. A key that
// is refused, because there is no contact, is typed again.
func typeKeys(s *agent.Session, n int, every time.Duration) {
	dice := rand.New(rand.NewPCG(1, 2))
	done := make(chan struct{})
	var mu sync.Mutex
	sent := 0
	go func() {
		confirmed := 0
		for confirmed < n {
			time.Sleep(time.Millisecond)
			mu.Lock()
			have := sent - s.Unconfirmed()
			mu.Unlock()
			for ; confirmed < have; confirmed++ {
				say(event{What: "confirmed", N: confirmed})
			}
		}
		close(done)
	}()
	for i := range n {
		for {
			mu.Lock()
			ok := s.Input(screen.Input{Kind: screen.KeyTap, Key: screen.Key(firstKey + i)})
			if ok {
				sent++
			}
			mu.Unlock()
			if ok {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		say(event{What: "sent", N: i})
		time.Sleep(every/2 + time.Duration(dice.Int64N(int64(every))))
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
	}
	say(event{What: "typed", N: n})
}

// echo shows every byte in the same place.
func echo() error {
	in := bufio.NewReader(os.Stdin)
	for {
		b, err := in.ReadByte()
		if err != nil {
			return nil
		}
		if _, err := os.Stdout.Write([]byte{'\r', b}); err != nil {
			return err
		}
	}
}
