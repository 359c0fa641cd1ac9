//go:build desktop && lab

package main

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"assist/cmd/assist/demo"
	"assist/screen"
	"assist/screen/console/vt"
	"assist/transport"
	"assist/transport/transporttest"
)

// thin is a console on a thin line, in a terminal that this test is.
type thin struct {
	t      *testing.T
	env    []string
	f      *os.File
	path   *transporttest.Proxy
	joined time.Duration // from its start until it shows what the customer shares

	mu      sync.Mutex
	term    *vt.Terminal
	clock   []reading
	changed chan struct{}
}

// The clock of the customer's terminal, which is wide columns wide.
const (
	wide       = 158
	clockBits  = 12
	clockBlock = 8 // columns
	clockRow   = 5 // rows of the console under the top of the bar
)

// reading is what the clock showed from a moment on.
type reading struct {
	tenths int
	at     time.Time
}

// joinOver opens a console whose packets to the relay go through a line.
func joinOver(t *testing.T, stage *demo.Stage, line transporttest.Conditions) *thin {
	t.Helper()
	quick := line
	quick.Rate, quick.Delay = 0, 0 // for the login, which is over before
	path := transporttest.NewProxy(t, transport.Relay{Addr: stage.Relay, Pin: transport.Pin(stage.Pin)}, quick, 1)
	through := path.Relay(transport.Relay{}).Addr
	url := strings.Replace(stage.URL, stage.Relay, through, 1)
	stage.Relay, stage.URL = through, url
	who := hire(t, stage, "max@demo")
	path.Set(line)

	c := &thin{t: t, env: who.env, path: path, term: vt.New(tall), changed: make(chan struct{}, 1)}
	cmd := exec.Command(built(t), "join", "--path", "relay", url)
	cmd.Env = append(append(os.Environ(), who.env...), "TERM=xterm-256color", "COLORTERM=truecolor", "DISPLAY=")
	began := time.Now()
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(tall.X), Rows: uint16(tall.Y)})
	if err != nil {
		t.Fatal(err)
	}
	c.f = f
	c.term.Reply = func(b []byte) { _, _ = f.Write(b) }
	done := make(chan struct{})
	go c.read(done)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = f.Close()
		<-done
	})
	text := stage.Display == "" // a flood, perhaps
	c.until("what is shared", func(g *screen.TextGrid) bool {
		return strings.Contains(written(g), "BROWSE") && (red(g) != 0 || text && len(strings.Fields(written(g))) > tall.Y)
	})
	c.joined = time.Since(began)
	return c
}

// tall is the terminal of a console.
var tall = image.Pt(160, 48)

