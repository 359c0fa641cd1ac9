package console

import (
	"context"
	"image"
	"sync"

	"assist/screen"
)

// watchers are those who want to know that there is something new. Each has at most one signal waiting.
type watchers struct {
	mu  sync.Mutex
	all []chan struct{}
}

// Watch gives a channel that signals that Grid or About may be another one. It is for the life of the terminal.
func (w *watchers) Watch() <-chan struct{} {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, c)
	return c
}

func (w *watchers) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// look is what somebody who looks has room for.
type look struct {
	size     image.Point
	controls bool
}

// sizes negotiates the size of a terminal.
type sizes struct {
	mutex sync.Mutex
	fixed image.Point // zero: it follows the looks
	looks map[uint64]look
	now   image.Point
	first chan struct{} // closed when somebody looks; nil: nobody waits
}

// want says whether the size may be another one now.
func (s *sizes) want(who uint64, size image.Point, controls bool) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.looks == nil {
		s.looks = map[uint64]look{}
	}
	if size.X <= 0 || size.Y <= 0 {
		delete(s.looks, who)
	} else {
		s.looks[who] = look{screen.TextSize(size), controls}
		s.goOn()
	}
	s.now = s.agreed()
	return s.fixed.X == 0
}

// agreed is the size that all looks lead to.
func (s *sizes) agreed() image.Point {
	if s.fixed.X > 0 {
		return s.fixed
	}
	out := image.Point{}
	for _, must := range []bool{true, false} {
		for _, l := range s.looks {
			if l.controls != must {
				continue
			}
			if out.X == 0 {
				out = l.size
			}
			out = image.Pt(min(out.X, l.size.X), min(out.Y, l.size.Y))
		}
		if out.X > 0 {
			return out
		}
	}
	return s.now
}

func (s *sizes) size() image.Point {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.now
}

func (s *sizes) setFixed(size image.Point) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fixed, s.now = screen.TextSize(size), screen.TextSize(size)
}

func (s *sizes) watched() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.looks) > 0
}

// goOn ends awaitLook; it needs mutex.
func (s *sizes) goOn() {
	if s.first != nil {
		close(s.first)
		s.first = nil
	}
}

// knock is as good as somebody who begins to look.
func (s *sizes) knock() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.goOn()
}

// awaitLook waits until somebody looks, or looks anew; false when ctx ends before.
func (s *sizes) awaitLook(ctx context.Context, anew bool) bool {
	s.mutex.Lock()
	if len(s.looks) > 0 && !anew {
		s.mutex.Unlock()
		return true
	}
	s.first = make(chan struct{})
	first := s.first
	s.mutex.Unlock()
	select {
	case <-first:
		return true
	case <-ctx.Done():
		return false
	}
}
