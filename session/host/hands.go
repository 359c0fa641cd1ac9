package host

import (
	"cmp"
	"image"
	"slices"
	"sync"
	"time"

	"assist/screen"
	"assist/session"
)

// pointsFor is how long an agent counts as pointing after its pointer was used last.
const pointsFor = 5 * time.Second

// hands is where each agent's pointer was last. It has a lock of its own: an event that is being played makes nobody wait
// who only looks.
type hands struct {
	mu sync.Mutex
	at map[session.MemberID]hand

	typed   time.Time     // when anybody's key was played
	pressed hand          // anybody's button, last
	stir    chan struct{} // cap 1: somebody points
}

type hand struct {
	at    image.Point
	moved time.Time
}

// point takes an event of m that is played.
func (h *hands) point(m session.MemberID, ev screen.Input) {
	switch ev.Kind {
	case screen.PointerMove, screen.ButtonPress, screen.ButtonRelease, screen.Wheel:
		h.mu.Lock()
		defer h.mu.Unlock()
		h.at[m] = hand{ev.At, time.Now()}
		if ev.Kind == screen.ButtonPress {
			h.pressed = h.at[m]
		}
		wake(h.stir)
	case screen.KeyPress, screen.KeyTap, screen.TypeText:
		h.mu.Lock()
		defer h.mu.Unlock()
		h.typed = time.Now()
	}
}

// pressedLast is where a button was pressed last; zero: nowhere.
func (h *hands) pressedLast() hand {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pressed
}

func (h *hands) typedLast() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.typed
}

// pointing is who points now and may control, by number.
func (p *player) pointing(now time.Time) (out screen.Hands) {
	may := *p.may.Load()
	p.hands.mu.Lock()
	defer p.hands.mu.Unlock()
	for m, h := range p.hands.at {
		if now.Sub(h.moved) >= pointsFor || !may[m] {
			delete(p.hands.at, m)
			continue
		}
		out = append(out, screen.Hand{Member: uint32(m), At: h.at})
	}
	slices.SortFunc(out, func(a, b screen.Hand) int { return cmp.Compare(a.Member, b.Member) })
	return out
}

// without is the hands of everybody but m.
func without(all screen.Hands, m session.MemberID) screen.Hands {
	return slices.DeleteFunc(slices.Clone(all), func(h screen.Hand) bool { return h.Member == uint32(m) })
}

// wave tells every viewer where the others point, if that is new.
func (s *studio) wave(now time.Time) {
	all := s.hands(now)
	if slices.Equal(all, s.waved) {
		return
	}
	s.waved, s.moved = all, now
	for _, v := range s.viewers {
		if v.told {
			s.waveTo(v)
		}
	}
}

func (s *studio) waveTo(v *viewer) {
	if others := without(s.waved, s.see[v.id]); !slices.Equal(others, v.hands) {
		v.hands = others
		v.tell(others)
	}
}
