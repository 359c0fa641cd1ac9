//go:build lab

package sessiontest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"assist/screen"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// Keys over a path of 100 ms there and back that loses packets: how old each is when it is played. On virtual time, so the
// figures say nothing of the machine.
func TestKeysDoNotWaitForLoss(t *testing.T) {
	const n = 2000
	for _, c := range []struct {
		loss        float64
		median, p99 time.Duration // one way: 50 ms less than there and back
	}{
		{0, 65 * time.Millisecond, 200 * time.Millisecond},
		{0.01, 65 * time.Millisecond, 200 * time.Millisecond},
		{0.05, 70 * time.Millisecond, 250 * time.Millisecond},
		{0.20, 80 * time.Millisecond, 350 * time.Millisecond},
		{0.29, 100 * time.Millisecond, 450 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(c.loss), func(t *testing.T) {
			Sim(t, 1, func(t *testing.T, r *Relay) {
				h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
				line := transporttest.Conditions{Delay: 50 * time.Millisecond}
				console1, path := r.behind(t, r.NewAgent("max@acme"), h, line)
				console1.Phase(console.In)
				control(t, console1)
				line.Loss = c.loss
				path.Set(line)
				took := typeKeys(t, console1, h, n)
				slices.Sort(took)
				t.Logf("median %v, p99 %v, worst %v", took[n/2], took[n*99/100], took[n-1])
				if took[n/2] > c.median || took[n*99/100] > c.p99 {
					t.Errorf("at most %v and %v", c.median, c.p99)
				}
			})
		})
	}
}

// typeKeys types n different events, ten a second, and returns how long each took to be played. It fails where one is lost,
// doubled or out of order.
func typeKeys(t *testing.T, c *Console, h *Host, n int) (took []time.Duration) {
	t.Helper()
	var sent []time.Time
	for i := range n {
		sent = append(sent, time.Now())
		if !c.Input(screen.Input{Kind: screen.KeyTap, Key: screen.Key('!' + i%90)}) {
			t.Fatalf("key %d was refused: %+v", i, c.State())
		}
		time.Sleep(100 * time.Millisecond)
	}
	played := h.Recorder.Wait(t, "all keys", func(evs []screen.Input) bool { return len(keys(evs)) >= n })
	at := h.Recorder.Times()
	for j, ev := range played {
		if ev.Kind != screen.KeyTap {
			continue
		}
		i := len(took)
		if want := screen.Key('!' + i%90); i >= n || ev.Key != want {
			t.Fatalf("key %d is %c, want %c", i, ev.Key, want)
		}
		took = append(took, at[j].Sub(sent[i]))
	}
	return took
}
