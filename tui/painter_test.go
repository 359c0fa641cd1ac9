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
	"testing/synctest"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/screen/raster"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/painter"
	"assist/tui/painter/paintertest"
	"assist/tui/viewer"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestPainterShowsWhatTheTextShows(t *testing.T) {
	walk(t, 1, 300)
	dash(t, 2, 300)
}

// dash plays a painted console at random and does not wait for it to draw each time. Now and then every cell is compared with what
// the same console would show if it drew the picture as text.
func dash(t *testing.T, seed uint64, steps int) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(seed, 77))
		d := startPlayed(t, true)
		var done []string
		for n := range steps {
			what, do := randomStep(dice)
			done = append(done, what)
			do(d)
			if time.Sleep(time.Duration(dice.IntN(30)) * time.Millisecond); dice.IntN(5) > 0 {
				continue
			}
			d.clock.Add(int64(dice.IntN(3000)) * int64(time.Millisecond))
			d.p.Send(changedMsg{}) // drawn once more: the clock of the console stands still now
			time.Sleep(1037 * time.Millisecond)
			synctest.Wait()
			if diff := differ(d.asText(), d); diff != "" {
				t.Fatalf("step %d, after %v:\n%s", n, done[max(0, len(done)-12):], diff)
			}
		}
		d.finish(t)
	})
}

// asText is what the console would show as text.
func (d *played) asText() *played {
	d.both.text = true
	rows := d.m.compose()
	d.both.text = false
	out := &played{m: d.m, screen: paintertest.New(d.screen.Size().X, d.screen.Size().Y)}
	for y, row := range rows {
		fmt.Fprintf(out.screen, "\x1b[%d;1H\x1b[m%s", y+1, row)
	}
	return out
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

// walk plays a console at random, once with the painter and once with the picture as text in the view, on terminals of their own,
// and compares every cell after every step. The programs are real, time is not.
func walk(t *testing.T, seed uint64, steps int) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(seed, 99))
		plain, painted := startPlayed(t, false), startPlayed(t, true)
		var done []string
		for n := range steps {
			what, do := randomStep(dice)
			done = append(done, what)
			for _, p := range []*played{plain, painted} {
				p.clock.Add(int64(250 * time.Millisecond))
				do(p)
			}
			time.Sleep(250 * time.Millisecond) // longer than anything that the console puts off
			synctest.Wait()
			if diff := differ(plain, painted); diff != "" {
				t.Fatalf("step %d, after %v:\n%s", n, done[max(0, len(done)-12):], diff)
			}
		}
		plain.finish(t)
		painted.finish(t)
	})
}

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

// differ says where two terminals show something else.
func differ(a, b *played) string {
	ca, cb := a.screen.Cells(), b.screen.Cells()
	if len(ca) != len(cb) {
		return "sizes differ"
	}
	mode := a.m.viewer.Mode()
	n, first := 0, ""
	for i := range ca {
		if x, y := shownBy(ca[i], mode), shownBy(cb[i], mode); x != y {
			if n == 0 {
				w := a.screen.Size().X
				first = fmt.Sprintf("cell %d,%d is %+v, want %+v", i%w, i/w, cb[i], ca[i])
			}
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d cells differ; %s\n%s\n%s", n, first, a.screen.Text(), b.screen.Text())
}

// shownBy is a cell in a form in which the same to see is the same.
func shownBy(c paintertest.Cell, m raster.Mode) paintertest.Cell {
	attr := strings.Fields(c.Attr)
	if c.Text == " " { // bold, dim and italic are not seen there
		attr = slices.DeleteFunc(attr, func(a string) bool { return a == "1" || a == "2" || a == "3" })
	}
	slices.Sort(attr)
	c.Attr = strings.Join(attr, " ")
	fg, bg := strings.TrimPrefix(c.FG, "3"), strings.TrimPrefix(c.BG, "4")
	if c.Text == " " {
		return paintertest.Cell{Text: " ", BG: bg, Attr: c.Attr}
	}
	g := m.Grain()
	if m != raster.Quadrant && m != raster.Sextant && m != raster.Octant || c.Text == "" {
		return paintertest.Cell{Text: c.Text, FG: fg, BG: bg, Attr: c.Attr}
	}
	for i := range 1 << (g.X * g.Y) {
		if m.Glyph(uint8(i)) == c.Text && i>>(g.X*g.Y-1) == 1 {
			return paintertest.Cell{Text: m.Glyph(uint8(1<<(g.X*g.Y)-1) ^ uint8(i)), FG: bg, BG: fg, Attr: c.Attr}
		}
	}
	return paintertest.Cell{Text: c.Text, FG: fg, BG: bg, Attr: c.Attr}
}

// A terminal that takes 50 KB a second and a picture that scrolls: keys must not wait for it, and what they do is drawn before the
// rest of the picture. Time is simulated, so that what is measured is who waits for whom, and not how fast the machine is; were
// anything to wait for the terminal under a lock, the simulation would stand still.
func TestKeysDoNotWaitForASlowTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startPlayed(t, true)
		d.file.slow = 1024 * time.Second / 50_000
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for n := 1; ctx.Err() == nil; n++ {
				d.s.change(func() { d.s.pic = scrolled(d.s.base, n) })
				time.Sleep(100 * time.Millisecond)
			}
		}()
		time.Sleep(3 * time.Second)
		var waits, echo time.Duration
		for range 20 {
			began := time.Now()
			d.p.Send(pressed("?"))
			waits = max(waits, time.Since(began))
			for !strings.Contains(d.screen.Text(), "take control: keys") && time.Since(began) < 5*time.Second {
				time.Sleep(time.Millisecond)
			}
			echo = max(echo, time.Since(began))
			began = time.Now()
			d.p.Send(pressed("esc"))
			waits = max(waits, time.Since(began))
			time.Sleep(737 * time.Millisecond)
		}
		cancel()
		time.Sleep(time.Second)
		d.file.slow = 0
		if s := d.m.opt.painter.Stats(); s.Picture < 500_000 {
			t.Errorf("the picture hardly moved: %+v", s)
		}
		d.finish(t)
		t.Logf("a key reaches Update after %v at most, its dialog of about 5 KB is on the screen after %v", waits, echo)
		if waits > 30*time.Millisecond || echo > 300*time.Millisecond {
			t.Errorf("a key waited %v, its dialog %v", waits, echo)
		}
	})
}

// scrolled is a picture of lines that have moved up by n.
func scrolled(base *screen.Picture, n int) *screen.Picture {
	p := &screen.Picture{Viewport: base.Viewport, Seq: base.Seq + uint64(n), Pix: make([]screen.RGB565, len(base.Pix))}
	for i := range p.Pix {
		x, y := i%base.Viewport.Grid.X, i/base.Viewport.Grid.X+n
		p.Pix[i] = screen.RGB565(uint32(x/3*2654435761+y*40503) >> 7)
	}
	return p
}
