package tui

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	tea "charm.land/bubbletea/v2"
)

// Bubble Tea looks by a ticker whether its text is another one. One that ticks all day is most of what an idle console costs, and
// its rate is an option of the start alone, so the ticker itself is set: the first look comes soon after a message that ends a rest
// (a key's echo must not wait), then it is quick as long as there are messages, which is all that the text can change by, then
// slow. The slow one still ticks: nothing that was missed is missed for good.
const (
	firstTick = 10 * time.Millisecond
	quickTick = time.Second / framesAsked
	slowTick  = 2 * time.Second
	tickRest  = 3 * quickTick // without a message, until it is slow: one tick shows what the last changed
)

// ticker is the one of a running program.
type ticker struct {
	mu    sync.Mutex
	p     *tea.Program
	tick  *time.Ticker // nil: not looked for yet, or this Bubble Tea keeps it elsewhere, and it stays as it began
	every time.Duration
	last  time.Time // message
	next  *time.Timer
}

// filter is for tea.WithFilter, which sees every message before anybody else.
func (k *ticker) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = time.Now()
	switch {
	case k.next == nil:
		k.tick, k.every = tickerOf(k.p), quickTick
		k.next = time.AfterFunc(tickRest, k.slower)
	case k.every == slowTick:
		k.set(firstTick, 2*firstTick)
	}
	return msg
}

// slower is called when a rate has had its time.
func (k *ticker) slower() {
	k.mu.Lock()
	defer k.mu.Unlock()
	left := tickRest - time.Since(k.last)
	switch {
	case k.every == firstTick:
		k.set(quickTick, tickRest)
	case left > 0:
		k.next.Reset(left)
	default:
		k.set(slowTick, 0)
	}
}

// set makes it tick each d and slower after a while; 0: it stays. It needs mu.
func (k *ticker) set(d, lasts time.Duration) {
	if k.tick == nil {
		return
	}
	k.every = d
	k.tick.Reset(d)
	if lasts > 0 {
		k.next.Reset(lasts)
	}
}

// stop leaves the ticker alone from now on.
func (k *ticker) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tick = nil
}

// tickerOf is the ticker of a program that runs; nil where it is not to be found, and then it stays as it began. Bubble Tea 2.1 has
// no other way: its rate is an option of NewProgram, its renderer an interface of its own, and only its ticker makes it draw.
// program is a *tea.Program, or what a test puts in its place.
func tickerOf(program any) *time.Ticker {
	v := reflect.ValueOf(program)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	f := v.Elem().FieldByName("ticker")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	return *(**time.Ticker)(unsafe.Pointer(f.UnsafeAddr()))
}
