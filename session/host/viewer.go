package host

import (
	"context"
	"errors"
	"fmt"
	"math"
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

// viewer is one console's screen. The studio's goroutine owns the fields up to mu.
type viewer struct {
	id      session.ConsoleID
	link    link
	words   transport.Stream
	view    screen.Viewport
	group   *group
	alone   bool // was too slow for the others, or has only just come
	lapses  int  // how often it was too slow
	shares  time.Time
	told    bool     // may see, and has heard of display and pointer
	unacked []uint64 // frames of this stream that it has not confirmed
	full    time.Time
	good    time.Time    // since when it keeps up
	hands   screen.Hands // of others, as it was told

	judge       *judge
	terms       terms
	quality     screen.Quality // as it was told
	qualityTold time.Time

	mu       sync.Mutex
	display  *screen.Display // the newest, not yet sent
	pointer  *screen.Pointer // the same
	others   *screen.Hands   // the same
	rated    *screen.Quality // the same
	pictures []shot          // to write, in order; at most two and what begins a stream
	attend   *screen.Focus   // the same
	writing  int             // pictures not yet written, of any stream
	stream   transport.SendStream
	apart    []apart       // separate pictures that it has not confirmed, oldest first
	newWords chan struct{} // cap 1
	newShots chan struct{} // cap 1
}

// shot is something for the picture streams: the beginning of one with a history (head), one framed picture for that, or a
// separate picture with its head.
type shot struct {
	begin bool
	head  inner.PictureHead
	seq   uint64
	msg   []byte
	twice bool
}

// apart is the stream of a separate picture.
type apart struct {
	seq    uint64
	stream transport.SendStream
}

func newViewer(c *console, words transport.Stream) *viewer {
	return &viewer{id: c.id, link: c.link, words: words, judge: newJudge(), newWords: make(chan struct{}, 1), newShots: make(chan struct{}, 1)}
}

// wants is the viewport with the grid that it gets.
func (v *viewer) wants() screen.Viewport { return v.view.Shrunk(v.judge.shrink) }

// credit says whether another picture may be on its way. One that has not left this machine yet is enough on a line that
// carries little: what comes after it should be of the newest frame.
func (v *viewer) credit() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	writes := inFlight
	if v.judge.carries > 0 {
		writes = 1
	}
	return len(v.unacked) < v.judge.away() && v.writing < writes
}

// begin starts another picture stream; what the old one still had to say is void. Separate pictures have streams of their own.
func (v *viewer) begin() {
	v.unacked = v.unacked[:0]
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drop()
	head := inner.PictureHead{Viewport: v.view.ID, Shrink: uint8(v.judge.shrink)}
	if v.group.separate() {
		head.Viewport = 0
	}
	v.pictures = append(v.pictures, shot{begin: true, head: head})
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
	v.moot(math.MaxUint64)
}

// moot gives up the separate pictures before seq; it needs mu.
func (v *viewer) moot(seq uint64) {
	for len(v.apart) > 0 && v.apart[0].seq < seq {
		v.apart[0].stream.CancelWrite(0)
		v.apart = v.apart[1:]
	}
}

// picture queues one.
func (v *viewer) picture(msg []byte, seq uint64, separate bool, shrink uint8) {
	p := shot{seq: seq}
	if separate {
		p.head = inner.PictureHead{Viewport: v.view.ID, Shrink: shrink, Separate: true}
		p.msg, p.twice = inner.AppendPictureHead(nil, p.head), v.judge.twice(len(msg))
	}
	p.msg = inner.AppendPicture(p.msg, msg)
	v.unacked = append(v.unacked, seq)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writing++
	v.pictures = append(v.pictures, p)
	wake(v.newShots)
}

