package host

import (
	"context"
	"errors"
	"fmt"
	"image"

	"assist/chat"
	"assist/screen"
	"assist/session"
)

// TextSource is text that this machine shares, as screen/console has it. Run runs until the program ends or ctx does. Grid,
// Lines, Find, Want and Play do not wait. Who looks or types is named by a number; 0 is whoever sits at the machine.
type TextSource interface {
	Run(ctx context.Context) error
	About() screen.TextAbout
	Watch() <-chan struct{} // signals that Grid or About may be another one
	Grid() *screen.TextGrid
	Lines(from uint64, n int) (first uint64, rows []screen.Row)
	Find(from uint64, down bool, words string) (line uint64, ok bool)
	Want(who uint64, size image.Point, controls bool) // a zero size: looks no more
	Play(who uint64, ev screen.Input) error
}

var errNoPicture = errors.New("this machine shares text only")

// noDisplay is the display of a machine that shares text only.
type noDisplay struct{}

func (noDisplay) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
func (noDisplay) Display() screen.Display                     { return screen.Display{} }
func (noDisplay) Changed() <-chan struct{}                    { return nil }
func (noDisplay) Grab() (*screen.Frame, screen.Damage, error) { return nil, nil, errNoPicture }
func (noDisplay) Pointer() (screen.Pointer, error)            { return screen.Pointer{}, errNoPicture }

// runText runs the shared program. When it ends and there is nothing else to share, so does the session.
func (h *Host) runText(ctx context.Context) error {
	err := h.cfg.Text.Run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if _, only := h.cfg.Source.(noDisplay); !only {
		if err != nil {
			h.log.Warn("shared text", "err", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("shared text: %w", err)
	}
	h.loop.post(func(l *loop) {
		_ = l.apply(session.Stop{By: session.CustomerID, Why: "the shared program has ended"}) // over already: as well
	})
	return nil
}

// forText says whether an event is for the text: because it says so, or because there is nothing else.
func (p *player) forText(ev screen.Input) bool {
	return ev.ToText || p.injector == nil && p.text != nil
}

// playText plays one event of m on the text if m may; it says whether it did.
func (p *player) playText(m session.MemberID, ev screen.Input) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	if p.over.Load() || p.text == nil || !(*p.may.Load())[m] {
		return false
	}
	p.typed()
	if err := p.text.Play(uint64(m), ev); err != nil {
		p.log.Debug("input not played", "kind", ev.Kind, "err", err)
	}
	return true
}

// opensTerminal tells everyone that a member looks at the terminal, which is not on the desktop.
func (l *loop) opensTerminal(id session.MemberID) {
	if m, in := l.sess.Roster().Member(id); in {
		l.note(chat.Everyone, m, "opens a terminal on this machine")
	}
}
