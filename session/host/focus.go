package host

import (
	"image"
	"time"

	"assist/screen"
)

// How attention is followed.
const (
	windowEvery = 500 * time.Millisecond // between two looks at the active window, while anything happens
	typedFor    = 400 * time.Millisecond // what changes so long after a key is what was typed
)

// windower is a Source that knows which window has the keyboard.
type windower interface {
	ActiveWindow() (image.Rectangle, bool)
}

// focus is what viewers are told about where attention belongs. The studio's goroutine owns it.
type focus struct {
	now    screen.Focus
	looked time.Time
	typed  func() time.Time // when a key was played last; nil: nobody types
}

// seek looks for the active window, now and then.
func (s *studio) seek(now time.Time) {
	w, ok := s.source.(windower)
	if !ok || now.Sub(s.focus.looked) < windowEvery || now.Sub(s.moved) > liveFor && !s.focus.looked.IsZero() {
		return
	}
	s.focus.looked = now
	f := s.focus.now
	f.Window, _ = w.ActiveWindow()
	s.attend(f)
}

// notice takes damage that may be what was typed.
func (s *studio) notice(d screen.Damage, now time.Time) {
	if s.focus.typed == nil || now.Sub(s.focus.typed()) > typedFor {
		return
	}
	if at, ok := screen.CaretIn(d); ok {
		f := s.focus.now
		f.Caret = at
		s.attend(f)
	}
}

// attend tells what is new.
func (s *studio) attend(f screen.Focus) {
	whole := image.Rectangle{Max: s.display.Size}
	f.Window, f.Caret = f.Window.Intersect(whole), f.Caret.Intersect(whole)
	if f != s.focus.now {
		s.focus.now = f
		s.tell(f)
	}
}
