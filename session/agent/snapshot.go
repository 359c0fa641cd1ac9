package agent

import (
	"context"
	"errors"
	"image"
	"time"

	"assist/screen"
	"assist/session/console"
)

var errNoText = errors.New("the customer's host shares no text")

// startShell is how long a look without a size waits; then the shell may not have been started, which a look with one does.
const startShell = time.Second

// shellSize is what a shell is started with that nobody looks at for long.
var shellSize = image.Pt(80, 24)

// Snapshot is the shared text as it is now. Looking has no influence on its size. It waits for the text, so it is nothing for
// the goroutine of a terminal.
func (s *Session) Snapshot(ctx context.Context) (*screen.TextGrid, error) {
	changed, stop := s.Watch()
	defer stop()
	g := &s.glance
	g.mu.Lock()
	looks := g.look.On
	if !looks {
		s.text.Store(nil) // what is kept from an earlier look is old
		g.look = screen.TextLook{On: true}
		g.say(g.look)
		defer s.LookText(false, shellSize)
	}
	g.mu.Unlock()
	start := time.After(startShell)
	none, late := time.After(silence), time.After(dialTimeout)
	first, written := time.After(2*startShell), false
	for {
		st := s.State()
		if text := s.Text(); text != nil && (written || !blank(text)) {
			return text, nil
		}
		if st.Phase == console.Over {
			return nil, overError(st)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-start:
			if st.Text.Offered && !looks {
				s.LookText(true, shellSize)
			}
		case <-first: // an empty screen is one, too
			written = true
		case <-none:
			if !st.Text.Offered {
				return nil, errNoText
			}
		case <-late:
			return nil, errNoText
		}
	}
}

// blank says that nothing stands on the screen: a shell that was just started has not said anything yet.
func blank(g *screen.TextGrid) bool {
	for _, r := range g.Rows {
		if r.Length() > 0 {
			return false
		}
	}
	return true
}
