package transport

import (
	"testing"
	"time"
)

func TestLossyLine(t *testing.T) {
	for _, c := range []struct {
		name  string
		share float64
		queue time.Duration
		lossy bool
	}{
		{"none", 0, 0, false},
		{"one of a thousand", 0.001, 0, false},
		{"one of a hundred", 0.01, 0, true},
		{"one of twenty", 0.05, 0, true},
		{"one of twenty, because the line is full", 0.05, 300 * time.Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l Losses
			now, sent := time.Unix(0, 0), 0.0
			changes := 0
			step := func(share float64) {
				now, sent = now.Add(time.Second), sent+30
				was := l.Lossy
				l.Look(now, Line{Sent: uint64(sent), Lost: uint64(sent * share), Queue: c.queue, Base: 50 * time.Millisecond})
				if l.Lossy != was {
					changes++
				}
			}
			for range 300 {
				step(c.share)
			}
			if l.Lossy != c.lossy || changes > 1 {
				t.Errorf("lossy %v after %d changes", l.Lossy, changes)
			}
			lost := uint64(sent * c.share)
			for range 40 {
				now, sent = now.Add(time.Second), sent+30
				l.Look(now, Line{Sent: uint64(sent), Lost: lost, Base: 50 * time.Millisecond})
			}
			if l.Lossy {
				t.Error("still lossy on a line that lost nothing for 40 s")
			}
		})
	}
}
