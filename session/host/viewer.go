package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"assist/screen"
	"assist/screen/codec"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// stallLimit is how long one write of a picture may take before the viewer's link is given up (threats A20).
const stallLimit = 30 * time.Second

// group is the viewers that share an encoder: all of them get every message, from the first on.
type group struct {
	enc     *codec.Encoder
	members []*viewer
	fresh   bool      // nothing sent yet
	begun   time.Time // of the stream
	sent    time.Time // newest picture
}

// viewer is one console's screen. The studio's goroutine owns the fields up to mu.
type viewer struct {
	id      session.ConsoleID
	link    link
	words   transport.Stream
	view    screen.Viewport
	group   *group
	alone   bool     // was too slow for the others, or has only just come
	told    bool     // may see, and has heard of display and pointer
	unacked []uint64 // frames of this stream that it has not confirmed
	full    time.Time
	good    time.Time // since when it keeps up

	mu       sync.Mutex
	display  *screen.Display // the newest, not yet sent
	pointer  *screen.Pointer // the same
	pictures []shot          // to write, in order; at most inFlight and what begins a stream
	writing  int             // pictures not yet written, of any stream
	stream   transport.SendStream
	newWords chan struct{} // cap 1
	newShots chan struct{} // cap 1
}

// shot is something for the picture stream: its beginning (head) or one framed picture.
type shot struct {
	begin bool
	view  uint32
	msg   []byte
}

func newViewer(c *console, words transport.Stream) *viewer {
	return &viewer{id: c.id, link: c.link, words: words, newWords: make(chan struct{}, 1), newShots: make(chan struct{}, 1)}
}

// place finds a group for a viewer: one with its viewport, which begins anew for all, or one of its own.
func (s *studio) place(v *viewer, now time.Time) {
	v.good, v.full = now, time.Time{}
	if v.group != nil || !v.told || v.view.Grid.X == 0 {
		return
	}
	if g := s.peers(v.view); g != nil && !v.alone && now.Sub(g.begun) >= settleTime {
		s.join(g, now, v)
		return
	}
	enc, err := codec.NewEncoder(v.view, s.display.Size)
	if err != nil {
		s.log.Warn("no encoder", "viewport", v.view, "err", err)
		return
	}
	g := &group{enc: enc, members: []*viewer{v}, fresh: true, begun: now}
	v.group = g
	v.begin()
	s.groups = append(s.groups, g)
}

// peers is the group that viewers of the same viewport share.
func (s *studio) peers(v screen.Viewport) *group {
	for _, g := range s.groups {
		if g.enc.Viewport().Same(v) && !g.members[0].alone {
			return g
		}
	}
	return nil
}

// join adds viewers to a group, whose stream begins anew.
func (s *studio) join(g *group, now time.Time, more ...*viewer) {
	if err := g.enc.Reset(g.enc.Viewport(), s.display.Size); err != nil {
		s.log.Debug("viewport no longer fits", "err", err)
		return
	}
	for _, v := range more {
		s.out(v)
		v.group, v.alone = g, false
		g.members = append(g.members, v)
	}
	g.fresh, g.begun = true, now
	for _, m := range g.members {
		m.begin()
	}
}

// out takes a viewer from its group.
func (s *studio) out(v *viewer) {
	g := v.group
	if g == nil {
		return
	}
	v.group = nil
	v.end()
	g.members = slices.DeleteFunc(g.members, func(m *viewer) bool { return m == v })
	if len(g.members) == 0 {
		s.groups = slices.DeleteFunc(s.groups, func(o *group) bool { return o == g })
	}
}

// split takes viewers that are too slow out of groups that wait for them only. It says whether there is more than one group.
func (s *studio) split(now time.Time) bool {
	for _, v := range s.viewers {
		if v.group == nil {
			continue
		}
		if v.credit() {
			v.full = time.Time{}
			continue
		}
		if v.full.IsZero() {
			v.full = now
		}
		slow := now.Sub(v.full) >= splitAfter
		if slow {
			v.good = now
		}
		if slow && slices.ContainsFunc(v.group.members, func(o *viewer) bool { return o.credit() }) {
			s.out(v)
			v.alone = true
			s.place(v, now)
		}
	}
	return len(s.groups) > 1
}

// merge brings viewers that keep up together with others of their viewport, all of a group at once.
func (s *studio) merge(now time.Time) {
	for _, g := range slices.Clone(s.groups) {
		if len(g.members) == 0 || g.members[0].alone || now.Sub(g.begun) < settleTime {
			continue
		}
		var more []*viewer
		for _, o := range s.groups {
			if o != g && len(o.members) == 1 && o.enc.Viewport().Same(g.enc.Viewport()) && o.members[0].keepsUp(now) {
				more = append(more, o.members[0])
			}
		}
		if len(more) > 0 {
			s.join(g, now, more...)
		}
	}
}

// keepsUp says whether a viewer with a group of its own may share one.
func (v *viewer) keepsUp(now time.Time) bool {
	rest := settleTime
	if v.alone {
		rest = mergeAfter
	}
	return v.credit() && now.Sub(v.good) >= rest && now.Sub(v.group.begun) >= rest
}

