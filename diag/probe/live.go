package probe

import (
	"context"
	"time"

	"assist/diag"
)

// Every is how often live values are told.
const Every = time.Second

// tally is the counters from which live values are made, at one time.
type tally struct {
	at                    time.Time
	load                  float64
	busy, all             float64 // of the processors, in ticks or seconds
	memory, swap          float64 // percent
	read, written         float64 // bytes of all disks
	received, transmitted float64 // bytes of all interfaces but loopback
}

// Live tells the live values each second until ctx ends or each returns an error, which is returned.
func (m *Machine) Live(ctx context.Context, each func(diag.Sample) error) error {
	last, err := m.tally(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := m.tally(ctx)
		if err != nil {
			return err
		}
		if err := each(between(last, now)); err != nil {
			return err
		}
		last = now
	}
}

// between makes live values of two looks at the counters.
func between(a, b tally) diag.Sample {
	dt := max(b.at.Sub(a.at).Seconds(), 0.001)
	rate := func(was, is float64) float64 { return max(0, is-was) / dt } // a device that went takes its counter along
	return diag.Sample{
		At: b.at.Round(0).UTC().Truncate(time.Millisecond), Load: b.load, CPU: percent(b.busy-a.busy, b.all-a.all), Memory: b.memory, Swap: b.swap,
		DiskRead: rate(a.read, b.read), DiskWrite: rate(a.written, b.written),
		NetIn: rate(a.received, b.received), NetOut: rate(a.transmitted, b.transmitted),
	}
}
