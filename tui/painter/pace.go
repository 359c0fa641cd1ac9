package painter

import "time"

// How much is written at once, and how much may be on its way. A picture of which more waits inside ssh or the kernel than the
// terminal takes in a moment holds up everything that comes behind it.
const (
	leastBudget = 1 << 10
	mostBudget  = 32 << 10
	firstWindow = 16 << 10
	leastWindow = 4 << 10
	mostWindow  = 1 << 20
	ahead       = 50 * time.Millisecond // the terminal may be so far behind before the window stops growing, and twice before it shrinks
	askEvery    = 50 * time.Millisecond
	silent      = 2 * time.Second // without an answer, and the terminal is taken not to answer this time
	deafAfter   = 3               // times in a row, and it is not asked any more
)

// pace says how much of the picture may be written now. Where the terminal answers questions, its answers say how far it has
// come: as long as they come about as fast as ever the window grows, when they fall behind it shrinks, so that what is on its
// way is what the terminal takes in about a tenth of a second, on any line. Where it does not answer, a terminal that takes less
// than it is given makes writes wait, and that is all there is. It belongs to whoever holds the painter's lock.
type pace struct {
	answers bool // the terminal has answered a question about a mode
	late    bool // the picture waits
	more    bool // of the picture differs still

	window    int
	rate      int           // bytes a second, smoothed, while the window was full; 0: it never was
	fastest   time.Duration // answer ever
	sent      uint64
	confirmed uint64
	asking    bool
	askedAt   time.Time
	askedFor  uint64    // what was sent when it was asked
	full      bool      // the window was, since the last answer
	first     time.Time // write since what was confirmed
	deaf      int
}

// budget is how many bytes of the picture go into the next write.
func (p *pace) budget() int { return max(leastBudget, min(mostBudget, p.limit()/8)) }

func (p *pace) limit() int {
	if p.window == 0 {
		p.window = firstWindow
	}
	return p.window
}

func (p *pace) waiting() int { return int(p.sent - p.confirmed) }

// wait is how long the picture has to wait for the terminal; 0: not at all.
func (p *pace) wait(now time.Time) time.Duration {
	p.late = false
	if !p.answers || !p.asking || p.waiting() < p.limit() {
		return 0
	}
	if left := p.askedAt.Add(silent).Sub(now); left > 0 {
		p.late, p.full = true, true
		return left
	}
	p.asking, p.confirmed = false, p.sent
	if p.deaf++; p.deaf >= deafAfter {
		p.answers = false
	}
	return 0
}

// ask says whether the next write of n bytes should end with a question.
func (p *pace) ask(now time.Time, n int) bool {
	if p.waiting() == 0 {
		p.first = now
	}
	if !p.answers || p.asking || now.Sub(p.askedAt) < askEvery && p.waiting()+n < p.limit()/2 {
		return false
	}
	p.asking, p.askedAt, p.askedFor = true, now, p.sent+uint64(n)
	return true
}

// answered takes the terminal's answer: all that was sent before the question has arrived.
func (p *pace) answered(now time.Time) {
	p.deaf = 0
	if !p.answers {
		p.answers, p.confirmed = true, p.sent
		return
	}
	if !p.asking {
		return
	}
	n, dt := int(p.askedFor-p.confirmed), now.Sub(p.first)
	p.asking, p.confirmed, p.first = false, p.askedFor, now
	took := now.Sub(p.askedAt)
	if p.fastest == 0 || took < p.fastest {
		p.fastest = max(took, time.Millisecond)
	}
	if p.full && dt > 0 {
		p.rate += (int(float64(n)/dt.Seconds()) - p.rate) / 2
	}
	switch behind := took - p.fastest; {
	case behind > 2*ahead:
		p.window = max(leastWindow, int(float64(p.limit())*float64(p.fastest+ahead)/float64(took)))
	case behind < ahead && p.full:
		p.window = min(mostWindow, 2*p.limit())
	}
	p.full = false
}

// wrote notes that n bytes were written, and how long that took.
func (p *pace) wrote(n int, took time.Duration) {
	p.sent += uint64(n)
	if p.answers {
		return
	}
	p.confirmed = p.sent
	switch {
	case took > ahead:
		p.window = max(leastWindow, p.limit()/2)
		p.rate += (int(float64(n)/took.Seconds()) - p.rate) / 2
	case took < ahead/4 && n >= p.budget():
		p.window = min(mostWindow, 2*p.limit())
	}
}
