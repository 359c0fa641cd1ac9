package broker

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits on wrong tries (threats 2.3). Right ones never count.
const (
	accountWrong   = 5                // wrong tries of an account in accountWindow, then it waits
	accountWindow  = 10 * time.Minute // also the first wait; every further wrong try doubles it
	accountMaxWait = 24 * time.Hour
	accountDay     = 20 // wrong tries of an account in a day
	narrowMinute   = 10 // from an IPv4 address or an IPv6 /64
	wideMinute     = 30 // from an IPv4 /24 or an IPv6 /48
	alarmHour      = 200
	strictDay      = 2000  // above, one wrong try is all that an account has for a day, and an address for a minute
	maxTracked     = 65536 // accounts, and networks; beyond that newcomers share
)

const day = 24 * time.Hour

// limits counts the wrong tries of one kind (codes, or logins) by account, by network and over all. A try that runs counts as
// wrong until it is known, so that many at once gain nothing.
type limits struct {
	alarm func(wrong int) // called once an hour at most, when alarmHour is reached; must not block

	mu       sync.Mutex
	accounts *expiring[string, account]
	narrow   *expiring[netip.Prefix, bucket]
	wide     *expiring[netip.Prefix, bucket]
	hour     window
	day      window
}

func newLimits(alarm func(int)) *limits {
	return &limits{
		alarm:    alarm,
		accounts: newExpiring[string](func() *account { return &account{} }, (*account).idle),
		narrow:   newExpiring[netip.Prefix](perMinute(narrowMinute), (*bucket).idle),
		wide:     newExpiring[netip.Prefix](perMinute(wideMinute), (*bucket).idle),
		hour:     window{length: time.Hour},
		day:      window{length: day},
	}
}

// try is one attempt that runs. Exactly one of right and wrong ends it.
type try struct {
	l            *limits
	name         string
	acc          *account // nil: not by an account
	narrow, wide *bucket
}

// begin asks for an attempt by account (empty: none) from addr; without one it says how long to wait.
func (l *limits) begin(name string, addr netip.Addr, now time.Time) (*try, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.of(name, addr, now)
	strict := l.day.count(now) >= strictDay
	wait := max(t.narrow.wait(now, strict), t.wide.wait(now, false))
	if t.acc != nil {
		wait = max(wait, t.acc.wait(now, strict))
	}
	if wait > 0 {
		return nil, wait
	}
	t.running(1)
	return t, 0
}

func (t *try) running(n int) {
	t.narrow.running += n
	t.wide.running += n
	if t.acc != nil {
		t.acc.running += n
	}
}

func (t *try) right() {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.running(-1)
}

// wrong counts the try; locked says that the account's budget is used up by it.
func (t *try) wrong(now time.Time) (locked bool) {
	t.l.mu.Lock()
	t.running(-1)
	locked, reached := t.count(now)
	t.l.mu.Unlock()
	if reached {
		t.l.alarm(alarmHour)
	}
	return locked
}

// count needs mu.
func (t *try) count(now time.Time) (locked, alarm bool) {
	t.narrow.rate.AllowN(now, 1)
	t.wide.rate.AllowN(now, 1)
	if t.acc != nil {
		locked = t.acc.wrong(now)
	}
	t.l.day.add(now)
	return locked, t.l.hour.add(now) == alarmHour
}

// told counts a wrong try that was made elsewhere.
func (l *limits) told(name string, addr netip.Addr, at time.Time) {
	l.mu.Lock()
	t := l.of(name, addr, at)
	_, reached := t.count(at)
	l.mu.Unlock()
	if reached {
		l.alarm(alarmHour)
	}
}

// of finds what a try counts on; it needs mu.
func (l *limits) of(name string, addr netip.Addr, now time.Time) *try {
	near, far := networks(addr)
	t := &try{l: l, name: name, narrow: l.narrow.get(near, now), wide: l.wide.get(far, now)}
	if name != "" {
		t.acc = l.accounts.get(name, now)
	}
	return t
}

// account is the wrong tries of one account.
type account struct {
	recent  []time.Time // of the last accountWindow, at most accountWrong
	level   int         // how often it was locked since a day without wrong tries
	until   time.Time   // locked
	last    time.Time   // wrong try
	today   window
	running int
}

