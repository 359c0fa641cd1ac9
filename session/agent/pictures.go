package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"assist/screen"
	"assist/screen/codec"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// keepAsked is how many viewports are remembered: pictures of older ones are not looked at.
const keepAsked = 16

// lookout is what the console looks at, and which pictures it has.
type lookout struct {
	ready chan struct{} // cap 1: something waits to be sent

	mu     sync.Mutex
	id     uint32                     // of the newest viewport
	newest screen.Viewport            // Grid zero: none yet
	asked  map[uint32]screen.Viewport // the newest keepAsked
	arrive uint32                     // viewport of the newest picture stream
	seq    uint64                     // of the newest picture
	unsaid []screen.Message           // waits to be sent: at most one Viewport, one Shown and one Pin
	pin    screen.Pin
	drawn  time.Duration // what the terminal needs for a picture
	apart  *gathered     // separate pictures of the viewport in arrive
}

// gathered puts the separate pictures of one viewport together, which come on a stream each.
type gathered struct {
	mu     sync.Mutex
	look   screen.Viewport
	gather *codec.Gather
}

// look asks for v under the next number.
func (l *lookout) look(v screen.Viewport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id++
	v.ID = l.id
	l.newest, l.asked[l.id] = v, v
	delete(l.asked, l.id-keepAsked)
	l.say(v)
}

// renew asks a new host connection for what the console looks at, under a new number.
func (l *lookout) renew() {
	l.mu.Lock()
	v := l.newest
	l.unsaid, l.apart, l.seq = nil, nil, 0
	if l.pin != screen.Auto {
		l.say(l.pin)
	}
	l.mu.Unlock()
	if v.Grid.X > 0 {
		l.look(v)
	}
}

// say replaces what waits of the same kind: the newest counts. It needs mu.
func (l *lookout) say(m screen.Message) {
	for i, old := range l.unsaid {
		if reflect.TypeOf(old) == reflect.TypeOf(m) {
			l.unsaid[i] = m
			wake(l.ready)
			return
		}
	}
	l.unsaid = append(l.unsaid, m)
	wake(l.ready)
}

func (l *lookout) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b []byte
	for _, m := range l.unsaid {
		b = inner.AppendScreen(b, m)
	}
	l.unsaid = nil
	return b
}

// begin says what a picture stream shows and whether it is wanted still; apart is for separate pictures.
func (l *lookout) begin(h inner.PictureHead) (look screen.Viewport, apart *gathered, wanted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, known := l.asked[h.Viewport]
	if !known || h.Viewport < l.arrive {
		return v, nil, false
	}
	l.arrive = h.Viewport
	v = v.Shrunk(int(h.Shrink))
	switch {
	case !h.Separate:
		l.apart = nil
	case l.apart == nil || l.apart.look != v:
		l.apart = &gathered{look: v}
	}
	return v, l.apart, true
}

// shown acknowledges a picture; false when a newer viewport's pictures have begun, or those of a newer stream.
func (l *lookout) shown(p *screen.Picture) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Viewport.ID < l.arrive || p.Seq < l.seq {
		return false
	}
	l.seq = p.Seq
	l.say(screen.Shown{Viewport: p.Viewport.ID, Seq: p.Seq, Drawn: l.drawn})
	return true
}

// want pins how pictures are made.
func (l *lookout) want(p screen.Pin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pin = p
	l.say(p)
}

// drew takes how long the terminal needed for a picture.
func (l *lookout) drew(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn += (took - l.drawn) / 4; took == 0 { // the terminal is not the limit any more
		l.drawn = 0
	}
}

// runScreen tells the host what is looked at and what was shown, and hears where the pointer is.
func (v *visit) runScreen(ctx context.Context) error {
	if !v.admitted(ctx) {
		return nil
	}
	stream, err := v.link.OpenStream(ctx, wire.StreamScreen)
	if err != nil {
		return fmt.Errorf("open screen stream: %w", err)
	}
	stream.SetUrgency(urgencyScreen)
	v.group.Go(func() error { return v.readScreen(stream) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.s.looks.ready:
		}
		if b := v.s.looks.take(); len(b) > 0 {
			if _, err := stream.Write(b); err != nil {
				return fmt.Errorf("write screen stream: %w", err)
			}
		}
	}
}