func (c *thin) read(done chan<- struct{}) {
	defer close(done)
	buf := make([]byte, 1<<16)
	for {
		n, err := c.f.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		_, _ = c.term.Write(buf[:n])
		if v, ok := tenths(c.term.Grid()); ok && (len(c.clock) == 0 || c.clock[len(c.clock)-1].tenths != v) {
			c.clock = append(c.clock, reading{v, time.Now()})
		}
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

// until looks at the terminal whenever something was written to it.
func (c *thin) until(what string, ok func(*screen.TextGrid) bool) {
	c.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		c.mu.Lock()
		g := c.term.Grid()
		c.mu.Unlock()
		if ok(g) {
			return
		}
		select {
		case <-c.changed:
		case <-late:
			c.t.Fatalf("waited in vain for %s; the console shows:\n%s", what, written(g))
		}
	}
}

func (c *thin) press(key string) {
	c.t.Helper()
	if _, err := c.f.WriteString(key); err != nil {
		c.t.Fatal(err)
	}
}

// typeKeys presses keys, each after the one before was seen, and says how long each took to the program and to the terminal.
func (c *thin) typeKeys(file string, keys int) (played, echoes []time.Duration) {
	c.t.Helper()
	var pressed []time.Time
	for i := range keys {
		pressed = append(pressed, time.Now())
		c.press("x")
		c.until(fmt.Sprintf("the echo of key %d", i+1), func(g *screen.TextGrid) bool {
			if i%2 == 0 {
				return red(g) < 0
			}
			return red(g) > 0
		})
		echoes = append(echoes, time.Since(pressed[i]))
		time.Sleep(150*time.Millisecond + rand.N(200*time.Millisecond))
	}
	return c.heard(file, pressed), echoes
}

// interrupts presses Ctrl+C while nothing of the bar is to be seen, and says how long each took to the program and to the terminal.
func (c *thin) interrupts(file string, times int) (played, echoes []time.Duration) {
	c.t.Helper()
	var pressed []time.Time
	for i := range times {
		c.until("the flood", func(g *screen.TextGrid) bool { return red(g) == 0 })
		time.Sleep(time.Second + rand.N(200*time.Millisecond))
		pressed = append(pressed, time.Now())
		c.press("\x03")
		c.until(fmt.Sprintf("stop %d", i+1), func(g *screen.TextGrid) bool { return red(g) != 0 && red(g) > 0 == (i%2 == 1) })
		echoes = append(echoes, time.Since(pressed[i]))
	}
	return c.heard(file, pressed), echoes
}

// heard is how long each key took to the program, which keeps the times in file.
func (c *thin) heard(file string, pressed []time.Time) (played []time.Duration) {
	c.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	times := strings.Fields(string(b))
	if len(times) != len(pressed) {
		c.t.Fatalf("%d of %d keys were heard", len(times), len(pressed))
	}
	for i, s := range times {
		played = append(played, epoch(c.t, s).Sub(pressed[i]))
	}
	return played
}

// ages is how old the clock was whenever it changed in the console; file has the times of its tenths. A reading of two pictures at once
// is none that was shown at the customer's, or far off, and is left out.
func (c *thin) ages(file string, since time.Time) (ages []time.Duration) {
	c.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	shown := strings.Fields(string(b))
	c.mu.Lock()
	defer c.mu.Unlock()
	newest := -1
	for _, r := range c.clock {
		if r.tenths <= newest || r.tenths >= len(shown) {
			continue
		}
		if age := r.at.Sub(epoch(c.t, shown[r.tenths])); age > 0 && age < time.Minute {
			newest = r.tenths
			if r.at.After(since) {
				ages = append(ages, age)
			}
		}
	}
	if len(ages) == 0 {
		c.t.Errorf("the clock was not read; the console shows:\n%s", written(c.term.Grid()))
	}
	return ages
}

// tenths reads the clock.
func tenths(g *screen.TextGrid) (v int, ok bool) {
	top, left, right := -1, 0, 0
	for y, row := range g.Rows {
		for x, cell := range row.Cells {
			if hue(cell.Style.Bg) != 0 {
				if top < 0 {
					top, left = y, x
				}
				right = max(right, x+1)
			}
		}
	}
	if top < 0 || top+clockRow >= len(g.Rows) {
		return 0, false
	}
	for i := range clockBits {
		x := left + (2*i+1)*clockBlock*(right-left)/(2*wide)
		r, green, b, ok := g.Rows[top+clockRow].Cells[x].Style.Bg.RGB()
		if !ok {
			return 0, false
		}
		v <<= 1
		if int(green) > 60+int(max(r, b)) {
			v |= 1
		}
	}
	return v, true
}

// epoch reads what bash calls EPOCHREALTIME.
func epoch(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.UnixMicro(int64(at * 1e6))
}

// written is what can be read on a terminal.
func written(g *screen.TextGrid) string {
	var b strings.Builder
	for _, r := range g.Rows {
		b.WriteString(r.Text() + "\n")
	}
	return b.String()
}

// red is how many more cells are red than blue: the bar's colour.
func red(g *screen.TextGrid) (n int) {
	for _, row := range g.Rows {
		for _, cell := range row.Cells {
			n += hue(cell.Style.Bg)
		}
	}
	return n
}

// hue is 1 for red, -1 for blue.
func hue(c screen.Colour) int {
	r, g, b, ok := c.RGB()
	n, of16 := c.Palette()
	switch {
	case of16 && n == 1:
		return 1
	case of16 && n == 4:
		return -1
	case !ok:
	case r > 120 && g < 60 && b < 60:
		return 1
	case b > 120 && g < 60 && r < 60:
		return -1
	}
	return 0
}

// percentile is one of d, in ms.
func percentile(d []time.Duration, percent int) int64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, len(d)*percent/100)].Milliseconds()
}