func (a *account) idle(now time.Time) bool {
	return a.running == 0 && now.Sub(a.last) > day && !now.Before(a.until)
}

func (a *account) forget(now time.Time) {
	for len(a.recent) > 0 && now.Sub(a.recent[0]) >= accountWindow {
		a.recent = a.recent[1:]
	}
	if now.Sub(a.last) > day {
		a.level = 0
	}
	a.today.length = day
}

func (a *account) wait(now time.Time, strict bool) time.Duration {
	a.forget(now)
	if now.Before(a.until) {
		return a.until.Sub(now)
	}
	budget := accountWrong - len(a.recent)
	if a.level > 0 || strict {
		budget = 1
	}
	today := a.today.count(now)
	switch {
	case today+a.running >= accountDay, strict && today > 0:
		return max(a.today.end().Sub(now), time.Second)
	case a.running >= budget:
		return time.Second // until those that run are known
	}
	return 0
}

func (a *account) wrong(now time.Time) (locked bool) {
	a.forget(now)
	a.last = now
	a.today.add(now)
	a.recent = append(a.recent, now)
	if a.level == 0 && len(a.recent) < accountWrong {
		return false
	}
	a.until = now.Add(min(accountWindow<<min(a.level, 10), accountMaxWait))
	a.level++
	a.recent = nil
	return true
}

// bucket is the wrong tries of one network.
type bucket struct {
	rate    *rate.Limiter
	running int
}

func perMinute(n int) func() *bucket {
	return func() *bucket { return &bucket{rate: rate.NewLimiter(rate.Every(time.Minute/time.Duration(n)), n)} }
}

func (b *bucket) idle(now time.Time) bool {
	return b.running == 0 && b.rate.TokensAt(now) >= float64(b.rate.Burst())
}

func (b *bucket) wait(now time.Time, strict bool) time.Duration {
	need := 1.0
	if strict {
		need = float64(b.rate.Burst())
	}
	missing := need - (b.rate.TokensAt(now) - float64(b.running))
	if missing <= 0 {
		return 0
	}
	return max(time.Duration(missing/float64(b.rate.Limit())*float64(time.Second)), time.Second)
}

// window counts in windows of a fixed length, each beginning with its first event.
type window struct {
	length time.Duration
	start  time.Time
	n      int
}

func (w *window) end() time.Time { return w.start.Add(w.length) }

func (w *window) count(now time.Time) int {
	if !now.Before(w.end()) {
		w.n = 0
	}
	return w.n
}

func (w *window) add(now time.Time) int {
	if w.count(now) == 0 {
		w.start = now
	}
	w.n++
	return w.n
}

// networks are the two networks that an address is counted in.
func networks(a netip.Addr) (near, far netip.Prefix) {
	a = a.Unmap().WithZone("")
	narrow, wide := 64, 48
	if a.Is4() {
		narrow, wide = 32, 24
	}
	near, _ = a.Prefix(narrow) // the zero Addr gives the zero Prefix, which is then shared
	far, _ = a.Prefix(wide)
	return near, far
}

// expiring is a map that forgets idle entries when it is full, and then lets newcomers share one entry: an attacker who fills
// it slows other newcomers down, but makes nobody's count go away.
type expiring[K comparable, V any] struct {
	fresh  func() *V
	idle   func(*V, time.Time) bool
	all    map[K]*V
	shared *V
	swept  time.Time
}

func newExpiring[K comparable, V any](fresh func() *V, idle func(*V, time.Time) bool) *expiring[K, V] {
	return &expiring[K, V]{fresh: fresh, idle: idle, all: map[K]*V{}, shared: fresh()}
}

func (e *expiring[K, V]) get(k K, now time.Time) *V {
	if v, ok := e.all[k]; ok {
		return v
	}
	if len(e.all) >= maxTracked && now.Sub(e.swept) >= time.Second {
		e.swept = now
		for k, v := range e.all {
			if e.idle(v, now) {
				delete(e.all, k)
			}
		}
	}
	if len(e.all) >= maxTracked {
		return e.shared
	}
	v := e.fresh()
	e.all[k] = v
	return v
}
