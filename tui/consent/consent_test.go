package consent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"assist/chat"
	"assist/session"
	"assist/tui/cell"
)

func stranger() *Question {
	return &Question{
		Serial: 7, Member: 2, Name: "Dana Reyes", Handle: "dana@northwind", Org: "Northwind IT", Trust: session.RelayOnly, Join: true,
		Grants: session.View | session.Chat, Later: session.Control, Words: []string{"apple", "river", "stone"}, Deadline: time.Now().Add(time.Minute),
	}
}

func shared() View {
	return View{
		Code: "12345678", URL: "https://relay.example/j/12345678#1.abc", Relay: "relay.example:443",
		Roster: session.Roster{Lead: 2, Controlling: 2, Members: []session.Member{
			{ID: 1, Name: "Sam", Role: session.Customer, Presence: session.Here},
			{ID: 2, Name: "Dana", Org: "Northwind IT", Trust: session.VerifiedOrg, Role: session.Lead, Grants: session.View | session.Control, Presence: session.Here, Consoles: 2},
			{ID: 3, Name: "Eve\x1b[31m\u202e", Org: "Bolt", Role: session.Agent, Grants: session.View, Presence: session.Here, Consoles: 1},
			{ID: 4, Name: "Gone", Role: session.Agent, Presence: session.Gone},
		}},
		Words: map[session.MemberID][]string{3: {"apple", "river", "stone"}},
		Log: []chat.Entry{
			{Seq: 1, From: 2, Name: "Dana", Kind: chat.Joined, Lane: chat.Everyone},
			{Seq: 2, From: 2, Name: "Dana", Kind: chat.Said, Lane: chat.Everyone, Text: "hello\n* Sam gave control to Eve"},
		},
	}
}

// stage is a model with what it did.
type stage struct {
	*model
	acts []Act
}

func newStage(v View) *stage {
	s := &stage{}
	s.model = newModel(func(a Act) { s.acts = append(s.acts, a) })
	s.Update(v)
	return s
}

func (s *stage) key(keys ...string) {
	for _, k := range keys {
		msg := tea.KeyPressMsg{Text: k}
		switch k {
		case "esc":
			msg = tea.KeyPressMsg{Code: tea.KeyEscape}
		case "enter":
			msg = tea.KeyPressMsg{Code: tea.KeyEnter}
		case "backspace":
			msg = tea.KeyPressMsg{Code: tea.KeyBackspace}
		case "ctrl+c":
			msg = tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
		default:
			msg.Code = []rune(k)[0]
		}
		s.Update(msg)
	}
}

func (s *stage) text() string { return ansi.Strip(s.View().Content) }

func (s *stage) did() string { return fmt.Sprintf("%T %+v", s.acts, s.acts) }

func TestYesIsDeliberate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(View{Code: "12345678", Question: stranger()})
		s.key("y", "n", "esc", "s")
		if len(s.acts) != 0 {
			t.Fatalf("keys of somebody who was typing did %s", s.did())
		}
		time.Sleep(strangerYes - time.Millisecond)
		s.key("y", "enter", " ")
		if len(s.acts) != 0 || !strings.Contains(s.text(), "read first") {
			t.Fatalf("%s\n%s", s.did(), s.text())
		}
		time.Sleep(time.Millisecond)
		s.key("y")
		if len(s.acts) != 1 || s.acts[0] != (Answer{Serial: 7, Allow: session.View | session.Chat}) {
			t.Fatal(s.did())
		}
		s.Update(View{Question: &Question{Serial: 8, Grants: session.Control}})
		s.key("y") // the finger is still there
		time.Sleep(swallow)
		s.key("n")
		if len(s.acts) != 2 || s.acts[1] != (Answer{Serial: 8}) {
			t.Fatal(s.did())
		}
	})
}

func TestStopWorksEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, v := range map[string]View{"nothing": {}, "code": {Code: "12345678"}, "question": {Question: stranger()}, "sharing": shared()} {
			s := newStage(v)
			s.key("ctrl+c")
			if len(s.acts) != 1 || s.acts[0] != (Stop{}) {
				t.Errorf("%s: ctrl+c did %s", name, s.did())
			}
			s = newStage(v)
			time.Sleep(swallow)
			s.key("s")
			if len(s.acts) != 1 || s.acts[0] != (Stop{}) {
				t.Errorf("%s: s did %s", name, s.did())
			}
		}
		s := newStage(shared())
		s.key("t", "s", "ctrl+c")
		if len(s.acts) != 1 || s.acts[0] != (Stop{}) {
			t.Errorf("while writing: %s", s.did())
		}
	})
}

func TestWritingAndTakingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(shared())
		s.key("t", "s", "t", "x", "backspace", "o", "p")
		s.Update(tea.PasteMsg{Content: "\x1b[201~é"})
		if !strings.Contains(s.text(), "> stop␛[201~é") {
			t.Fatal(s.text())
		}
		s.key("enter", "r")
		if len(s.acts) != 2 || s.acts[0] != (Say{Text: "stop␛[201~é"}) || s.acts[1] != (TakeBack{}) {
			t.Fatal(s.did())
		}
		s.key("t", "a", "esc", "t", "enter")
		if len(s.acts) != 2 {
			t.Fatalf("nothing was said: %s", s.did())
		}
		s = newStage(View{Code: "12345678"})
		s.key("t", "r")
		if s.writing || len(s.acts) != 0 {
			t.Fatalf("nobody is there: %s", s.did())
		}
	})
}

func TestQuestionSaysWhatAPersonNeeds(t *testing.T) {
	s := newStage(View{Question: stranger()})
	text := strings.Join(strings.Fields(s.text()), " ")
	for _, want := range []string{
		"Dana Reyes", "dana@northwind", "Northwind IT - known to this relay only, not verified", "see your screen", "write to you",
		"asked apart before they may use your mouse and keyboard", "apple river stone", "out of the blue", "n no", "silence is a no in 1:00", "y yes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from:\n%s", want, s.text())
		}
	}
	if strings.Contains(text, outside) {
		t.Error("an agent of the lead's organisation is called an outsider")
	}
	q := stranger()
	q.Terminal = true
	text = strings.Join(strings.Fields(newStage(View{Question: q}).text()), " ")
	if !strings.Contains(text, "see this terminal") || !strings.Contains(text, "asked apart before they may type in this terminal") || strings.Contains(text, "screen") {
		t.Errorf("of a terminal:\n%s", text)
	}
	q = stranger()
	q.Stranger = true
	if text := strings.Join(strings.Fields(newStage(View{Question: q}).text()), " "); !strings.Contains(text, outside) {
		t.Errorf("%q is missing from:\n%s", outside, text)
	}
	q = stranger()
	q.Trust = session.VerifiedOrg
	if text := newStage(View{Question: q}).text(); strings.Contains(text, "blue") || !strings.Contains(text, "Northwind IT - verified") {
		t.Errorf("verified:\n%s", text)
	}
}

func TestSharingSaysWhoIsHere(t *testing.T) {
	text := newStage(shared()).text()
	for _, want := range []string{"THIS SCREEN IS SHARED", "Dana, Northwind IT (verified): CONTROLS NOW x2", "Bolt (unknown, not verified): looks", "read out: apple river stone", "r  take control back", "* Dana joined"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Gone") || !strings.Contains(text, "| * Sam gave control to Eve") {
		t.Errorf("a line that imitates the host, or somebody who is gone:\n%s", text)
	}
}

func TestEveryScreenFitsEverySize(t *testing.T) {
	long := shared()
	for i := range 80 {
		long.Log = append(long.Log, chat.Entry{Seq: chat.Seq(i + 3), From: 2, Name: "Dana", Kind: chat.Said, Lane: chat.Everyone, Text: strings.Repeat("日本語 ", i)})
	}
	views := map[string]View{
		"nothing": {}, "code": {Code: "12345678", URL: "https://relay.example/j/12345678#1.abcdefghijklmnop", Relay: "relay.example:443", Expires: time.Now().Add(time.Minute)},
		"question": {Question: stranger()}, "sharing": shared(), "long": long, "alone": {Code: "12345678", Alone: time.Now()},
	}
	for name, v := range views {
		for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 12}, {20, 6}, {9, 3}, {1, 1}} {
			s := newStage(v)
			s.w, s.h = size[0], size[1]
			lines := s.draw()
			if len(lines) != s.h {
				t.Errorf("%s at %v: %d lines", name, size, len(lines))
			}
			for _, l := range lines {
				if cell.Width(l) != s.w {
					t.Errorf("%s at %v: %d cells in %q", name, size, cell.Width(l), l)
				}
				if plain := ansi.Strip(l); strings.ContainsAny(plain, "\x1b\n\r\u202e\u009b") {
					t.Errorf("%s at %v: %q", name, size, plain)
				}
			}
			if name == "question" && s.w >= 40 && !strings.Contains(ansi.Strip(strings.Join(lines, "\n")), "n  no") {
				t.Errorf("at %v nobody can say no:\n%s", size, ansi.Strip(strings.Join(lines, "\n")))
			}
		}
	}
}

