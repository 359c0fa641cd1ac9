package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"assist/screen"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// Times and limits of one console.
const (
	silence     = 3500 * time.Millisecond // without a packet that it has signed, and its link counts as dropped
	writeLimit  = 10 * time.Second        // one message that cannot be written for so long is given up, with its link
	maxWaiting  = 1 << 20                 // bytes of answers and chat that wait for a slow console (threats A20)
	farewell    = 300 * time.Millisecond  // for the last words before a link is closed
	closeGrace  = 200 * time.Millisecond
	sayRate     = 5 // messages a second
	sayBurst    = 20
	doRate      = 50 // other commands a second
	doBurst     = 200
	urgeControl = 1 // RFC 9218: before pictures
	urgePicture = 4
)

// wireKind is what a stream carries.
type wireKind = wire.StreamKind

// console is one link after its badge was checked.
type console struct {
	id      session.ConsoleID // set once, like all up to words
	link    link
	control transport.Stream
	words   []string
	after   uint64 // newest entry it had when it came
	came    time.Time
	says    *rate.Limiter
	does    *rate.Limiter
	stills  *rate.Limiter
	reports atomic.Int32 // report streams that are open

	member session.MemberID // owned by the session loop
	in     bool             // owned by the session loop
	way    transport.Change // the same; as it was told last

	mu      sync.Mutex
	waiting []*inner.ToConsole
	roster  *inner.ToConsole // the newest, not yet sent
	bytes   int
	last    bool // nothing more is sent after what waits
	code    uint64
	reason  string
	ready   chan struct{} // cap 1

	input  *intake
	screen atomic.Bool // it has opened its screen stream; there is one
	text   atomic.Bool // the same of its text stream
	runs   atomic.Int32
	files  atomic.Int32
}

func newConsole(id session.ConsoleID, k link, control transport.Stream) *console {
	return &console{
		id: id, link: k, control: control, came: time.Now(), ready: make(chan struct{}, 1), input: newIntake(),
		says: rate.NewLimiter(sayRate, sayBurst), does: rate.NewLimiter(doRate, doBurst),
		stills: rate.NewLimiter(stillRate, stillBurst),
	}
}

// send queues m. Past the bound the console is too slow to follow, and its link is closed.
func (c *console) send(m *inner.ToConsole) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last {
		return
	}
	c.bytes += proto.Size(m)
	if c.bytes > maxWaiting+wire.LimitWelcome {
		c.finish(inner.CloseSilent, "too slow")
		return
	}
	c.waiting = append(c.waiting, m)
	wake(c.ready)
}

// sendWaiting says what a console at the door waits for.
func (c *console) sendWaiting(why string) {
	c.send(&inner.ToConsole{Kind: &inner.ToConsole_Waiting{Waiting: &inner.Waiting{Why: why, Seconds: uint32(session.AnswerTime.Seconds())}}})
}

// sendRoster replaces a roster that still waits: it is state, the newest wins.
func (c *console) sendRoster(r session.Roster) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roster = &inner.ToConsole{Kind: &inner.ToConsole_Roster{Roster: inner.NewRoster(r)}}
	wake(c.ready)
}

// bye lets what waits go out and closes the link then.
func (c *console) bye(code uint64, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish(code, reason)
}

