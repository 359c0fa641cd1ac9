package host

import (
	"time"

	"assist/screen"
	"assist/screen/codec"
	"assist/transport"
)

// What the judge aims at.
const (
	soon       = 250 * time.Millisecond // that a picture may take the line
	sooner     = 100 * time.Millisecond // for screen.Fast
	sliceTime  = time.Second            // one message of a large picture takes the line at most so long
	smallFrom  = time.Second            // the roughest picture takes longer: the grid is halved
	wholeAfter = 3 * time.Second        // of rest the grid is whole again,

	wholeIfQuick = 30                     // or after so many pictures that would have fitted
	mendAfter    = 400 * time.Millisecond // of rest what was rough is sent exactly
	thinMends    = 2 * time.Second        // the same, for screen.Thin
	thinPace     = 500 * time.Millisecond // between two pictures of screen.Thin
	thinLine     = 16e3                   // bytes a second: pictures keep their history, whatever is lost
	plenty       = 2e6                    // bytes a second: a line that carries so much is no reason for anything
	raw          = 3                      // bytes of an update before compression, for each after it
	leastSlice   = 2000                   // bytes of an update before compression
	whyLasts     = 2 * time.Second        // what was rough a moment ago is still said
	slowFor      = 2 * time.Second        // a terminal is called slow
)

// levels are how rough a moving picture may be, and what it then costs.
var levels = [...]struct {
	tolerance int
	coarse    bool
	cost      float64
}{{0, false, 1}, {8, false, 0.7}, {8, true, 0.5}, {16, true, 0.4}, {24, true, 0.3}}

// terms are how pictures are made for one viewer.
type terms struct {
	tune     codec.Tuning
	level    int
	every    time.Duration
	shrink   int
	separate bool
}

// judge decides for one viewer how its pictures are made: by what the link carries and loses, by what the terminal takes,
// and by what the viewer wants. It is pure: time and measurements are passed in.
type judge struct {
	pin   screen.Pin
	drawn time.Duration // what the terminal needs for a picture; 0: it is not the limit
	slack time.Time     // when that was less than the pace, last

	carries float64 // bytes a second; 0: nobody knows, so everything
	known   bool    // somebody knew once
	looked  time.Time
	perMark float64          // bytes that a marked pixel takes in an exact picture
	loss    transport.Losses // while it is lossy pictures are made separate
	shrink  int
	slow    int       // pictures in a row that were too large for the line at their roughest
	quick   int       // that would take the line half of that on the whole grid
	pressed time.Time // the line was the reason
	base    time.Duration
}

func newJudge() *judge { return &judge{perMark: 0.25, shrink: 1} }

// look takes what the link says. It says whether pictures must be made in another way from now on.
func (j *judge) look(now time.Time, l transport.Line) (anew bool) {
	dt := min(now.Sub(j.looked), time.Second).Seconds()
	if j.looked.IsZero() {
		dt = 0
	}
	j.looked, j.base = now, l.Base
	switch {
	case l.Full && l.Rate > 0:
		j.carries = l.Rate
	case !j.known && l.First-l.Base > 60*time.Millisecond: // the first packets are long ones
		j.carries = 2 * 1300 / (l.First - l.Base).Seconds()
	case l.Busy:
		j.carries *= 1 + dt/10 // it carries what it is given: perhaps more
	}
	j.known = j.known || j.carries > 0
	if j.carries > plenty {
		j.carries = 0
	}
	if j.carries > 0 && j.carries < thinLine { // twice the bytes would cost more than what is lost
		was := j.loss.Lossy
		j.loss = transport.Losses{}
		return was
	}
	return j.loss.Look(now, l)
}

// goal is how long a picture may take the line; 0: as long as it takes.
func (j *judge) goal() time.Duration {
	switch j.pin {
	case screen.Sharp:
		return 0
	case screen.Fast:
		return sooner
	}
	return soon
}

