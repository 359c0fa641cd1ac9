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

	lateLeast  = 3               // answers that are late in a row shrink the window
	takesSpan  = 3 * time.Second // how far back what the terminal takes is judged by,
	takesLeast = 4               // samples of that time, at least,
	takesMost  = 16              // and at most
	largeWrite = 512             // bytes; shorter writes say nothing
	quickTakes = 1 << 20         // bytes a second: no picture waits for that
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
	took      []taken       // the newest, oldest first
	fastest   time.Duration // answer ever
	sent      uint64
	confirmed uint64
	asking    bool
	askedAt   time.Time
	askedFor  uint64    // what was sent when it was asked
	full      bool      // the window was, since the last answer
	first     time.Time // write since what was confirmed
	deaf      int
	behind    int // answers in a row that were late
}

// taken is that the terminal took so many bytes in so long.
type taken struct {
	at   time.Time // the end
	n    int
	wait time.Duration
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
		p.note(taken{now, n, dt})
	}
	switch behind := took - p.fastest; {
	case behind > 2*ahead:
		if p.behind++; p.behind < lateLeast { // one or two say that the machine is busy
			break
		}
		p.window = max(leastWindow, int(float64(p.limit())*float64(p.fastest+ahead)/float64(took)))
	case behind < ahead && p.full:
		p.window = min(mostWindow, 2*p.limit())
		fallthrough
	default:
		p.behind = 0
	}
	p.full = false
}

// wrote notes that n bytes were written by now, and how long that took.
func (p *pace) wrote(now time.Time, n int, took time.Duration) {
	p.sent += uint64(n)
	if p.answers {
		return
	}
	p.confirmed = p.sent
	if n >= largeWrite {
		p.note(taken{now, n, max(took, time.Microsecond)})
	}
	switch {
	case took > ahead:
		p.window = max(leastWindow, p.limit()/2)
	case took < ahead/4 && n >= p.budget():
		p.window = min(mostWindow, 2*p.limit())
	}
}

func (p *pace) note(t taken) {
	if len(p.took) == takesMost {
		p.took = append(p.took[:0], p.took[1:]...)
	}
	p.took = append(p.took, t)
}

// takes is how many bytes a second the terminal takes, 0 where it is not the limit. A slow terminal is slow each time; on a busy
// machine, which lets now this and now that wait, it is not. So of answers, which say what was drawn, the quickest counts, and of
// writes, which end in a buffer, all bytes and all the waiting of the last seconds.
func (p *pace) takes(now time.Time) int {
	count, bytes, waited, quickest := 0, 0, time.Duration(0), 0.0
	for _, t := range p.took {
		if now.Sub(t.at) < takesSpan {
			count, bytes, waited = count+1, bytes+t.n, waited+t.wait
			quickest = max(quickest, float64(t.n)/t.wait.Seconds())
		}
	}
	rate := quickest
	if !p.answers && waited > 0 {
		rate = float64(bytes) / waited.Seconds()
	}
	if count < takesLeast || rate > quickTakes {
		return 0
	}
	return int(rate)
}
