package agent

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"assist/screen"
	"assist/screen/textcodec"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// maxAsking is how many questions about the scrollback may wait for an answer.
const maxAsking = 16

// glance is what the console wants of the host's text, and what it is owed.
type glance struct {
	ready chan struct{} // cap 1: something waits to be sent

	mu     sync.Mutex
	look   screen.TextLook
	unsaid []screen.TextMessage // in order; at most one TextLook and one TextShown
	id     uint32               // of the newest question
	asking map[uint32]chan screen.TextMessage
}

// say replaces what waits of the same kind, unless it is a question. It needs mu.
func (g *glance) say(m screen.TextMessage) {
	same := func(o screen.TextMessage) bool {
		switch m.(type) {
		case screen.TextLook:
			_, is := o.(screen.TextLook)
			return is
		case screen.TextShown:
			_, is := o.(screen.TextShown)
			return is
		}
		return false
	}
	for i, o := range g.unsaid {
		if same(o) {
			g.unsaid[i] = m
			wake(g.ready)
			return
		}
	}
	g.unsaid = append(g.unsaid, m)
	wake(g.ready)
}

func (g *glance) take() (b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.unsaid {
		b = inner.AppendText(b, m)
	}
	g.unsaid = nil
	return b
}

// renew asks a new link for what the console looks at; questions to the old one get no answer.
func (g *glance) renew() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unsaid = nil
	for id, c := range g.asking {
		close(c)
		delete(g.asking, id)
	}
	if g.look.On {
		g.say(g.look)
	}
}

// shown tells the host that updates have arrived.
func (g *glance) shown(updates uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.say(screen.TextShown{Updates: updates})
}

// answer hands an answer to whoever asked.
func (g *glance) answer(id uint32, m screen.TextMessage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.asking[id]; c != nil {
		delete(g.asking, id)
		c <- m
	}
}

// Text is the newest state of the text that the host shares, nil before the first. It never changes after it is handed out.
func (s *Session) Text() *screen.TextGrid { return s.text.Load() }

// LookText says that the console looks at the text and has room for so many columns and rows, or that it looks no more.
func (s *Session) LookText(on bool, size image.Point) {
	size = screen.TextSize(size)
	look := screen.TextLook{On: on, Wide: uint16(size.X), High: uint16(size.Y)}
	g := &s.glance
	g.mu.Lock()
	defer g.mu.Unlock()
	if look == g.look {
		return
	}
	g.look = look
	g.say(look)
}

// TextLines asks the host for n lines of scrollback, at most screen.MaxTextLines, from number from on. It returns the number
// of the first that there is, and waits for the answer, so it is nothing for the goroutine of a terminal.
func (s *Session) TextLines(ctx context.Context, from uint64, n int) (first uint64, rows []screen.Row, err error) {
	n = max(0, min(n, screen.MaxTextLines))
	m, err := s.askText(ctx, func(id uint32) screen.TextMessage { return screen.TextAsk{ID: id, From: from, Count: uint16(n)} })
	if err != nil {
		return 0, nil, err
	}
	page, ok := m.(screen.TextPage)
	if !ok || int(page.Count) > n {
		return 0, nil, fmt.Errorf("lines of text: %w", inner.ErrMalformed)
	}
	if page.Count == 0 {
		return page.From, nil, nil
	}
	rows, err = textcodec.ParseRows(page.Body, int(page.Count))
	return page.From, rows, err
}

// TextFind asks the host for the nearest line with words in it, upwards from line from on, or downwards. It waits for the
// answer.
func (s *Session) TextFind(ctx context.Context, from uint64, down bool, words string) (line uint64, found bool, err error) {
	m, err := s.askText(ctx, func(id uint32) screen.TextMessage {
		return screen.TextFind{ID: id, From: from, Down: down, Words: words}
	})
	if err != nil {
		return 0, false, err
	}
	f, ok := m.(screen.TextFound)
	if !ok {
		return 0, false, fmt.Errorf("search in text: %w", inner.ErrMalformed)
	}
	return f.Line, f.OK, nil
}

func (s *Session) askText(ctx context.Context, question func(id uint32) screen.TextMessage) (screen.TextMessage, error) {
	if st := s.State(); st.Phase != console.In || !st.Text.Offered {
		return nil, errNoContact
	}
	g, c := &s.glance, make(chan screen.TextMessage, 1)
	g.mu.Lock()
	if len(g.asking) >= maxAsking {
		g.mu.Unlock()
		return nil, errTooMuch
	}
	g.id++
	id := g.id
	g.asking[id] = c
	g.say(question(id))
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.asking, id)
	}()
	select {
	case m, ok := <-c:
		if !ok {
			return nil, errNoContact
		}
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.leaving:
		return nil, errNoContact
	}
}

// runText tells the host how much text fits here and what arrived.
func (v *visit) runText(ctx context.Context) error {
	if !v.admitted(ctx) {
		return nil
	}
	stream, err := v.link.OpenStream(ctx, wire.StreamText)
	if err != nil {
		return fmt.Errorf("open text stream: %w", err)
	}
	stream.SetUrgency(urgencyScreen)
	if _, err := stream.Write(inner.AppendText(nil, screen.TextLook{})); err != nil { // opens it at the host
		return textEnd(err)
	}
	v.group.Go(func() error { return v.readText(stream) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.s.glance.ready:
		}
		if b := v.s.glance.take(); len(b) > 0 {
			if _, err := stream.Write(b); err != nil {
				return textEnd(err)
			}
		}
	}
}

// readText keeps the replica of the host's text.
func (v *visit) readText(stream transport.Stream) error {
	decoder, err := textcodec.NewDecoder()
	if err != nil {
		return err
	}
	r := reader(stream)
	updates, owed := uint64(0), 0
	for {
		m, err := inner.ReadText(r, inner.MaxTextDown)
		if err != nil {
			return textEnd(err)
		}
		switch m := m.(type) {
		case screen.TextAbout:
			v.s.update(func(st *console.State) {
				st.Text = console.Text{Offered: true, Name: m.Name, Fixed: m.Fixed, Ended: m.Ended}
			})
		case screen.TextUpdate:
			if m.Begins {
				updates, owed = 0, 0
				decoder.Reset()
			}
			g, err := decoder.Decode(m.Body)
			if err != nil {
				return fmt.Errorf("text: %w: %w", inner.ErrMalformed, err)
			}
			updates++
			v.s.showText(g)
			if owed += m.Weight(); owed >= screen.TextOwed {
				owed = 0
				v.s.glance.shown(updates)
			}
		case screen.TextPage:
			v.s.glance.answer(m.ID, m)
		case screen.TextFound:
			v.s.glance.answer(m.ID, m)
		default:
			return fmt.Errorf("text stream: %w", inner.ErrMalformed)
		}
	}
}

// showText publishes a state.
func (s *Session) showText(g *screen.TextGrid) {
	g.Seq = s.textSeq.Add(1)
	s.text.Store(g)
	s.shown.Add(1)
	s.signal()
}

// textEnd says whether the end of the text stream is one: a host that shares no text does not take it.
func textEnd(err error) error {
	var reset *transport.ResetError
	if errors.Is(err, io.EOF) || errors.As(err, &reset) {
		return nil
	}
	return fmt.Errorf("text stream: %w", err)
}
