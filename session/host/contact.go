package host

import (
	"time"

	"assist/session"
	"assist/session/inner"
	"assist/transport"
)

// How often it is looked whether contact with the agents is lost, for the customer to know. A heartbeat comes every 2 s and a round trip,
// and more when one is missed.
const (
	lookEvery  = 500 * time.Millisecond // while somebody is missed or nobody is there
	lookSeldom = time.Second            // else, or when somebody would be missed next
	lookLeast  = 20 * time.Millisecond
)

// contact is since when others do not answer; zero: they do.
type contact struct {
	lost    time.Time // no agent that is in
	noRelay time.Time // the relay
}

// lookForContact finds out whether any agent is heard, and says when to look again. It stays lost while their seats are held
// and none is back.
func (l *loop) lookForContact(now time.Time) (again time.Duration) {
	var newest time.Time
	long, next := transport.LostAfter, now.Add(lookSeldom)
	for _, c := range l.consoles {
		if c.link.Stranded() {
			c.bye(inner.CloseNoPath, "this host takes direct paths only, and none was found")
		}
		line := c.link.Line()
		if way := c.link.Way(); way != c.way {
			c.way = way
			l.h.log.Info("path", "console", c.id, "path", way.Path, "why", way.Why, "rtt", line.Base)
		}
		long = max(long, line.Patience())
		switch gone := latest(line.Heard, c.came).Add(silence + 2*line.Base + 2*line.Thin); {
		case gone.Before(now):
			_ = c.control.SetReadDeadline(now) // its reader says what that means
		case gone.Before(next):
			next = gone
		}
		if heard := c.link.LastHeard(); c.in && heard.After(newest) {
			newest = heard
		}
	}
	if lost := newest.Add(long); lost.Before(next) {
		next = lost
	}
	switch {
	case newest.IsZero() && l.seatsHeld():
		if l.contact.lost.IsZero() {
			l.contact.lost = now
		}
	case newest.IsZero() || now.Sub(newest) < long:
		l.contact.lost = time.Time{}
	case l.contact.lost.IsZero():
		l.contact.lost = newest
	}
	if len(l.consoles) == 0 || !l.contact.lost.IsZero() {
		return lookEvery
	}
	return max(next.Sub(now), lookLeast)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// seatsHeld says whether an agent is expected back.
func (l *loop) seatsHeld() bool {
	for _, m := range l.sess.Roster().Members {
		if m.Presence == session.Reconnecting {
			return true
		}
	}
	return false
}