// choose says how a picture is made of so many marked pixels.
func (j *judge) choose(now time.Time, marked int) terms {
	t := terms{every: max(pace, j.drawn*6/5), shrink: j.shrink, separate: j.loss.Lossy}
	least := 0
	if j.pin == screen.Thin {
		least, t.every = 3, max(t.every, thinPace)
	}
	t.level = least
	if goal := j.goal().Seconds(); goal > 0 && j.carries > 0 {
		for t.level < len(levels)-1 && j.cost(marked, t.level) > j.carries*goal {
			t.level++
		}
		t.tune.Limit = max(leastSlice, int(j.carries*sliceTime.Seconds()*raw))
	}
	if l := levels[t.level]; t.level > 0 {
		t.tune.Tolerance, t.tune.Coarse = l.tolerance, l.coarse
	}
	if t.level > least {
		j.pressed = now
	}
	return t
}

// mend says how what is rough is sent exactly.
func (j *judge) mend() codec.Tuning {
	if j.carries == 0 {
		return codec.Tuning{}
	}
	return codec.Tuning{Limit: max(leastSlice, int(j.carries*sliceTime.Seconds()*raw))}
}

// mends is after how much rest.
func (j *judge) mends() time.Duration {
	if j.pin == screen.Thin {
		return thinMends
	}
	return mendAfter
}

func (j *judge) cost(marked, level int) float64 {
	return float64(marked) * j.perMark * levels[level].cost
}

// made takes what a picture has cost; moving: the display changed before it. Small ones say little.
func (j *judge) made(marked, size int, moving bool, t terms) {
	if marked < 200 || size == 0 || !moving {
		return
	}
	cut := t.tune.Limit > 0 && size*raw >= t.tune.Limit
	if !cut {
		j.perMark += (float64(size)/float64(marked)/levels[t.level].cost - j.perMark) / 8
	}
	if j.carries > 0 && (cut || j.cost(marked, len(levels)-1) > j.carries*smallFrom.Seconds()) {
		j.slow++
	} else {
		j.slow = 0
	}
	if whole := marked * j.shrink * j.shrink; cut || j.carries > 0 && j.cost(whole, len(levels)-1) > j.carries*smallFrom.Seconds()/2 {
		j.quick = 0
	} else {
		j.quick++
	}
}

// resize says whether another grid is due: a smaller one when pictures are too large for the line, the whole one after rest.
func (j *judge) resize(still time.Duration) (anew bool) {
	was := j.shrink
	switch {
	case j.pin == screen.Thin:
		j.shrink = screen.MaxShrink
	case j.pin == screen.Sharp || still >= wholeAfter || j.shrink > 1 && (j.carries == 0 || j.quick >= wholeIfQuick):
		j.shrink, j.slow, j.quick = 1, 0, 0
	case j.slow >= 2:
		j.shrink, j.slow, j.quick = screen.MaxShrink, 0, 0
	}
	return j.shrink != was
}

// away is how many pictures may wait for the viewer's word: as many as are made in a round trip, and two. How many bytes
// they may have is the pacer's to say. Where packets are lost words are, too.
func (j *judge) away() int {
	if j.loss.Lossy {
		return codec.MaxAway
	}
	return min(inFlight+int(j.base/pace), codec.MaxAway)
}

// twice says whether the line has room to send each picture of that size twice.
func (j *judge) twice(size int) bool {
	return j.carries == 0 || float64(4*size)*float64(time.Second/pace) < j.carries
}

// quality is what the viewer is told.
func (j *judge) quality(now time.Time, t terms) screen.Quality {
	q := screen.Quality{
		Pin: j.pin, Tolerance: uint8(t.tune.Tolerance), Coarse: t.tune.Coarse, Shrink: uint8(j.shrink), Separate: j.loss.Lossy,
	}
	if j.drawn*6/5 <= pace || j.slack.IsZero() {
		j.slack = now
	}
	switch {
	case j.pin == screen.Thin:
		q.Why = screen.WhyPinned
	case now.Sub(j.pressed) < whyLasts || j.shrink > 1:
		q.Why = screen.WhyLine
	case j.loss.Lossy:
		q.Why = screen.WhyLoss
	case now.Sub(j.slack) >= slowFor:
		q.Why = screen.WhyTerminal
	}
	return q
}