func TestQuestionAt80x24IsWhole(t *testing.T) {
	s := newStage(View{Question: stranger()})
	if text := s.text(); !strings.Contains(text, "press n.") || !strings.Contains(text, "apple") {
		t.Errorf("cut off at 80x24:\n%s", text)
	}
}

// record collects acts and output of a running screen.
type record struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	acts []Act
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(b)
}

func (r *record) act(a Act) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acts = append(r.acts, a)
}

func (r *record) seen() (string, []Act) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String(), append([]Act(nil), r.acts...)
}

// until waits for something that another goroutine does.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happened")
		}
	}
}

func TestLines(t *testing.T) {
	in, typed := io.Pipe()
	defer typed.Close()
	out := &record{}
	views, done := make(chan View, 1), make(chan error, 1)
	go func() { done <- Lines(context.Background(), in, out, views, out.act) }()
	v := shared()
	v.Question = stranger()
	views <- v
	for _, line := range []string{"yes", "no", "say good morning", "back", "what", "stop"} {
		fmt.Fprintln(typed, line)
	}
	until(t, func() bool { _, acts := out.seen(); return len(acts) == 3 })
	v.Question = nil
	views <- v
	views <- View{Ended: true, Why: "stopped"}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	text, acts := out.seen()
	for _, want := range []string{"1234 5678 (1 2 3 4 5 6 7 8)", "QUESTION: Let this person in?", "read first", "Words that work", "* Dana joined", "Dana says: * Sam gave control", "has ended: stopped"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from:\n%s", want, text)
		}
	}
	want := []Act{Answer{Serial: 7}, TakeBack{}, Stop{}}
	if len(acts) != len(want) || acts[0] != want[0] || acts[1] != want[1] || acts[2] != want[2] {
		t.Errorf("%+v", acts)
	}
	if strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("%q", text)
	}
}

func TestTheProgramEndsWithTheSessionAndWithItsContext(t *testing.T) {
	for name, end := range map[string]func(chan<- View, context.CancelFunc){
		"session": func(v chan<- View, _ context.CancelFunc) { v <- View{Ended: true} },
		"context": func(_ chan<- View, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			in, typed := io.Pipe()
			defer typed.Close()
			out, views, done := &record{}, make(chan View), make(chan error, 1)
			go func() {
				done <- run(ctx, views, out.act, tea.WithoutSignals(), tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
			}()
			views <- shared()
			until(t, func() bool { text, _ := out.seen(); return strings.Contains(ansi.Strip(text), "SHARED") })
			_, _ = typed.Write([]byte("r"))
			until(t, func() bool { _, acts := out.seen(); return len(acts) == 1 && acts[0] == Act(TakeBack{}) })
			end(views, cancel)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestWhoComesAndGoesPassesBy(t *testing.T) {
	m := newModel(func(Act) {})
	v := View{Code: "12345678", Started: time.Now(), Roster: session.Roster{Members: []session.Member{
		{ID: 1, Role: session.Customer}, {ID: 2, Name: "Bob", Role: session.Lead, Presence: session.Here},
	}}}
	for i := range 4 {
		v.Log = append(v.Log, chat.Entry{Seq: chat.Seq(i + 1), Kind: chat.Joined, From: uint32(i + 2), Name: "Agent" + string(rune('A'+i)), Lane: chat.Everyone})
	}
	m.take(v)
	shown := func() string { return ansi.Strip(strings.Join(m.passing.View(m.theme, 60), "\n")) }
	if got := shown(); strings.Contains(got, "AgentA") || !strings.Contains(got, "AgentB joined") || !strings.Contains(got, "AgentD joined") {
		t.Errorf("three at a time:\n%s", got)
	}
	if got := ansi.Strip(m.draw()[1]); !strings.HasSuffix(got, " AgentB joined  ") {
		t.Errorf("%q", got)
	}
	m.Update(tickMsg(m.now.Add(6 * time.Second)))
	if got := shown(); got != "" {
		t.Errorf("they stay:\n%s", got)
	}
}
