//go:build lab

package sessiontest

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// TestBenchLoss lets a small part of the display change all the time over a path that loses packets, and prints how old the
// newest picture at the console is, looked at every millisecond. It fails over the targets of issue 6: at 50 ms RTT at most
// 5 ms over the floor at 1 % loss, 10 ms at 5 %.
func TestBenchLoss(t *testing.T) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "loss each way\tpictures\tage p50 ms\tp99\tworst\tB/s down\tpictures with a history\t")
	defer out.Flush()
	var floor time.Duration
	for _, loss := range []float64{0, 0.01, 0.05} {
		Sim(t, 3, func(t *testing.T, r *Relay) {
			m := measureLoss(t, r, transporttest.Conditions{Delay: 25 * time.Millisecond, Loss: loss})
			fmt.Fprintf(out, "%.0f %%\t%d\t%.1f\t%.1f\t%.1f\t%.0f\t%v\t\n", 100*loss, m.pictures, float64(at(m.ages, 50).Microseconds())/1000,
				float64(at(m.ages, 99).Microseconds())/1000, float64(at(m.ages, 100).Microseconds())/1000, m.down, !m.separate)
			p99 := at(m.ages, 99)
			switch loss {
			case 0:
				floor = p99
			case 0.01:
				over(t, loss, p99, floor+5*time.Millisecond)
			default:
				over(t, loss, p99, floor+10*time.Millisecond)
			}
		})
	}
}

func over(t *testing.T, loss float64, p99, limit time.Duration) {
	if p99 > limit {
		t.Errorf("at %.0f %% loss the newest picture is up to %v old (p99), %v allowed", 100*loss, p99, limit)
	}
}

type lossy struct {
	ages     []time.Duration
	pictures uint64
	down     float64
	separate bool
}

// TestBenchBeside gets a file over a line of 20 Mbit/s while the display changes. It fails over the target of issue 6: the
// pictures take at most 60 ms from capture to console (p99), at 70 % use of the line or more.
func TestBenchBeside(t *testing.T) {
	const rate = 20_000_000 / 8
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), make([]byte, 40*rate), 0o600))
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer out.Flush()
	fmt.Fprintln(out, "20 Mbit/s, 50 ms RTT\tpictures\tlatency p50 ms\tp99\tworst\tof the line used\t")
	for _, file := range []bool{false, true} {
		Sim(t, 3, func(t *testing.T, r *Relay) {
			m := measureBeside(t, r, transporttest.Conditions{Delay: 25 * time.Millisecond, Rate: rate}, dir, file)
			name := map[bool]string{false: "pictures alone", true: "beside a file"}[file]
			use := m.down / rate
			fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%.0f %%\t\n", name, m.pictures, ms(at(m.ages, 50)), ms(at(m.ages, 99)), ms(at(m.ages, 100)), 100*use)
			if p99 := at(m.ages, 99); file && (p99 > 60*time.Millisecond || use < 0.7) {
				t.Errorf("pictures take up to %v (p99) at %.0f %% use", p99, 100*use)
			}
		})
	}
}

// measureBeside takes the time from capture to console of each picture.
func measureBeside(t *testing.T, r *Relay, path transporttest.Conditions, dir string, file bool) (m lossy) {
	h := r.NewHost(func(c *host.Config) {
		c.Files = dir
		c.Answer = &host.AutoAnswer{Allow: session.AllGrants}
	})
	conf, line := r.Behind(r.NewAgent("max@acme"), h.Code, path)
	c := Run(t, agent.Join(conf))
	c.Phase(console.In)
	c.LookAll(image.Pt(160, 120))
	stop, done := make(chan struct{}), make(chan struct{})
	go busyTerminal(h, stop, done)
	c.Sees("a picture", func(*screen.Picture) bool { return true })
	got := make(chan error, 1)
	if file {
		c.Do(console.AskGrants{Grants: session.File})
		c.Wait("the grant for files", func(st console.State) bool {
			me, _ := st.Roster.Member(st.Self)
			return me.Grants.Has(session.File)
		})
		go func() {
			_, err := get(t, c, "file", t.TempDir())
			got <- err
		}()
	}
	time.Sleep(5 * time.Second)
	seq, start := c.Picture().Seq, time.Now()
	_, before := line.Carried()
	const lasts = 25 * time.Second
	for time.Since(start) < lasts {
		time.Sleep(time.Millisecond)
		if p := c.Picture(); p.Seq != seq {
			m.pictures, seq = m.pictures+1, p.Seq
			m.ages = append(m.ages, time.Since(p.Captured))
		}
	}
	_, after := line.Carried()
	m.down = float64(after.Link-before.Link) / lasts.Seconds()
	close(stop)
	<-done
	if file {
		must(t, <-got)
	}
	return m
}

func measureLoss(t *testing.T, r *Relay, path transporttest.Conditions) (m lossy) {
	h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
	conf, line := r.Behind(r.NewAgent("max@acme"), h.Code, path)
	c := Run(t, agent.Join(conf))
	c.Phase(console.In)
	c.LookAll(image.Pt(160, 120))
	stop, done := make(chan struct{}), make(chan struct{})
	go busyTerminal(h, stop, done)
	c.Sees("a picture", func(*screen.Picture) bool { return true })
	time.Sleep(30 * time.Second) // until the loss is known
	seq, start := uint64(0), time.Now()
	_, before := line.Carried()
	const lasts = 120 * time.Second
	for time.Since(start) < lasts {
		time.Sleep(time.Millisecond)
		p := c.Picture()
		if p.Seq != seq {
			m.pictures, seq = m.pictures+1, p.Seq
		}
		m.ages = append(m.ages, time.Since(p.Captured))
	}
	_, after := line.Carried()
	m.down = float64(after.Link-before.Link) / lasts.Seconds()
	m.separate = c.State().Quality.Separate
	close(stop)
	<-done
	return m
}

// busyTerminal paints something like a terminal in which lines appear, 15 a second.
func busyTerminal(h *Host, stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	dice := rand.New(rand.NewPCG(1, 2))
	for {
		at := image.Pt(dice.IntN(400), dice.IntN(400))
		h.Display.Paint(image.Rectangle{Min: at, Max: at.Add(image.Pt(160, 16))}, func(int, int) (byte, byte, byte) {
			v := byte(dice.IntN(4) * 60)
			return v, v, v
		})
		select {
		case <-stop:
			return
		case <-time.After(time.Second / 15):
		}
	}
}
