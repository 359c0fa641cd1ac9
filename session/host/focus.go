package host

import (
	"image"
	"time"

	"assist/screen"
	"assist/screen/codec"
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
	found  time.Time        // when the caret was
	typed  func() time.Time // when a key was played last; nil: nobody types
	// pressed is where a button was pressed last; nil as well.
	pressed func() hand
}

// echoPart of a slice is as large as the first picture after a key may be where pictures travel in slices.
const echoPart = 3

// echo lets the picture that is made now begin where what was typed appears, if it is one of those that can show it: the first
// after a key, or one soon after it. It says whether it does.
func (s *studio) echo(g *group, now time.Time) bool {
	enc, ok := g.enc.(*codec.Encoder)
	if !ok || g.terms.tune.Limit == 0 || s.focus.typed == nil {
		return false
	}
	typed := s.focus.typed()
	if !typed.After(g.echoed) && now.Sub(typed) > typedFor {
		return false
	}
	y, known := s.focus.line()
	view := enc.Viewport()
	if !known || y < view.Region.Min.Y || y >= view.Region.Max.Y {
		return false
	}
	g.echoed = typed
	enc.From(max(0, y-screen.MaxCaret/2-view.Region.Min.Y) * view.Grid.Y / view.Region.Dy())
	g.terms.tune.Limit = max(leastSlice, g.terms.tune.Limit/echoPart)
	return true
}

// line is the height at which what is typed is expected: where it appeared last or, if a button was pressed since, there.
func (f *focus) line() (y int, known bool) {
	if p := f.pressed(); p.moved.After(f.found) {
		return p.at.Y, true
	}
	return f.now.Caret.Min.Y, !f.now.Caret.Empty()
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
		f.Caret, s.focus.found = at, now
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
