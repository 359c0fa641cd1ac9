package sessiontest

import (
	"context"
	"image"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session/agent"
	"assist/session/console"
)

// Console is a running console.
type Console struct {
	*agent.Session
	t    testing.TB
	kill context.CancelFunc
	done chan struct{}
	err  error // of Run, once done is closed
}

// Run drives s until the test ends.
func Run(t testing.TB, s *agent.Session) *Console {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c := &Console{Session: s, t: t, kill: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = s.Run(ctx)
	}()
	t.Cleanup(func() {
		s.Close()
		select {
		case <-c.done:
		case <-time.After(patience):
			t.Errorf("a console does not end; it is %+v", s.State())
		}
		cancel()
	})
	return c
}

// Wait waits until the state is as ok wants it.
func (c *Console) Wait(what string, ok func(console.State) bool) console.State {
	c.t.Helper()
	Until(c.t, what, c.Changed(), func() bool { return ok(c.State()) })
	return c.State()
}

// Phase waits for a phase. A console that is over earlier fails the test with its reason.
func (c *Console) Phase(p console.Phase) console.State {
	c.t.Helper()
	return c.Wait("phase", func(st console.State) bool {
		if st.Phase == console.Over && p != console.Over {
			c.t.Fatalf("over: %s", st.Why)
		}
		return st.Phase == p
	})
}

// Result waits until Run has returned.
func (c *Console) Result() error {
	c.t.Helper()
	select {
	case <-c.done:
		return c.err
	case <-time.After(patience):
		c.t.Fatalf("the console goes on; it is %+v", c.State())
		return nil
	}
}

// LookAll asks for the whole display in a small grid.
func (c *Console) LookAll(grid image.Point) {
	c.t.Helper()
	st := c.Wait("display", func(st console.State) bool { return st.Display.Size.X > 0 })
	c.Look(screen.Viewport{Region: image.Rectangle{Max: st.Display.Size}, Grid: grid})
}

// Sees waits for a picture that ok accepts.
func (c *Console) Sees(what string, ok func(*screen.Picture) bool) *screen.Picture {
	c.t.Helper()
	Until(c.t, what, c.Changed(), func() bool {
		p := c.Picture()
		return p != nil && ok(p)
	})
	return c.Picture()
}

// Said is the texts of the log that members typed.
func (c *Console) Said() []string {
	var out []string
	for _, e := range c.Log(0) {
		if e.Kind == chat.Said {
			out = append(out, e.Text)
		}
	}
	return out
}
