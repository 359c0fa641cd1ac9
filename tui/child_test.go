//go:build desktop

package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/viewer"
)

// TestMain is also the console that the tests of this package start in real terminals: with ASSIST_TUI_CHILD set the binary
// shows a made-up session instead of testing.
func TestMain(m *testing.M) {
	if how := os.Getenv("ASSIST_TUI_CHILD"); how != "" {
		os.Exit(child(strings.Split(how, ",")))
	}
	os.Exit(m.Run())
}

// child runs a console on its terminal. Words in how shape the session: "agents" fills the roster and the chat, "panic"
// panics while it draws, "elsewhere" in a goroutine of its own, the name of a phase starts there.
func child(how []string) int {
	f := newFake()
	if name := os.Getenv("ASSIST_TUI_PNG"); name != "" {
		f.desk = picture(name)
	}
	opt := Options{HostArgs: "--relay relay.example:4433"}
	for _, h := range how {
		switch h {
		case "agents":
			crowd(f)
		case "panic":
			opt.Renderer = panicky{}
		case "elsewhere":
			go func() {
				time.Sleep(time.Second)
				panic("a panic elsewhere")
			}()
		case "record":
			file, err := os.Create(os.Getenv("ASSIST_TUI_CAST"))
			if err != nil {
				panic(err)
			}
			opt.Record = file
		case "awaiting":
			f.state.Phase, f.state.URL = AwaitingHost, "https://relay.example:4433/j/12345678#1.mfrggzdfmztwq2lknnwg23tp"
		case "knocking":
			f.state.Phase = Knocking
		case "connecting":
			f.state = State{Phase: Connecting, Code: "12345678"}
		case "lost":
			f.state.Phase, f.state.LostSince = Lost, time.Now().Add(-12*time.Second)
			f.Look(screen.Viewport{Region: image.Rect(0, 0, 1920, 1080), Grid: image.Pt(160, 90)})
		}
	}
	f.change(func() {})
	res, err := Run(context.Background(), f, opt)
	if name := os.Getenv("ASSIST_TUI_LOG"); name != "" {
		report(name, f, res, err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "assist:", err)
		return 1
	}
	return 0
}

// panicky is a renderer with a bug.
type panicky struct{}

func (panicky) Rows(viewer.Frame) cell.Block { panic("a panic of the test") }
func (panicky) Hide()                        {}

func crowd(f *fake) {
	f.state.Roster.Members = append(f.state.Roster.Members,
		session.Member{ID: 3, Name: "Carla Ruiz", Org: "Beta Networks", Trust: session.VerifiedOrg, Role: session.Agent, Grants: session.View | session.Control | session.Chat, Presence: session.Here},
		session.Member{ID: 4, Name: "Dmitri", Org: "Beta Networks", Trust: session.UnknownOrg, Role: session.Agent, Grants: session.View, Presence: session.Reconnecting, Since: time.Now().Add(-20 * time.Second)})
	f.state.Roster.Controlling = 3
	f.say(3, "Carla Ruiz", chat.Everyone, chat.Joined, "")
	f.say(1, "Anna Schmidt", chat.Everyone, chat.Said, "Hello! The invoice program hangs whenever I press Save.")
	f.say(2, "Bob Meyer", chat.Everyone, chat.Said, "Thanks, I see it. May I have a look at the log?")
	f.say(3, "Carla Ruiz", chat.AgentsOnly, chat.Said, "Looks like the disk is full again.\nSame as last week.")
	f.say(2, "Bob Meyer", chat.AgentsOnly, chat.Said, "Agreed, I will clear the cache.")
	f.say(4, "Dmitri", chat.Everyone, chat.Dropped, "")
}

// report writes what the session was asked for, for the test that started this process.
func report(name string, f *fake, res Result, err error) {
	out := struct {
		Input  []screen.Input
		Looks  []screen.Viewport
		Did    []string
		Left   bool
		Closed int
		Err    string
	}{f.input, f.looks, nil, res.Left, f.closed, fmt.Sprint(err)}
	for _, c := range f.did {
		out.Did = append(out.Did, fmt.Sprintf("%T", c))
	}
	b, _ := json.Marshal(out)
	_ = os.WriteFile(name, b, 0o600)
}

func picture(name string) func(image.Point) colour {
	file, err := os.Open(name)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	img, _, err := image.Decode(file)
	if err != nil {
		panic(err)
	}
	return func(p image.Point) colour { return img.At(p.X, p.Y) }
}