// shown takes a viewer's word that it has a picture, and with it all before.
func (v *viewer) shown(m screen.Shown) {
	if m.Viewport != v.view.ID {
		return
	}
	v.judge.drawn = m.Drawn
	n := len(v.unacked)
	v.unacked = slices.DeleteFunc(v.unacked, func(seq uint64) bool { return seq <= m.Seq })
	if len(v.unacked) == n || v.group == nil {
		return // of a stream before this one
	}
	if enc, ok := v.group.enc.(*codec.Separate); ok {
		enc.Confirmed(m.Seq)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.moot(m.Seq)
	}
}

// tell queues display, pointer, hands or quality; of each the newest wins.
func (v *viewer) tell(m screen.Message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch m := m.(type) {
	case screen.Display:
		v.display = &m
	case screen.Pointer:
		v.pointer = &m
	case screen.Hands:
		v.others = &m
	case screen.Quality:
		v.rated = &m
	case screen.Focus:
		v.attend = &m
	}
	wake(v.newWords)
}

// writeWords sends display, pointer, hands and quality.
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
		if v.others != nil {
			b = inner.AppendScreen(b, *v.others)
		}
		if v.rated != nil {
			b = inner.AppendScreen(b, *v.rated)
		}
		if v.attend != nil {
			b = inner.AppendScreen(b, *v.attend)
		}
		v.display, v.pointer, v.others, v.rated, v.attend = nil, nil, nil, nil, nil
		v.mu.Unlock()
		if len(b) > 0 {
			_ = v.words.SetWriteDeadline(time.Now().Add(stallLimit))
			if _, err := v.words.Write(b); err != nil {
				return givenUp(err, "write screen stream")
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
		case next.begin && next.head.Viewport == 0: // nothing follows, or separate pictures
		case next.begin:
			if err := v.open(ctx, next.head); err != nil {
				return err
			}
		case next.head.Separate:
			err := v.writeApart(ctx, next, s.over.Load())
			v.wrote(s)
			if err != nil {
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
	if err == nil || givenUp(err, "") != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stream == stream {
		v.stream = nil
	}
	return nil
}

// givenUp is nil when err says that the other side wants no more of a stream, which says nothing about its link: a console
// that leaves gives up its streams first.
func givenUp(err error, doing string) error {
	var reset *transport.ResetError
	if errors.As(err, &reset) {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// open begins a picture stream, unless another one was asked for meanwhile.
func (v *viewer) open(ctx context.Context, head inner.PictureHead) error {
	stream, err := v.newStream(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Write(inner.AppendPictureHead(nil, head)); err != nil {
		return givenUp(err, "begin picture stream")
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

func (v *viewer) newStream(ctx context.Context) (transport.SendStream, error) {
	ctx, cancel := context.WithTimeout(ctx, stallLimit)
	defer cancel()
	stream, err := v.link.OpenUni(ctx, wire.StreamPicture)
	if err != nil {
		return nil, fmt.Errorf("open picture stream: %w", err)
	}
	stream.SetUrgency(urgePicture)
	stream = transport.Pace(stream, transport.Picture)
	_ = stream.SetWriteDeadline(time.Now().Add(stallLimit))
	return stream, nil
}

// A separate picture that is small is sent twice, so that a lost packet costs this long and not a round trip.
const (
	twiceAfter = 5 * time.Millisecond // so that both are not in one packet
	twiceSize  = 8 << 10              // bytes
)

// writeApart sends a separate picture, unless it became moot meanwhile.
func (v *viewer) writeApart(ctx context.Context, p shot, over bool) error {
	if over {
		return nil
	}
	if err := v.writeOnce(ctx, p); err != nil || !p.twice || len(p.msg) > twiceSize {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(twiceAfter):
		return v.writeOnce(ctx, p)
	}
}

func (v *viewer) writeOnce(ctx context.Context, p shot) error {
	stream, err := v.newStream(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.apart = append(v.apart, apart{p.seq, stream})
	if len(v.pictures) > 0 && v.pictures[0].begin {
		v.moot(math.MaxUint64)
	}
	v.mu.Unlock()
	if _, err := stream.Write(p.msg); err != nil {
		return givenUp(err, "write picture")
	}
	_ = stream.Close() // reset by now, or it ends in order
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