// ready says whether a picture for g can be made now: all viewers have credit and the pace allows it.
func (g *group) ready(now time.Time) bool {
	return !now.Before(g.sent.Add(pace)) && !slices.ContainsFunc(g.members, func(v *viewer) bool { return !v.credit() })
}

// when is when to look at g again although nothing happens.
func (g *group) when(now time.Time) time.Time {
	if due := g.sent.Add(pace); now.Before(due) {
		return due
	}
	return now.Add(splitAfter)
}

// credit says whether another picture may be on its way.
func (v *viewer) credit() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return max(len(v.unacked), v.writing) < inFlight
}

// begin starts another picture stream; what the old one still had to say is void.
func (v *viewer) begin() {
	v.unacked = v.unacked[:0]
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drop()
	v.pictures = append(v.pictures, shot{begin: true, view: v.view.ID})
	wake(v.newShots)
}

// end stops pictures.
func (v *viewer) end() {
	v.unacked = v.unacked[:0]
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drop()
	v.pictures = append(v.pictures, shot{begin: true}) // no viewport has the number 0: the stream ends, none begins
	wake(v.newShots)
}

// drop forgets what was not written; it needs mu.
func (v *viewer) drop() {
	for _, p := range v.pictures {
		if !p.begin {
			v.writing--
		}
	}
	v.pictures = nil
	if v.stream != nil { // a write that waits returns
		v.stream.CancelWrite(0)
		v.stream = nil
	}
}

// picture queues one for the stream.
func (v *viewer) picture(framed []byte, seq uint64, now time.Time) {
	v.unacked = append(v.unacked, seq)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writing++
	v.pictures = append(v.pictures, shot{msg: framed})
	wake(v.newShots)
}

// shown takes a viewer's word that it has a picture, and with it all before.
func (v *viewer) shown(m screen.Shown) {
	if m.Viewport != v.view.ID {
		return
	}
	v.unacked = slices.DeleteFunc(v.unacked, func(seq uint64) bool { return seq <= m.Seq })
}

// tell queues display or pointer; of each the newest wins.
func (v *viewer) tell(m screen.Message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch m := m.(type) {
	case screen.Display:
		v.display = &m
	case screen.Pointer:
		v.pointer = &m
	}
	wake(v.newWords)
}

// writeWords sends display and pointer.
func (v *viewer) writeWords(ctx context.Context) error {
	for {
		v.mu.Lock()
		var b []byte
		if v.display != nil {
			b = inner.AppendScreen(b, *v.display)
		}
		if v.pointer != nil {
			b = inner.AppendScreen(b, *v.pointer)
		}
		v.display, v.pointer = nil, nil
		v.mu.Unlock()
		if len(b) > 0 {
			_ = v.words.SetWriteDeadline(time.Now().Add(stallLimit))
			if _, err := v.words.Write(b); err != nil {
				return fmt.Errorf("write screen stream: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-v.newWords:
		}
	}
}

// writePictures sends what the studio made, stream after stream. While it waits for a slow viewer nobody else does.
func (v *viewer) writePictures(ctx context.Context, s *studio) error {
	defer func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.drop()
	}()
	for {
		next, stream, ok := v.next()
		switch {
		case !ok:
			select {
			case <-ctx.Done():
				return nil
			case <-v.newShots:
			}
		case next.begin && next.view == 0: // nothing follows
		case next.begin:
			if err := v.open(ctx, next.view); err != nil {
				return err
			}
		default:
			err := v.write(stream, next.msg, s.over.Load())
			v.wrote(s)
			if err != nil {
				return fmt.Errorf("write picture: %w", err)
			}
		}
	}
}

// write sends one picture. A stream that either side gave up takes no more, which is no error.
func (v *viewer) write(stream transport.SendStream, msg []byte, over bool) error {
	if stream == nil || over {
		return nil
	}
	_ = stream.SetWriteDeadline(time.Now().Add(stallLimit))
	_, err := stream.Write(msg)
	var reset *transport.ResetError
	if !errors.As(err, &reset) {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stream == stream {
		v.stream = nil
	}
	return nil
}

// open begins a picture stream, unless another one was asked for meanwhile.
func (v *viewer) open(ctx context.Context, view uint32) error {
	ctx, cancel := context.WithTimeout(ctx, stallLimit)
	defer cancel()
	stream, err := v.link.OpenUni(ctx, wire.StreamPicture)
	if err != nil {
		return fmt.Errorf("open picture stream: %w", err)
	}
	stream.SetUrgency(urgePicture)
	_ = stream.SetWriteDeadline(time.Now().Add(stallLimit))
	if _, err := stream.Write(inner.AppendPictureHead(nil, view)); err != nil {
		return fmt.Errorf("begin picture stream: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pictures) > 0 && v.pictures[0].begin {
		stream.CancelWrite(0)
		return nil
	}
	v.stream = stream
	return nil
}

func (v *viewer) next() (shot, transport.SendStream, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pictures) == 0 {
		return shot{}, nil, false
	}
	p := v.pictures[0]
	v.pictures = v.pictures[1:]
	return p, v.stream, true
}

// wrote gives the credit of a written picture back.
func (v *viewer) wrote(s *studio) {
	v.mu.Lock()
	v.writing--
	v.mu.Unlock()
	s.post(func(*studio) {})
}
