package sessiontest

import (
	"fmt"
	"image"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// thinnest is the line on which a session stays usable.
var thinnest = transporttest.Conditions{Delay: 300 * time.Millisecond, Rate: 16_000 / 8, Queue: time.Second}

// scrolls paints something like a terminal in which 50 lines a second appear, until stop is closed.
func scrolls(d *Display, stop <-chan struct{}, done chan<- struct{}) {
	const (
		line    = 12 // pixels
		at      = 5  // lines at a time
		letter  = 6
		perTick = time.Second / 10
	)
	defer close(done)
	dice := rand.New(rand.NewPCG(1, 2))
	pix, stride := make([]byte, d.size.X*d.size.Y*4), d.size.X*4
	for {
		copy(pix, pix[at*line*stride:])
		for y := d.size.Y - at*line; y < d.size.Y; y += line {
			for x := 0; x < d.size.X; x += letter {
				shade := byte(dice.IntN(3) * 100)
				for i := range line * letter {
					p := pix[(y+i/letter)*stride+(x+i%letter)*4:]
					p[0], p[1], p[2] = shade, shade, shade
				}
			}
		}
		d.Show(pix, screen.Damage{{Max: d.size}})
		select {
		case <-stop:
			return
		case <-time.After(perTick):
		}
	}
}

// TestJoinsAThinLineWhileThePictureMoves: two consoles behind one line of 16 kbit/s and 600 ms join while the display scrolls and
// others come and talk. They get in, see pictures every few seconds and stay in contact.
func TestJoinsAThinLineWhileThePictureMoves(t *testing.T) {
	Sim(t, 1, func(t *testing.T, r *Relay) { joinsThin(t, r, 2, 2) })
}

func joinsThin(t *testing.T, r *Relay, behind, others int) {
	display := NewDisplay(480, 270)
	h := r.NewHost(func(c *host.Config) {
		c.Answer = &host.AutoAnswer{Allow: everything}
		c.Source = display
	})
	stop, done := make(chan struct{}), make(chan struct{})
	go scrolls(display, stop, done)
	defer func() { close(stop); <-done }()
	path := r.net.newPath(thinnest)
	seen := make(chan stay, behind)
	for i := range behind {
		conf := r.Config(r.NewAgent(fmt.Sprintf("b%d@acme", i)), h.Code)
		conf.Options = r.options(path)
		go func() { seen <- staysOver(t, conf, 40*time.Second) }()
		time.Sleep(7 * time.Second)
	}
	for i := range others {
		o := Run(t, agent.Join(r.Config(r.NewAgent(fmt.Sprintf("o%d@acme", i)), h.Code)))
		o.Phase(console.In)
		o.LookAll(image.Pt(160, 90))
		time.Sleep(5 * time.Second)
		o.Do(console.Say{Lane: chat.Everyone, Text: strings.Repeat("what I see here is like this ", 10)})
	}
	for range behind {
		s := <-seen
		t.Logf("in after %v, the first picture %v later, the longest pause between two %v; contact lost %d times", s.in, s.first, s.gap, s.lost)
		if s.lost > 0 || s.in == 0 || s.first == 0 || s.gap > 8*time.Second {
			t.Error("that is no session")
		}
	}
}

// stay is what it was like to be in a session.
type stay struct {
	in, first, gap time.Duration // until it was in, from then to the first picture, the longest pause between two
	lost           int           // how often contact was
}

// staysOver joins as the program does, which asks for another viewport as soon as it knows more, and looks for so long.
func staysOver(t *testing.T, conf agent.Config, lasts time.Duration) (s stay) {
	began := time.Now()
	c := Run(t, agent.Join(conf))
	var in, newest time.Time
	seq, looks, phase := uint64(0), 0, console.Connecting
	for now := began; in.IsZero() && now.Sub(began) < 2*time.Minute || now.Sub(in) < lasts; now = time.Now() {
		select {
		case <-c.Changed():
		case <-time.After(100 * time.Millisecond):
		}
		st, now := c.State(), time.Now()
		if st.Phase != phase {
			if phase = st.Phase; phase == console.Lost || phase == console.Over {
				s.lost++
				t.Logf("%v: %s", now.Sub(began), st.Why)
			}
		}
		if in.IsZero() && st.Phase == console.In {
			in, newest = now, now
			s.in = now.Sub(began)
		}
		if looks < 2 && st.Display.Size.X > 0 {
			c.Look(screen.Viewport{Region: image.Rectangle{Max: st.Display.Size}, Grid: image.Pt(158, 86+looks)})
			looks++
		}
		if p := c.Picture(); p != nil && p.Seq != seq {
			if seq == 0 {
				s.first = now.Sub(in)
			} else {
				s.gap = max(s.gap, now.Sub(newest))
			}
			seq, newest = p.Seq, now
		}
	}
	return s
}

// TestComesBackOverAThinLine: a line of 16 kbit/s and 600 ms that was cut while the display scrolled is found again, although the host
// went on sending for a while.
func TestComesBackOverAThinLine(t *testing.T) {
	Sim(t, 1, func(t *testing.T, r *Relay) {
		display := NewDisplay(480, 270)
		h := r.NewHost(func(c *host.Config) {
			c.Answer = &host.AutoAnswer{Allow: everything}
			c.Source = display
		})
		stop, done := make(chan struct{}), make(chan struct{})
		go scrolls(display, stop, done)
		defer func() { close(stop); <-done }()
		conf, path := r.Behind(r.NewAgent("max@acme"), h.Code, thinnest)
		c := Run(t, agent.Join(conf))
		c.Phase(console.In)
		c.LookAll(image.Pt(158, 88))
		c.Sees("a picture", func(*screen.Picture) bool { return true })
		time.Sleep(10 * time.Second)
		path.Set(down)
		c.Phase(console.Lost)
		time.Sleep(7 * time.Second)
		path.Set(thinnest)
		back := time.Now()
		c.Phase(console.In)
		seq := c.Picture().Seq
		c.Sees("another picture", func(p *screen.Picture) bool { return p.Seq > seq })
		t.Logf("the next picture after %v", time.Since(back))
	})
}
