package sessiontest

import (
	"context"
	"image"
	"strings"
	"testing"

	"assist/chat"
	"assist/screen"
	shared "assist/screen/console"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
)

// newTextHost shares a shell that prints a prompt of one character.
func (r *Relay) newTextHost(shell string, fixed image.Point, change func(*host.Config)) *Host {
	r.t.Helper()
	text, err := shared.Open(shared.Options{Shell: shell, Size: fixed})
	must(r.t, err)
	return r.NewHost(func(c *host.Config) {
		c.Source, c.Injector, c.Text = nil, nil, text
		c.Answer = &host.AutoAnswer{Allow: session.AllGrants}
		if change != nil {
			change(c)
		}
	})
}

const plainShell = "PS1='> ' exec sh -i"

// reads joins and looks at the text with a terminal of that size.
func (r *Relay) reads(h *Host, handle string, size image.Point) *Console {
	r.t.Helper()
	c := Run(r.t, agent.Join(r.Config(r.NewAgent(handle), h.Code)))
	c.Phase(console.In)
	c.Wait("text to be offered", func(st console.State) bool { return st.Text.Offered })
	c.LookText(true, size)
	return c
}

// shows waits until the text holds words, and returns it.
func (c *Console) shows(words string) *screen.TextGrid {
	c.t.Helper()
	var g *screen.TextGrid
	Until(c.t, "the text to show "+words, c.Changed(), func() bool {
		g = c.Text()
		return g != nil && strings.Contains(textOf(g), words)
	})
	return g
}

func textOf(g *screen.TextGrid) string {
	var rows []string
	for _, row := range g.Rows {
		rows = append(rows, row.Text())
	}
	return strings.Join(rows, "\n")
}

// types types a line, once input is taken.
func (c *Console) types(line string) {
	c.t.Helper()
	c.Do(console.TakeControl{})
	c.Wait("control", func(console.State) bool {
		return c.Input(screen.Input{Kind: screen.TypeText, Text: line, ToText: true})
	})
	if !c.Input(screen.Input{Kind: screen.KeyTap, Key: screen.KeyEnter, ToText: true}) {
		c.t.Fatal("Enter was not taken")
	}
}

func TestTextIsSharedByAgents(t *testing.T) {
	r := NewRelay(t)
	h := r.newTextHost(plainShell, image.Point{}, nil)
	max := r.reads(h, "max@acme", image.Pt(90, 30))
	max.shows(">")
	max.types("echo h\u00e9llo | tr l L")
	max.shows("héLLo")
	eve := r.reads(h, "eve@acme", image.Pt(70, 20))
	g := eve.shows("héLLo") // late, and all the same there
	if g.Modes.Has(screen.AlternateScreen) {
		t.Error("the shell is said to be on the alternate screen")
	}
	for _, c := range []*Console{max, eve} { // the smallest of those who control decides
		Until(t, "the smaller size", c.Changed(), func() bool { return c.Text() != nil && c.Text().Size == image.Pt(70, 20) })
	}
	eve.types("stty size; echo from-$((40+2))")
	for _, c := range []*Console{max, eve} {
		c.shows("from-42")
		if !strings.Contains(textOf(c.Text()), "20 70") {
			t.Errorf("the program's terminal is another one:\n%s", textOf(c.Text()))
		}
	}
	eve.LookText(false, image.Point{})
	Until(t, "the larger size again", max.Changed(), func() bool { return max.Text().Size == image.Pt(90, 30) })
}

func TestWhoMayNotControlTypesNothing(t *testing.T) {
	r := NewRelay(t)
	h := r.newTextHost(plainShell, image.Point{}, func(c *host.Config) {
		c.Answer = &host.AutoAnswer{Allow: session.View | session.Chat}
	})
	max := r.reads(h, "max@acme", image.Pt(60, 15))
	max.shows(">")
	if got := max.Text().Size; got != image.Pt(60, 15) {
		t.Errorf("size %v, but nobody else looks", got)
	}
	max.Do(console.TakeControl{})
	if max.Input(screen.Input{Kind: screen.TypeText, Text: "x", ToText: true}) {
		t.Error("the console itself let input pass without the grant")
	}
	x := r.rogue(t, r.NewAgent("rogue@acme"), h)
	x.welcome(t)
	x.input(t,
		screen.Input{Seq: 1, Kind: screen.TypeText, Text: "echo rogue-was-here\r", ToText: true},
		screen.Input{Seq: 2, Kind: screen.TypeText, Text: "rogue\r"})
	x.echo(t)
	if strings.Contains(textOf(max.Text()), "rogue") {
		t.Errorf("input without the grant arrived:\n%s", textOf(max.Text()))
	}
}

