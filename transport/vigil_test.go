package transport

import (
	"testing"
	"time"
)

func TestVigil(t *testing.T) {
	const ms = time.Millisecond
	start := time.Unix(1000, 0)
	short, long := Line{Base: 40 * ms}, Line{Base: 600 * ms}
	for _, c := range []struct {
		name    string
		trouble time.Duration // ago; 0: never
		quiet   time.Duration
		line    Line
		ask     bool
		again   time.Duration
	}{
		{name: "heard just now", line: short, again: 2090 * ms},
		{name: "a heartbeat is due", quiet: 2080 * ms, line: short, again: 10 * ms},
		{name: "it is late", quiet: 2090 * ms, line: short, ask: true, again: 2090 * ms / 40},
		{name: "late on a long line", quiet: 2650 * ms, line: long, ask: true, again: 300 * ms},
		{name: "a packet was lost just now", quiet: 900 * ms, line: Line{Base: 40 * ms, Lost: 1}, again: 100 * ms},
		{name: "a packet was lost a while ago", trouble: 29 * time.Second, quiet: 900 * ms, line: short, again: 100 * ms},
		{name: "and it is quiet again", trouble: 29 * time.Second, quiet: time.Second, line: short, ask: true, again: 50 * ms},
		{name: "that is long ago", trouble: 30 * time.Second, quiet: time.Second, line: short, again: 1090 * ms},
		{name: "packets come at all times", quiet: time.Second, line: Line{Base: 40 * ms, Queue: 101 * ms}, ask: true, again: 50 * ms},
		{name: "nobody is there", quiet: 2 * time.Minute, line: short, ask: true, again: 3 * time.Second},
	} {
		var g vigil
		if c.trouble > 0 {
			g.trouble = start.Add(-c.trouble)
		}
		if ask, again := g.look(start, c.quiet, c.line); ask != c.ask || again != c.again {
			t.Errorf("%s: %v, again in %v", c.name, ask, again)
		}
	}
}
