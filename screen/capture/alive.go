package capture

import (
	"time"

	"assist/screen"
)

// How often the whole frame is compared. While DAMAGE tells of everything it is seldom: a comparison of 1920x1080 takes
// about 2 ms here and as much in the server. Once something changed that it did not tell of, the display is polled for
// the next half minute at least.
const (
	firstLook  = 2 * time.Second
	seldom     = 10 * time.Second
	pollFast   = 200 * time.Millisecond
	pollSlow   = time.Second
	suspicious = 30 * time.Second
)

// aliveness judges whether DAMAGE can be relied on.
type aliveness struct {
	none  bool      // there is no DAMAGE at all
	until time.Time // it is not relied on before
	wait  time.Duration
}

// start begins with a new frame and returns when to compare first.
func (a *aliveness) start(damage bool) time.Duration {
	*a = aliveness{none: !damage, wait: firstLook}
	if a.none {
		a.wait = pollFast
	}
	return a.wait
}

// judge weighs what a comparison found against what DAMAGE told of by then, and returns when to compare again.
func (a *aliveness) judge(now time.Time, differ, told screen.Damage) time.Duration {
	limit := seldom
	if silent(differ, told) {
		a.until, a.wait = now.Add(suspicious), pollFast
		return a.wait
	}
	if a.none || now.Before(a.until) {
		limit = pollSlow
	}
	a.wait = min(2*a.wait, limit)
	return a.wait
}

// silent says whether something differs that nothing was told of.
func silent(differ, told screen.Damage) bool {
	for _, r := range differ {
		heard := false
		for _, q := range told {
			heard = heard || q.Overlaps(r)
		}
		if !heard {
			return true
		}
	}
	return false
}
