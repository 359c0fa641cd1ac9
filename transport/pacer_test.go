package transport

import (
	"fmt"
	"testing"
	"time"
)

// line is a bottleneck with a queue without end, and the way there and back.
type line struct {
	rate float64 // bytes a second
	rtt  time.Duration
}

// onTheWay is a packet until its acknowledgement.
type onTheWay struct {
	sent, acked time.Time
	size        int
}

// carried is what a pacer did with a line.
type carried struct {
	use   float64       // share of the line
	worst time.Duration // queue in front of a packet, after the first seconds
	late  time.Duration // the same, for 99 of 100 packets
}

// drive lets a stream that always has more fill the line for a while.
func drive(p *pacer, l line, lasts time.Duration) carried {
	start := time.Unix(0, 0)
	warm := start.Add(lasts / 3)
	var flying []onTheWay
	var waits []time.Duration
	free, inFlight, sent := start, 0, 0
	for now := start; now.Before(start.Add(lasts)); now = now.Add(100 * time.Microsecond) {
		for len(flying) > 0 && !flying[0].acked.After(now) {
			inFlight -= flying[0].size
			p.told(now, flying[0].acked.Sub(flying[0].sent), inFlight)
			flying = flying[1:]
		}
		for n := p.take(minPacket, false); n > 0; n = p.take(minPacket, false) {
			size := n + header
			if free.Before(now) {
				free = now
			}
			if now.After(warm) {
				waits, sent = append(waits, free.Sub(now)), sent+size
			}
			free = free.Add(time.Duration(float64(size) / l.rate * float64(time.Second)))
			inFlight += size
			flying = append(flying, onTheWay{now, free.Add(l.rtt), size})
			p.told(now, 0, inFlight)
		}
	}
	out := carried{use: float64(sent) / l.rate / (lasts - lasts/3).Seconds()}
	counts := map[time.Duration]int{}
	for _, w := range waits {
		counts[w.Round(time.Millisecond)]++
		out.worst = max(out.worst, w)
	}
	left := len(waits) / 100
	for w := out.worst.Round(time.Millisecond); w >= 0 && left >= 0; w -= time.Millisecond {
		left -= counts[w]
		out.late = w
	}
	return out
}

func TestPacerFillsTheLineAndNotItsQueue(t *testing.T) {
	for _, c := range []struct {
		kbit int
		rtt  time.Duration
		late time.Duration
		use  float64
	}{
		{16, 600 * time.Millisecond, 600 * time.Millisecond, 0.8},
		{64, 50 * time.Millisecond, 120 * time.Millisecond, 0.8},
		{64, 600 * time.Millisecond, 150 * time.Millisecond, 0.8},
		{256, 600 * time.Millisecond, 120 * time.Millisecond, 0.8},
		{1000, 50 * time.Millisecond, 40 * time.Millisecond, 0.9},
		{1000, 600 * time.Millisecond, 40 * time.Millisecond, 0.8},
		{20000, 50 * time.Millisecond, 25 * time.Millisecond, 0.9},
		{100000, 5 * time.Millisecond, 25 * time.Millisecond, 0.9},
	} {
		t.Run(fmt.Sprintf("%d kbit %v", c.kbit, c.rtt), func(t *testing.T) {
			got := drive(newPacer(), line{float64(c.kbit) * 1000 / 8, c.rtt}, 90*time.Second)
			t.Logf("%.0f %% used, queue %v, at worst %v", 100*got.use, got.late, got.worst)
			if got.use < c.use || got.use > 1.01 {
				t.Errorf("%.0f %% of the line used, %.0f wanted", 100*got.use, 100*c.use)
			}
			if got.late > c.late {
				t.Errorf("99 of 100 packets wait up to %v, %v allowed", got.late, c.late)
			}
		})
	}
}

func TestPacerGivesAPictureRoomBesideAFile(t *testing.T) {
	p := newPacer()
	now := time.Unix(0, 0)
	for n := 1; n > 0; {
		if n = p.take(minPacket, false); n > 0 {
			p.told(now, 0, p.inFlight+n+header)
		}
	}
	if p.take(minPacket, true) == 0 {
		t.Error("a file took everything")
	}
	if p.take(minPacket, false) != 0 {
		t.Error("more than its share")
	}
}

func TestPacerForgetsALineThatChanged(t *testing.T) {
	p := newPacer()
	drive(p, line{2.5e6, 50 * time.Millisecond}, 10*time.Second)
	if p.rate < 2e6 || p.starting {
		t.Fatalf("%+v", p)
	}
	p.moved()
	p.inFlight, p.pending = 0, 0
	if p.share > firstShare || p.rate != 0 || p.base.value() != 0 {
		t.Errorf("%+v", p)
	}
}

// A share that was never used says nothing, and must not grow.
func TestPacerGrowsOnlyWhenItHoldsBack(t *testing.T) {
	p := newPacer()
	now := time.Unix(0, 0)
	for range 1000 {
		p.take(100, false)
		p.told(now, 0, 200)
		now = now.Add(50 * time.Millisecond)
		p.told(now, 50*time.Millisecond, 0)
	}
	if p.share != firstShare {
		t.Errorf("share is %d", p.share)
	}
}

// TestAThinLineIsKnownByItsHandshake: what the first packets took sets the first share, and what the line carries later shows
// whether that was a busy machine.
func TestAThinLineIsKnownByItsHandshake(t *testing.T) {
	p, now := newPacer(), time.Unix(100, 0)
	acked := func(rtt time.Duration, size int) {
		p.told(now, 0, p.inFlight+size)
		now = now.Add(rtt)
		p.told(now, rtt, p.inFlight-size)
	}
	acked(1900*time.Millisecond, minPacket)
	acked(640*time.Millisecond, 60)
	if got := p.take(4000, true); got != leastPiece || p.share > 2000 || p.thin() != 1260*time.Millisecond {
		t.Errorf("a piece of %d, a share of %d, %v longer", got, p.share, p.thin())
	}
	for range 10 {
		acked(50*time.Millisecond, 20_000)
	}
	if p.thin() != 0 || p.piece() != minPacket {
		t.Errorf("400 KB/s, and thin: %v, a piece of %d", p.thin(), p.piece())
	}
	q := newPacer()
	now = time.Unix(100, 0)
	q.told(now, 0, 100)
	q.told(now.Add(300*time.Millisecond), 300*time.Millisecond, 0)
	if q.take(4000, true) != minPacket || q.thin() != 0 {
		t.Error("a long line is thin")
	}
}
