package tui

import (
	"context"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/painter"
	"assist/tui/painter/paintertest"
	"assist/tui/viewer"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// played is a console with a session and a terminal.
type played struct {
	s      *fake
	m      *model
	p      *tea.Program
	screen *paintertest.Screen
	file   *tty
	both   *both
	clock  atomic.Int64 // what the console takes for the time, after it began
	size   image.Point
	stop   func()
}

// tty is a terminal's file.
type tty struct {
	*paintertest.Screen
	slow  time.Duration // that a kilobyte takes
	tap   func([]byte)
	mu    sync.Mutex
	bytes int
}

func (f *tty) Read([]byte) (int, error) { select {} }
func (f *tty) Close() error             { return nil }
func (f *tty) Fd() uintptr              { return ^uintptr(0) }
func (f *tty) Write(b []byte) (int, error) {
	f.mu.Lock()
	f.bytes += len(b)
	f.mu.Unlock()
	if f.tap != nil {
		f.tap(b)
	}
	if f.slow > 0 {
		time.Sleep(f.slow * time.Duration(len(b)) / 1024)
	}
	return f.Screen.Write(b)
}

func startPlayed(t *testing.T, paints bool) *played {
	d := &played{s: newFake(), size: image.Pt(100, 30)}
	crowdSmall(d.s)
	d.screen = paintertest.New(d.size.X, d.size.Y)
	d.screen.Cooked = true // Bubble Tea thinks so where there is no input
	d.file = &tty{Screen: d.screen}
	opt := Options{ColorProfile: colorprofile.TrueColor, Env: []string{"TERM=xterm-256color"}}
	ctx, cancel := context.WithCancel(t.Context())
	painting := make(chan struct{})
	if paints {
		opt.painter = painter.New(d.file)
		d.both = &both{Painter: opt.painter}
		opt.Renderer = d.both
		go func() {
			defer close(painting)
			if err := opt.painter.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
	} else {
		close(painting)
	}
	d.m = newModel(ctx, d.s, opt.filled())
	d.m.now = func() time.Time { return began.Add(time.Duration(d.clock.Load())) }
	out := tea.WithOutput(d.file)
	if paints {
		out = tea.WithOutput(opt.painter)
	}
	d.p = tea.NewProgram(d.m, tea.WithoutSignals(), tea.WithoutSignalHandler(), tea.WithInput(nil), out, tea.WithWindowSize(d.size.X, d.size.Y),
		tea.WithEnvironment(opt.Env), tea.WithColorProfile(colorprofile.TrueColor))
	d.screen.Answer = func(s string) {
		if paints && strings.HasSuffix(s, "$y") {
			go d.p.Send(tea.ModeReportMsg{Mode: ansi.ModeSynchronizedOutput, Value: ansi.ModeReset})
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := d.p.Run(); err != nil {
			t.Error(err)
		}
	}()
	d.stop = func() {
		d.p.Quit()
		<-done
		cancel()
		<-painting
	}
	time.Sleep(time.Second)
	return d
}

// finish ends the console and looks at what it left.
func (d *played) finish(t *testing.T) {
	d.stop()
	if len(d.screen.Trouble) > 0 {
		t.Errorf("the terminal does not understand %q", d.screen.Trouble)
	}
	if d.m.opt.painter == nil {
		return
	}
	if s := d.m.opt.painter.Stats(); s.Blocked != 0 || s.Picture == 0 {
		t.Errorf("%+v", s)
	}
}

// both renders by the painter and, from the same frames, as text.
type both struct {
	*painter.Painter
	plain viewer.Plain
	block cell.Block
	text  bool
}

func (b *both) Rows(f viewer.Frame) cell.Block {
	if b.text {
		return b.block
	}
	b.block = b.plain.Rows(f)
	return b.Painter.Rows(f)
}

func crowdSmall(f *fake) {
	f.state.Roster.Members = append(f.state.Roster.Members,
		session.Member{ID: 3, Name: "Carla Ruiz", Org: "Beta", Role: session.Agent, Grants: session.View | session.Control | session.Chat, Presence: session.Here})
	for i := range 12 {
		f.say(3, "Carla Ruiz", chat.Everyone, chat.Said, fmt.Sprintf("line %d of the chat, 日本語 and more", i))
	}
}

// randomStep is something that happens to a console, the same to whichever it is given.
func randomStep(dice *rand.Rand) (what string, do func(*played)) {
	keys := []string{"?", "esc", "esc", "t", "h", "x", "enter", "r", "v", "esc", "s", "esc", "z", "+", "-", "0", "h", "j", "k", "l", "f", "m", "pgup", "i", "esc", "g", "G", "G", "down"}
	seed := dice.Uint64()
	switch n := dice.IntN(20); {
	case n < 8:
		k := keys[dice.IntN(len(keys))]
		return k, func(d *played) { d.p.Send(pressed(k)) }
	case n < 9:
		w, h := 60+dice.IntN(90), 16+dice.IntN(25)
		if dice.IntN(6) == 0 {
			w, h = 40, 10
		}
		return fmt.Sprintf("resize %dx%d", w, h), func(d *played) {
			d.screen.Resize(w, h)
			d.p.Send(tea.WindowSizeMsg{Width: w, Height: h})
		}
	case n < 12:
		return "chat", func(d *played) {
			d.s.say(3, "Carla Ruiz", chat.Everyone, chat.Said, fmt.Sprintf("more %d", seed%1000))
		}
	case n < 13:
		at := image.Pt(dice.IntN(1920), dice.IntN(1080))
		return "pointers", func(d *played) {
			d.s.change(func() {
				d.s.state.Pointer.At = at
				d.s.state.Pointers = []MemberPointer{{Member: 3, At: image.Pt(at.Y, at.X/2)}}
			})
		}
	case n < 14:
		return "lost", func(d *played) {
			d.s.change(func() {
				if d.s.state.Phase == In && seed%2 == 0 {
					d.s.state.Phase, d.s.state.LostSince = Lost, began
				} else {
					d.s.state.Phase = In
				}
			})
		}
	case n < 15:
		return "focus", func(d *played) {
			if seed%2 == 0 {
				d.p.Send(tea.BlurMsg{})
			} else {
				d.p.Send(tea.FocusMsg{})
			}
		}
	}
	return "picture", func(d *played) { d.s.change(func() { d.s.repaint(seed) }) }
}

// repaint changes something of the picture, the same for the same seed whatever the viewport was before.
func (f *fake) repaint(seed uint64) {
	f.seed = seed
	if f.base != nil {
		f.pic = repainted(f.base, seed)
	}
}

func repainted(base *screen.Picture, seed uint64) *screen.Picture {
	if seed == 0 {
		return base
	}
	dice := rand.New(rand.NewPCG(seed, 5))
	pic := &screen.Picture{Viewport: base.Viewport, Pix: slices.Clone(base.Pix), Seq: base.Seq + 1}
	g := pic.Viewport.Grid
	switch dice.IntN(4) {
	case 0: // everything scrolls
		copy(pic.Pix, base.Pix[min(len(pic.Pix), g.X*(1+dice.IntN(3))):])
	case 1: // everything changes
		for i := range pic.Pix {
			pic.Pix[i] = screen.RGB565(dice.IntN(1 << 16))
		}
	default: // a rectangle
		r := image.Rect(dice.IntN(g.X), dice.IntN(g.Y), dice.IntN(g.X+1), dice.IntN(g.Y+1))
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				pic.Pix[y*g.X+x] = screen.RGB565(dice.IntN(4) * 0x4321)
			}
		}
	}
	return pic
}
