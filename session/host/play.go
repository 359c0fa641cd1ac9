package host

import (
	"context"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"assist/screen"
	"assist/session"
)

const (
	textPiece = 24 // characters between two looks at whether it may go on
	usedEvery = 500 * time.Millisecond
)

// player plays input on the customer's machine. Every event is checked when it is its turn, not when it came.
type player struct {
	injector Injector   // nil: nothing can be played on a display
	text     TextSource // nil: there is none
	typed    func()     // something was typed on the text
	log      *slog.Logger
	may      atomic.Pointer[map[session.MemberID]bool]
	over     atomic.Bool
	released chan struct{}
	used     chan session.MemberID

	mu    sync.Mutex // around everything that is played
	keys  map[screen.Key]map[session.MemberID]bool
	press map[screen.Button]map[session.MemberID]bool
	at    map[session.MemberID]image.Point // of the newest button event

	hands hands

	owes sync.Mutex
	owed []session.MemberID // whose keys have to go up
	due  chan struct{}      // cap 1
}

func newPlayer(i Injector, log *slog.Logger) *player {
	p := &player{
		injector: i, log: log, released: make(chan struct{}), used: make(chan session.MemberID, 16), due: make(chan struct{}, 1),
		keys: map[screen.Key]map[session.MemberID]bool{}, press: map[screen.Button]map[session.MemberID]bool{},
		at: map[session.MemberID]image.Point{}, hands: hands{at: map[session.MemberID]hand{}, stir: make(chan struct{}, 1)},
	}
	p.allow(nil)
	return p
}

// allow says whose input is played from now on.
func (p *player) allow(may map[session.MemberID]bool) { p.may.Store(&may) }

// halt ends playing for good and lets everything go. It waits neither for an event that is being played nor for a display
// that does not answer; released is closed when the keys are up.
func (p *player) halt() {
	if p.over.Swap(true) {
		return
	}
	if p.injector == nil {
		close(p.released)
		return
	}
	go func() {
		defer close(p.released)
		if err := p.injector.ReleaseAll(); err != nil {
			p.log.Warn("release keys", "err", err)
		}
	}()
}

// release lets go what a member holds. It does not wait for the display.
func (p *player) release(m session.MemberID) {
	p.owes.Lock()
	p.owed = append(p.owed, m)
	p.owes.Unlock()
	wake(p.due)
}

// run lets keys go for members that are not there to do it.
func (p *player) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			p.halt()
			return nil
		case <-p.due:
			p.mu.Lock()
			p.settle()
			p.mu.Unlock()
		}
	}
}

// settle pays what is owed; it needs mu.
func (p *player) settle() {
	p.owes.Lock()
	owed := p.owed
	p.owed = nil
	p.owes.Unlock()
	for _, m := range owed {
		p.letGo(m)
	}
}

// letGo releases what m holds and nobody else does; it needs mu.
func (p *player) letGo(m session.MemberID) {
	for k, by := range p.keys {
		if by[m] {
			p.inject(screen.Input{Kind: screen.KeyRelease, Key: k}, release(p.keys, k, m))
		}
	}
	for b, by := range p.press {
		if by[m] {
			p.inject(screen.Input{Kind: screen.ButtonRelease, Button: b, At: p.at[m]}, release(p.press, b, m))
		}
	}
	delete(p.at, m)
	if p.text != nil && !p.over.Load() {
		_ = p.text.Play(uint64(m), screen.Input{Kind: screen.ReleaseAll}) // a program that is gone holds nothing
	}
}

// release takes m from those who hold k, and says whether nobody is left.
func release[K comparable](held map[K]map[session.MemberID]bool, k K, m session.MemberID) bool {
	delete(held[k], m)
	if len(held[k]) > 0 {
		return false
	}
	delete(held, k)
	return true
}

func hold[K comparable](held map[K]map[session.MemberID]bool, k K, m session.MemberID) {
	if held[k] == nil {
		held[k] = make(map[session.MemberID]bool)
	}
	held[k][m] = true
}

func (p *player) inject(ev screen.Input, really bool) {
	if !really || p.over.Load() {
		return
	}
	if err := p.injector.Play(ev); err != nil {
		p.log.Debug("input not played", "kind", ev.Kind, "err", err)
	}
}

// play plays one event of m if m may; it says whether it did.
func (p *player) play(m session.MemberID, ev screen.Input) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	if p.over.Load() || p.injector == nil || !(*p.may.Load())[m] {
		return false
	}
	p.hands.point(m, ev)
	switch ev.Kind {
	case screen.KeyPress:
		hold(p.keys, ev.Key, m)
		p.inject(ev, true)
	case screen.KeyRelease:
		p.inject(ev, p.keys[ev.Key][m] && release(p.keys, ev.Key, m))
	case screen.ButtonPress:
		hold(p.press, ev.Button, m)
		p.at[m] = ev.At
		p.inject(ev, true)
	case screen.ButtonRelease:
		p.at[m] = ev.At
		p.inject(ev, p.press[ev.Button][m] && release(p.press, ev.Button, m))
	case screen.ReleaseAll:
		p.letGo(m)
	default:
		p.inject(ev, true)
	}
	return true
}

// playWhole plays a text in pieces, so that taking control back need not wait for a long one.
func (p *player) playWhole(m session.MemberID, ev screen.Input) (some, all bool) {
	if p.forText(ev) {
		all = p.playText(m, ev)
		return all, all
	}
	if ev.Kind == screen.PasteText {
		ev.Kind = screen.TypeText
	}
	if ev.Kind != screen.TypeText {
		all = p.play(m, ev)
		return all, all
	}
	rest := ev.Text
	for rest != "" {
		n := 0
		for i := 0; i < textPiece && n < len(rest); i++ {
			_, size := utf8.DecodeRuneInString(rest[n:])
			n += size
		}
		ev.Text, rest = rest[:n], rest[n:]
		if !p.play(m, ev) {
			return some, false
		}
		some = true
	}
	return some, true
}