// finish needs mu.
func (c *console) finish(code uint64, reason string) {
	if !c.last {
		c.last, c.code, c.reason = true, code, reason
		wake(c.ready)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take gives what waits; over says that nothing comes after it.
func (c *console) take() (out []*inner.ToConsole, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out = c.waiting
	if c.roster != nil {
		out = append(out, c.roster)
	}
	c.waiting, c.roster, c.bytes = nil, nil, 0
	return out, c.last
}

// errBye says that the host closed the link on purpose.
var errBye = errors.New("closed by the host")

// write sends what is queued, in order.
func (c *console) write(ctx context.Context) error {
	for {
		out, over := c.take()
		limit := writeLimit
		if over {
			limit = farewell
		}
		_ = c.control.SetWriteDeadline(time.Now().Add(limit))
		for _, m := range out {
			if err := wire.WriteMsg(c.control, m); err != nil {
				return fmt.Errorf("write control stream: %w", err)
			}
		}
		if over {
			return errBye
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.ready:
		}
	}
}

// live runs a console until its link is gone, and then takes it from the session.
func (h *Host) live(ctx context.Context, c *console) {
	group, inside := errgroup.WithContext(ctx)
	group.Go(func() error { // closes the link, and everything else ends by that
		<-inside.Done()
		h.hangUp(ctx, c, context.Cause(inside))
		return nil
	})
	group.Go(func() error { return c.write(inside) })
	group.Go(func() error { return h.readControl(c) })
	group.Go(func() error { return h.acceptStreams(inside, group, c) })
	group.Go(func() error { return h.acceptUnis(inside, c) })
	group.Go(func() error { return h.hearInput(inside, c) })
	group.Go(func() error { return h.tellTaken(inside, c) })
	group.Go(func() error { return h.playInput(inside, c) })
	group.Go(func() error {
		select {
		case <-c.link.Done():
			return errors.New("the link is gone")
		case <-inside.Done():
			return nil
		}
	})
	err := group.Wait()
	h.log.Debug("console gone", "console", c.id, "err", err)
	h.studio.leave(c.id)
	if h.scribe != nil {
		h.scribe.leave(c.id)
	}
	h.loop.post(func(l *loop) { l.dropped(c, err) })
}

// hangUp closes the link of a console that is done with. Said words get a moment to arrive.
func (h *Host) hangUp(ctx context.Context, c *console, cause error) {
	c.mu.Lock()
	code, reason := c.code, c.reason
	c.mu.Unlock()
	switch {
	case errors.Is(cause, errBye):
		if code != inner.CloseSilent && code != inner.CloseNoPath { // nothing was said before
			_ = c.control.Close()
			h.linger(c.link)
		}
	case ctx.Err() != nil:
		code, reason = inner.CloseEnded, "the customer's host has ended the session"
	case errors.Is(cause, inner.ErrMalformed):
		code, reason = inner.CloseBroken, "malformed message"
	case errors.Is(cause, errSilent):
		code, reason = inner.CloseSilent, "nothing heard"
	case code == 0:
		code, reason = inner.CloseSilent, "the link broke"
	}
	c.link.Close(code, reason)
}

// acceptStreams takes the bidirectional streams of a console that come after control.
func (h *Host) acceptStreams(ctx context.Context, group *errgroup.Group, c *console) error {
	for {
		kind, s, err := c.link.AcceptStream(ctx)
		if err != nil {
			return fmt.Errorf("accept stream: %w", err)
		}
		if kind == wire.StreamStill {
			group.Go(func() error { return h.studio.serveStill(ctx, c, s) })
			continue
		}
		if kind == wire.StreamText && h.scribe != nil && !c.text.Swap(true) {
			group.Go(func() error { return h.scribe.serve(ctx, group, c, s) })
			continue
		}
		if do := h.work(kind); do != nil {
			group.Go(func() error { return do(ctx, c, s) })
			continue
		}
		if kind != wire.StreamScreen || c.screen.Swap(true) {
			s.CancelRead(0)
			s.CancelWrite(0)
			continue
		}
		group.Go(func() error { return h.studio.serve(ctx, group, c, s) })
	}
}

// acceptUnis refuses the unidirectional streams of a console: there are none that it may open.
func (h *Host) acceptUnis(ctx context.Context, c *console) error {
	for {
		_, s, err := c.link.AcceptUni(ctx)
		if err != nil {
			return fmt.Errorf("accept stream: %w", err)
		}
		s.CancelRead(0)
	}
}

// streamEnd says whether a stream ended as streams do.
func streamEnd(err error) error {
	if errors.Is(err, screen.ErrMalformed) || errors.Is(err, inner.ErrMalformed) {
		return fmt.Errorf("%w: %w", inner.ErrMalformed, err)
	}
	return nil
}