func (v *visit) readScreen(stream transport.Stream) error {
	r := bufio.NewReader(stream)
	for {
		m, err := inner.ReadScreen(r)
		if err != nil {
			return fmt.Errorf("read screen stream: %w", err)
		}
		switch m := m.(type) {
		case screen.Display:
			v.s.update(func(st *console.State) { st.Display = m })
		case screen.Pointer:
			v.s.update(func(st *console.State) { st.Pointer = m })
		case screen.Focus:
			v.s.update(func(st *console.State) { st.Focus = m })
		case screen.Hands:
			v.s.update(func(st *console.State) { st.Pointers = others(m, st.Self) })
		case screen.Quality:
			v.s.update(func(st *console.State) { st.Quality = m })
		default:
			return fmt.Errorf("screen stream: %w", inner.ErrMalformed)
		}
	}
}

// others is where other members point.
func others(hands screen.Hands, self session.MemberID) (out []console.MemberPointer) {
	for _, h := range hands {
		if m := session.MemberID(h.Member); m != self {
			out = append(out, console.MemberPointer{Member: m, At: h.At})
		}
	}
	return out
}

// acceptPictures takes the streams of pictures: one a viewport, or one a picture.
func (v *visit) acceptPictures(ctx context.Context) error {
	if !v.admitted(ctx) {
		return nil
	}
	for {
		kind, stream, err := v.link.AcceptUni(ctx)
		if err != nil {
			return fmt.Errorf("accept picture stream: %w", err)
		}
		if kind != wire.StreamPicture {
			stream.CancelRead(0)
			continue
		}
		v.group.Go(func() error {
			defer stream.CancelRead(0)
			return v.readPictures(stream)
		})
	}
}

// readPictures decodes the pictures of one viewport until they end or those of a newer one come.
func (v *visit) readPictures(stream transport.ReceiveStream) error {
	r := reader(stream)
	head, err := inner.ReadPictureHead(r)
	if err != nil {
		return pictureEnd(err)
	}
	look, apart, wanted := v.s.looks.begin(head)
	if !wanted {
		return nil
	}
	if head.Separate {
		return v.readApart(r, apart)
	}
	decoder, err := codec.NewDecoder(look)
	if err != nil {
		return fmt.Errorf("picture of %v: %w", look, err)
	}
	var buf []byte
	for {
		if buf, err = inner.ReadPicture(r, codec.MaxMessage, buf); err != nil {
			return pictureEnd(err)
		}
		p, err := decoder.Decode(buf)
		if err != nil {
			return fmt.Errorf("picture: %w", err)
		}
		if !v.s.show(p) {
			return nil
		}
	}
}

// readApart decodes one separate picture. Those that are older than one that is there already are passed over.
func (v *visit) readApart(r *bufio.Reader, a *gathered) error {
	b, err := inner.ReadPicture(r, codec.MaxMessage, nil)
	if err != nil {
		return pictureEnd(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gather == nil {
		if a.gather, err = codec.NewGather(a.look); err != nil {
			return fmt.Errorf("picture of %v: %w", a.look, err)
		}
	}
	p, err := a.gather.Decode(b)
	if err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	if p != nil {
		v.s.show(p)
	}
	return nil
}

// picturesOnly obeys a command that concerns pictures and nothing else; false when it is another one.
func (s *Session) picturesOnly(c console.Command) bool {
	switch c := c.(type) {
	case console.PinQuality:
		s.looks.want(c.Pin)
	case console.Drew:
		s.looks.drew(c.Took)
	default:
		return false
	}
	return true
}

// show makes p the newest picture; false when a newer viewport's pictures have begun.
func (s *Session) show(p *screen.Picture) bool {
	if !s.looks.shown(p) {
		return false
	}
	s.picture.Store(p)
	s.shown.Add(1)
	s.signal()
	return true
}

// pictureEnd says whether the end of a picture stream is one: the host closes or resets a stream whose viewport was replaced.
func pictureEnd(err error) error {
	var reset *transport.ResetError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &reset) {
		return nil
	}
	return fmt.Errorf("read pictures: %w", err)
}
