package transport

import "time"

// When a line counts as one that loses packets, and when no longer.
const (
	lossSpan   = 10 * time.Second
	lossLeast  = 2     // packets in that time
	lossShare  = 0.003 // of the packets
	cleanFor   = 30 * time.Second
	fullQueue  = 60 * time.Millisecond // packets that are lost while so much waits were too many for the line
	losesEvery = time.Second           // between two looks
)

// Losses watches a line for packets that are lost although it has room. The zero value has seen none. It is pure: time is passed in.
type Losses struct {
	Lossy bool

	marks  []lineMark // the last seconds
	newest time.Time  // loss
	pushed uint64     // packets lost by too full a queue
}

type lineMark struct {
	at         time.Time
	sent, lost uint64
}

// Look takes what the line says now; changed: Lossy is another.
func (l *Losses) Look(now time.Time, line Line) (changed bool) {
	n := len(l.marks)
	if n > 0 && now.Sub(l.marks[n-1].at) < losesEvery {
		return false
	}
	if n > 0 && line.Lost-l.pushed > l.marks[n-1].lost {
		if line.Queue > max(fullQueue, line.Base/2) {
			l.pushed = line.Lost - l.marks[n-1].lost
		} else {
			l.newest = now
		}
	}
	l.marks = append(l.marks, lineMark{now, line.Sent, line.Lost - l.pushed})
	for len(l.marks) > 2 && now.Sub(l.marks[0].at) > lossSpan {
		l.marks = l.marks[1:]
	}
	first, last := l.marks[0], l.marks[len(l.marks)-1]
	lost, sent := float64(last.lost-first.lost), float64(last.sent-first.sent)
	was := l.Lossy
	switch {
	case lost >= lossLeast && lost >= lossShare*sent:
		l.Lossy = true
	case now.Sub(l.newest) > cleanFor:
		l.Lossy = false
	}
	return l.Lossy != was
}
