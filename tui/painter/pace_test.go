package painter

import (
	"math/rand/v2"
	"testing"
	"time"
)

// answering plays a terminal that draws rate bytes a second and answers questions, for lasts, on a machine that lets an answer
// wait for up to jitter; the painter always has more. It returns what the terminal is said to take.
func answering(rate int, jitter, lasts time.Duration) int {
	now, dice := time.Unix(100, 0), rand.New(rand.NewPCG(1, 2))
	p := &pace{answers: true, fastest: 2 * time.Millisecond}
	drawn := now       // when it will have drawn all
	var due *time.Time // of the answer
	for end := now.Add(lasts); now.Before(end); now = now.Add(time.Millisecond) {
		if due != nil && !now.Before(*due) {
			p.answered(now)
			due = nil
		}
		for p.wait(now) == 0 && p.waiting() < mostWindow/2 {
			n := p.budget()
			if drawn.Before(now) {
				drawn = now
			}
			drawn = drawn.Add(time.Duration(n) * time.Second / time.Duration(rate))
			if p.ask(now, n) {
				at := drawn.Add(2 * time.Millisecond)
				if jitter > 0 {
					at = at.Add(time.Duration(dice.Int64N(int64(jitter))))
				}
				due = &at
			}
			p.wrote(now, n, time.Microsecond)
		}
	}
	return p.takes(now)
}

func TestOnlyASlowTerminalIsSlow(t *testing.T) {
	if got := answering(50_000, 0, 5*time.Second); got < 40_000 || got > 60_000 {
		t.Errorf("a terminal of 50 KB/s takes %d", got)
	}
	if got := answering(50_000, 100*time.Millisecond, 5*time.Second); got < 40_000 || got > 200_000 {
		t.Errorf("the same on a busy machine: %d", got)
	}
	if got := answering(20_000_000, 200*time.Millisecond, 5*time.Second); got != 0 && got < 500_000 {
		t.Errorf("a quick terminal on a busy machine takes %d", got)
	}
	p := &pace{answers: true, took: []taken{{time.Unix(100, 0), 4000, time.Second}}}
	if got := p.takes(time.Unix(100, 0)); got != 0 {
		t.Errorf("judged by one answer: %d", got)
	}
}

func TestWritesThatWaitNowAndThenAreNoSlowTerminal(t *testing.T) {
	write := func(waits func(i int) time.Duration) (p pace, now time.Time) {
		now = time.Unix(100, 0)
		for i := range 40 {
			took := waits(i)
			now = now.Add(took + 66*time.Millisecond)
			p.wrote(now, 4000, took)
		}
		return p, now
	}
	busy, now := write(func(i int) time.Duration {
		if i%10 == 0 {
			return 70 * time.Millisecond
		}
		return 50 * time.Microsecond
	})
	if got := busy.takes(now); got != 0 && got < 300_000 {
		t.Errorf("a busy machine: %d", got)
	}
	slow, now := write(func(int) time.Duration { return 80 * time.Millisecond })
	if got := slow.takes(now); got != 50_000 {
		t.Errorf("4000 bytes in 80 ms: %d", got)
	}
	if got := slow.takes(now.Add(takesSpan)); got != 0 {
		t.Errorf("long ago: %d", got)
	}
}