func TestScrollbackIsPagedAndSearched(t *testing.T) {
	r := NewRelay(t)
	h := r.newTextHost("seq 1 3000; echo needle; seq 3001 3100; exec cat", image.Pt(60, 10), nil)
	max := r.reads(h, "max@acme", image.Pt(200, 50))
	g := max.shows("3100")
	if g.Size != image.Pt(60, 10) || g.Top < 3000 || g.Oldest != 0 {
		t.Fatalf("grid of %v, scrollback %d to %d", g.Size, g.Oldest, g.Top)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	first, rows, err := max.TextLines(ctx, 998, 3)
	if err != nil || first != 998 || len(rows) != 3 || rows[0].Text() != "999" || rows[2].Text() != "1001" {
		t.Errorf("lines from %d: %d of them, %v", first, len(rows), err)
	}
	line, found, err := max.TextFind(ctx, g.Top, false, "NEEDLE")
	if err != nil || !found || line != 3000 {
		t.Errorf("needle in line %d, %v, %v", line, found, err)
	}
	if _, found, err := max.TextFind(ctx, 0, true, "haystack"); found || err != nil {
		t.Errorf("what is not there: %v, %v", found, err)
	}
}

func TestTheSessionEndsWithItsProgram(t *testing.T) {
	r := NewRelay(t)
	h := r.newTextHost(plainShell, image.Point{}, nil)
	max := r.reads(h, "max@acme", image.Pt(60, 15))
	max.shows(">")
	max.types("exit")
	if st := max.Phase(console.Over); !strings.Contains(st.Why, "program has ended") {
		t.Errorf("over: %s", st.Why)
	}
	if err := h.Result(); err != nil {
		t.Error(err)
	}
}

func TestAFloodIsSkippedAndKeysGetThrough(t *testing.T) {
	r := NewRelay(t)
	h := r.newTextHost(plainShell, image.Point{}, nil)
	max := r.reads(h, "max@acme", image.Pt(80, 24))
	max.shows(">")
	max.types("yes flood-flood-flood-flood-flood")
	max.shows("flood\nflood")
	if !max.Input(screen.Input{Kind: screen.KeyTap, Key: 'c', Mods: screen.ModControl, ToText: true}) {
		t.Fatal("Ctrl-C was not taken")
	}
	max.types("echo calm-$((1+1))")
	max.shows("calm-2")
}

func TestADesktopAndText(t *testing.T) {
	r := NewRelay(t)
	text, err := shared.Open(shared.Options{Shell: plainShell, Lazy: true})
	must(t, err)
	h := r.NewHost(func(c *host.Config) {
		c.Text = text
		c.Answer = &host.AutoAnswer{Allow: session.AllGrants}
	})
	max := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
	max.Phase(console.In)
	max.Wait("both", func(st console.State) bool { return st.Text.Offered && st.Display.Size.X > 0 })
	max.Look(screen.Viewport{Region: image.Rect(0, 0, 640, 480), Grid: image.Pt(80, 60)})
	Until(t, "a picture", max.Changed(), func() bool { return max.Picture() != nil })
	max.LookText(true, image.Pt(80, 24))
	max.Wait("everyone to be told", func(console.State) bool {
		log := max.Log(0)
		return len(log) > 0 && log[len(log)-1].Kind == chat.Note && strings.Contains(log[len(log)-1].Text, "terminal")
	})
	max.shows(">")
	max.types("echo only-$((2+1))")
	max.shows("only-3")
	max.Input(screen.Input{Kind: screen.KeyTap, Key: 'z'})
	Until(t, "the desktop's key", max.Changed(), func() bool { return len(keys(h.Recorder.Played())) > 0 })
	if got := keys(h.Recorder.Played()); len(got) != 1 || got[0] != 'z' {
		t.Errorf("the desktop got %v", got)
	}
	max.types("exit")
	max.Wait("the program's end", func(st console.State) bool { return st.Text.Ended })
	max.Input(screen.Input{Kind: screen.KeyTap, Key: screen.KeyEnter, ToText: true})
	max.Wait("another program", func(st console.State) bool { return !st.Text.Ended })
}
