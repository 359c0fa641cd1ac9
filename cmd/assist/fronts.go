package main

import (
	"context"
	"os"

	"golang.org/x/sync/errgroup"

	"assist/chat"
	"assist/screen"
	"assist/screen/capture"
	"assist/screen/inject"
	"assist/screen/notice"
	"assist/session"
	"assist/session/host"
	"assist/tui/consent"
)

// fronts are where the customer sees and answers: always on the shared desktop itself, and in this terminal unless it is
// for a script.
func (f *hostFlags) fronts(keys *inject.X11) ([]host.Front, error) {
	window, err := notice.New(f.display)
	if err != nil {
		return nil, err
	}
	keys.Exclude(window.Rectangles) // nobody but the customer presses Stop or Allow
	keys.Deaf(window.IsWriting)     // or writes into the customer's chat
	if window.StopKey() {
		keys.Reserve(screen.KeyPause)
	}
	return append([]host.Front{desktopFront{window}, ownHands{f.display}}, f.terminal(nil)...), nil
}

// terminal is where the customer sees and answers in this terminal, unless it is for a script. Where text alone is shared, it
// is shown and typed into there as well.
func (f *hostFlags) terminal(text host.TextSource) []host.Front {
	if f.json {
		return nil
	}
	return []host.Front{terminalFront{consent.Screen{In: os.Stdin, Out: os.Stdout, Accessible: f.accessible, Text: shared(text)}}}
}

// shared is text as the customer's screen knows it.
func shared(text host.TextSource) consent.Text {
	if text == nil {
		return nil
	}
	return text
}

// ownHands is the customer's keyboard and mouse: using them lets agents wait for a moment.
type ownHands struct{ display string }

func (o ownHands) Run(ctx context.Context, _ <-chan host.View, act func(host.Act)) error {
	return capture.WatchOwn(ctx, o.display, func() { act(host.LocalInput{}) })
}

// desktopFront is the notice on the shared desktop.
type desktopFront struct{ window *notice.Window }

func (d desktopFront) Run(ctx context.Context, views <-chan host.View, act func(host.Act)) error {
	return convert(ctx, views, contentOf, func(ctx context.Context, contents <-chan notice.Content) error {
		return d.window.Run(ctx, contents, func(a notice.Action) {
			switch a := a.(type) {
			case notice.Stop:
				act(host.Stop{})
			case notice.Answer:
				allow, err := session.ParseGrants(a.Allow)
				if err != nil { // a grant that does not exist is not given
					allow = 0
				}
				act(host.Answer{Serial: a.Serial, Allow: allow})
			case notice.Say:
				act(host.Say{Text: a.Text})
			case notice.TakeBack:
				if back, err := session.ParseGrants(a.Grants); err == nil { // the names are our own
					act(host.Revoke{Member: session.MemberID(a.Member), Grants: back})
				}
			case notice.Writing:
				act(host.LocalInput{})
			}
		})
	})
}

// lines is the log as the window shows it.
func lines(v host.View) (out []notice.Line) {
	name := func(id uint32) string {
		m, _ := v.Roster.Member(session.MemberID(id))
		return m.Name
	}
	for _, e := range v.Log {
		l := notice.Line{Seq: uint64(e.Seq), Name: e.Name, Text: e.Text, Mine: e.From == uint32(session.CustomerID)}
		if e.Kind != chat.Said {
			l.Name, l.Text, l.Passing = "", chat.Sentence(e, name), chat.Passing(e.Kind)
		}
		out = append(out, l)
	}
	return out
}

func contentOf(v host.View) notice.Content {
	c := notice.Content{Log: lines(v)}
	for _, m := range v.Roster.Members {
		if m.Role == session.Customer || (m.Presence != session.Here && m.Presence != session.Away && m.Presence != session.Reconnecting) {
			continue
		}
		c.People = append(c.People, notice.Person{
			Member: uint32(m.ID), Name: m.Name, Org: m.Org, May: m.Grants.Names(), Controls: m.ID == v.Roster.Controlling, Away: m.Presence == session.Reconnecting,
		})
	}
	c.Sharing = len(c.People) > 0
	if !c.Sharing && v.Question == nil && !v.Ended {
		c.Code = v.Code
	}
	if !v.Alone.IsZero() {
		c.Status = "no agent is here; it ends by itself at " + v.Alone.Local().Format("15:04")
	}
	if q := v.Question; q != nil {
		c.Question = &notice.Question{
			Serial: q.Serial, Name: q.Name, Handle: q.Handle, Org: q.Org, Trust: q.Trust.String(), Verified: q.Trust == session.VerifiedOrg,
			Asks: q.Grants.Names(), Later: q.Later.Names(), Words: q.Words, Deadline: q.Deadline, Stranger: q.Stranger, Again: q.Again, Comes: q.Silence != 0,
			What: q.What, Detail: q.Detail,
		}
	}
	return c
}

// terminalFront is the customer's own terminal.
type terminalFront struct{ screen consent.Screen }

func (f terminalFront) Run(ctx context.Context, views <-chan host.View, act func(host.Act)) error {
	return convert(ctx, views, viewOf, func(ctx context.Context, views <-chan consent.View) error {
		return f.screen.Run(ctx, views, func(a consent.Act) {
			switch a := a.(type) {
			case consent.Stop:
				act(host.Stop{})
			case consent.Answer:
				act(host.Answer{Serial: a.Serial, Allow: a.Allow})
			case consent.TakeBack:
				act(host.Revoke{Member: session.Nobody, Grants: session.Control})
			case consent.Typing:
				act(host.LocalInput{})
			case consent.Say:
				act(host.Say{Text: a.Text})
			}
		})
	})
}

func viewOf(v host.View) consent.View {
	out := consent.View{
		Code: v.Code, URL: v.URL, Relay: v.Relay, Expires: v.Expires, Started: v.Started, Roster: v.Roster, Words: v.Words,
		Log: v.Log, Alone: v.Alone, Lost: v.Lost, NoRelay: v.NoRelay, Ended: v.Ended, Why: v.Why,
	}
	if v.Question != nil {
		q := consent.Question(*v.Question)
		out.Question = &q
	}
	return out
}

// convert runs a front on views of its own kind. Of them only the newest waits.
func convert[V any](ctx context.Context, views <-chan host.View, into func(host.View) V, front func(context.Context, <-chan V) error) error {
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	slot := make(chan V, 1)
	group.Go(func() error {
		for {
			select {
			case v := <-views:
				select {
				case <-slot: // nobody took it
				default:
				}
				slot <- into(v)
			case <-ctx.Done():
				return nil
			}
		}
	})
	group.Go(func() error {
		defer cancel()
		return front(ctx, slot)
	})
	return group.Wait()
}
