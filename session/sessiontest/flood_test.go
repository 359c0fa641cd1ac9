package sessiontest

import (
	"context"
	"fmt"
	"image"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"assist/screen"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// flood is a program that fills its terminal with lines of a log, 50 times a second all of it, until Ctrl+C; then it says so for a while, and
// goes on. It implements host.TextSource.
type flood struct {
	size    image.Point
	watch   chan struct{}
	stopped chan time.Time // cap 1: when Ctrl+C was played

	mu    sync.Mutex
	dice  *rand.Rand
	stops int
	until time.Time // it is quiet
}

func newFlood(size image.Point) *flood {
	return &flood{size: size, watch: make(chan struct{}, 1), stopped: make(chan time.Time, 1), dice: rand.New(rand.NewPCG(1, 2))}
}

func (f *flood) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second / 50):
		}
		select {
		case f.watch <- struct{}{}:
		default:
		}
	}
}

func (f *flood) Grid() *screen.TextGrid {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := screen.NewTextGrid(f.size)
	dice := f.dice
	if quiet := time.Now().Before(f.until); quiet {
		dice = rand.New(rand.NewPCG(1, uint64(f.stops))) // the same until it goes on
		defer func() { printAt(g, f.size.Y-1, fmt.Sprintf("stopped %d ", f.stops)) }()
	}
	for y := range g.Rows {
		printAt(g, y, fmt.Sprintf("Nov 26 14:%02d:%02d relay sshd[%d]: Failed password for root from 10.%d.%d.%d port %d ssh2", dice.IntN(60), dice.IntN(60),
			dice.IntN(32768), dice.IntN(256), dice.IntN(256), dice.IntN(256), dice.IntN(65536)))
	}
	return g
}

func printAt(g *screen.TextGrid, y int, s string) {
	for x, c := range s {
		g.Rows[y].Cells[x].Rune = c
	}
}

func (f *flood) Play(_ uint64, ev screen.Input) error {
	if ev.Key != 'c' || ev.Mods != screen.ModControl {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stops++
	f.until = time.Now().Add(15 * time.Second)
	f.stopped <- time.Now()
	return nil
}

func (f *flood) About() screen.TextAbout                             { return screen.TextAbout{Name: "flood", Fixed: true} }
func (f *flood) Watch() <-chan struct{}                              { return f.watch }
func (f *flood) Lines(from uint64, _ int) (uint64, []screen.Row)     { return from, nil }
func (f *flood) Find(uint64, bool, string) (line uint64, found bool) { return 0, false }
func (f *flood) Want(uint64, image.Point, bool)                      {}

// TestCtrlCDuringAFlood: over a thin line Ctrl+C gets to a program that floods its terminal within a round trip and 200 ms, and what it
// does is seen as soon as the line has carried what was on its way.
func TestCtrlCDuringAFlood(t *testing.T) {
	for _, c := range []struct {
		kbit int
		rtt  time.Duration
		seen time.Duration
	}{{64, 50 * time.Millisecond, time.Second}, {16, 600 * time.Millisecond, 5 * time.Second}} {
		t.Run(fmt.Sprintf("%d kbit/s, %v", c.kbit, c.rtt), func(t *testing.T) {
			t.Parallel()
			Sim(t, 1, func(t *testing.T, r *Relay) {
				line := transporttest.Conditions{Delay: c.rtt / 2, Rate: c.kbit * 1000 / 8, Queue: time.Second}
				played, seen := interrupts(t, r, line, 3)
				t.Logf("played after %v, seen after %v", played, seen)
				if played > c.rtt+200*time.Millisecond || seen > c.seen {
					t.Errorf("played after %v, seen after %v", played, seen)
				}
			})
		})
	}
}

// interrupts presses Ctrl+C so many times and says how long it took at worst.
func interrupts(t *testing.T, r *Relay, line transporttest.Conditions, times int) (played, seen time.Duration) {
	text := newFlood(image.Pt(160, 45))
	h := r.NewHost(func(c *host.Config) {
		c.Source, c.Injector, c.Text = nil, nil, text
		c.Answer = &host.AutoAnswer{Allow: everything}
	})
	conf, _ := r.Behind(r.NewAgent("max@acme"), h.Code, line)
	c := Run(t, agent.Join(conf))
	c.Phase(console.In)
	c.Wait("text to be offered", func(st console.State) bool { return st.Text.Offered })
	c.LookText(true, text.size)
	control(t, c)
	for i := range times {
		time.Sleep(20*time.Second + time.Duration(i)*117*time.Millisecond)
		pressed := time.Now()
		if !c.Input(screen.Input{Kind: screen.KeyTap, Key: 'c', Mods: screen.ModControl, ToText: true}) {
			t.Fatal("Ctrl+C was not taken")
		}
		at := <-text.stopped
		c.shows(fmt.Sprintf("stopped %d ", i+1))
		played, seen = max(played, at.Sub(pressed)), max(seen, time.Since(pressed))
	}
	return played, seen
}
