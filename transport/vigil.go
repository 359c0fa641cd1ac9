package transport

import "time"

// When an end that says nothing is asked for a sign of life. QUIC's own heartbeat comes every 2 s and a round trip while
// nothing else does.
const (
	missedAfter = innerKeepAlive + 50*time.Millisecond // and a round trip without a packet: a heartbeat is late or lost
	waryFor     = 30 * time.Second                     // so long after one that was, another packet that was lost, or
	lateBy      = 100 * time.Millisecond               // a round trip that took so much longer than the shortest,
	waryAfter   = time.Second                          // the other end is asked after this,
	nudgeEvery  = 50 * time.Millisecond                // so often; half a round trip, of long packets where those take longer, or a fortieth of the silence, if that is more
)

// After how long without a packet of the other end contact counts as lost, for the people at both ends.
const (
	LostAfter = 2500 * time.Millisecond // more on a long line:
	lostAfar  = 2 * time.Second         // and three round trips, and two long packets there and back on a thin one
)

// Patience is that time on this line.
func (l Line) Patience() time.Duration { return max(LostAfter, lostAfar+3*l.Base+2*l.Thin) }

// vigil makes contact over a line that loses or delays packets last, so that it is not taken for a broken one. A clean line
// costs no packet by it.
type vigil struct {
	trouble time.Time // the newest
	lost    uint64    // of Line, when it was looked at last
}

// keepVigil runs until the link is over.
func (l *Link) keepVigil() {
	var g vigil
	begun := time.Now()
	timer := time.NewTimer(waryAfter)
	defer timer.Stop()
	for {
		select {
		case <-l.Done():
			return
		case <-timer.C:
		}
		now, line := time.Now(), l.Line()
		heard := line.Heard
		if heard.Before(begun) {
			heard = begun
		}
		ask, again := g.look(now, now.Sub(heard), line)
		if ask {
			l.nudge()
		}
		timer.Reset(again)
	}
}

// look says whether to ask the other end, which was not heard for a while, and when to look again.
func (g *vigil) look(now time.Time, quiet time.Duration, line Line) (ask bool, again time.Duration) {
	after := missedAfter + line.Base
	if quiet >= after || line.Lost > g.lost || line.Queue > lateBy {
		g.trouble = now
	}
	g.lost = line.Lost
	if now.Sub(g.trouble) < waryFor {
		after = waryAfter
	}
	if quiet < after {
		return false, after - quiet
	}
	return true, max(nudgeEvery, line.Base/2, line.Thin/2, quiet/40)
}
