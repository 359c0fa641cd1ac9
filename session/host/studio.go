package host

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/screen"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
)

// How pictures are paced (design §3).
const (
	pace       = time.Second / 15       // between two pictures; the first after a rest goes at once
	inFlight   = 2                      // pictures that wait for a viewer's word on a short line
	splitAfter = 25 * time.Millisecond  // a viewer without credit holds those who have it up for no longer
	slowAfter  = 150 * time.Millisecond // a viewer without credit for so long does not keep up
	mostLapses = 6                      // doublings of mergeAfter
	forgive    = time.Minute            // without a lapse, and the next counts as the first
	mergeAfter = 2 * time.Second        // a viewer that kept up for so long shares an encoder again, once its first lapse is over
	settleTime = time.Second            // between two restarts of a shared encoder, and for a new viewport to settle
	livePoll   = pace                   // of the pointer, while it moves or the picture does
	idlePoll   = 250 * time.Millisecond
	restPoll   = time.Second // of a pointer that has been still for long
	liveFor    = 2 * time.Second
	idleFor    = 10 * time.Second
)

// studio turns the display into pictures for viewers. Its goroutine owns everything but the first block.
type studio struct {
	source Source
	log    *slog.Logger
	over   atomic.Bool
	hands  func(now time.Time) screen.Hands // where agents point
	stir   <-chan struct{}                  // somebody points: looked at soon
	may    atomic.Pointer[map[session.ConsoleID]session.MemberID]
	newMay chan struct{} // cap 1
	todo   chan func(*studio)
	done   chan struct{}

	viewers map[session.ConsoleID]*viewer
	see     map[session.ConsoleID]session.MemberID // what may says, once it is obeyed
	groups  []*group
	frame   *screen.Frame
	number  uint64 // of the newest picture, of any viewer
	display screen.Display
	changed bool      // Grab would find something
	grabbed time.Time // when last
	pointer screen.Pointer
	looked  time.Time // at the pointer
	moved   time.Time // pointer or picture, last
	waved   screen.Hands
	focus   focus
}

func newStudio(source Source, p *player, log *slog.Logger) *studio {
	s := &studio{
		source: source, hands: p.pointing, stir: p.hands.stir, log: log, newMay: make(chan struct{}, 1), todo: make(chan func(*studio), 64), done: make(chan struct{}),
		viewers: map[session.ConsoleID]*viewer{}, changed: true,
	}
	s.may.Store(&map[session.ConsoleID]session.MemberID{})
	return s
}

// halt ends sending for good.
func (s *studio) halt() { s.over.Store(true) }

func (s *studio) post(f func(*studio)) {
	select {
	case s.todo <- f:
	case <-s.done:
	}
}

// allow says which consoles may see, and whose they are; the others get nothing from now on. It does not wait.
func (s *studio) allow(see map[session.ConsoleID]session.MemberID) {
	s.may.Store(&see)
	wake(s.newMay)
}

// admit does what allow said.
func (s *studio) admit(now time.Time) {
	s.see = *s.may.Load()
	for id, v := range s.viewers {
		switch {
		case s.see[id] == session.Nobody:
			v.told = false
			s.out(v)
		case !v.told:
			v.told = true
			v.tell(s.display)
			v.tell(s.pointer)
			v.tell(s.focus.now)
			s.waveTo(v)
			s.place(v, now)
		}
	}
}

// leave forgets a console whose link is gone.
func (s *studio) leave(id session.ConsoleID) {
	s.post(func(s *studio) {
		if v := s.viewers[id]; v != nil {
			s.out(v)
			delete(s.viewers, id)
		}
	})
}

func (s *studio) run(ctx context.Context) error {
	defer close(s.done)
	s.display = s.source.Display()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var wait <-chan time.Time
		now := time.Now()
		next := s.step(now)
		if !next.IsZero() {
			timer.Reset(next.Sub(now))
			wait = timer.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.source.Changed():
			s.changed = true
		case <-s.newMay:
			s.admit(time.Now())
		case <-s.stir:
			s.moved = time.Now()
		case f := <-s.todo:
			f(s)
		case <-wait:
		}
	}
}

// step does what is due now and says when something is next; the zero time: not before something happens.
func (s *studio) step(now time.Time) time.Time {
	if s.over.Load() || len(s.viewers) == 0 {
		return time.Time{}
	}
	next := s.point(now)
	sooner := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	s.judge(now)
	if s.split(now) {
		s.merge(now)
	}
	if due := s.grabbed.Add(pace); s.changed && s.anyReady(now) {
		if now.Before(due) {
			sooner(due)
		} else if err := s.grab(now); err != nil {
			s.log.Warn("grab display", "err", err)
			s.grabbed = now
			sooner(now.Add(time.Second))
		}
	}
	for _, g := range s.groups {
		if !g.ready(now) || s.frame == nil || s.changed && g.fresh {
			sooner(g.when(now))
			continue
		}
		if g.fresh || g.enc.Pending() {
			if s.shoot(g, now); g.enc.Pending() {
				sooner(g.when(now))
				continue
			}
		}
		if due, rough := g.mendDue(); rough && now.Before(due) {
			sooner(due)
		} else if rough {
			s.mend(g, now)
			sooner(g.when(now))
		}
	}
	return next
}

func (s *studio) anyReady(now time.Time) bool {
	return slices.ContainsFunc(s.groups, func(g *group) bool { return g.ready(now) })
}

// grab takes the newest frame; what changed is marked for every group.
func (s *studio) grab(now time.Time) error {
	f, d, err := s.source.Grab()
	if err != nil {
		return err
	}
	s.changed, s.grabbed, s.frame = false, now, f
	if len(d) > 0 {
		s.moved = now
		s.notice(d, now)
	}
	for _, g := range s.groups {
		if g.enc.Mark(d) {
			g.moved, g.mending = now, false
		}
	}
	if f.Size != s.display.Size {
		s.display = s.source.Display()
		s.tell(s.display)
	}
	return nil
}

// shoot sends a group what it has not seen of the newest frame, as exactly as its viewers' lines allow.
func (s *studio) shoot(g *group, now time.Time) {
	if g.mending {
		s.mend(g, now)
		return
	}
	marked := g.enc.Marked()
	moving := !g.fresh && g.moved.After(g.sent) // else it is what is left of a large picture
	g.terms = g.choose(now, marked)
	echoes := s.echo(g, now)
	size := s.send(g, now, g.terms)
	if echoes { // it is smaller than others
		return
	}
	for _, v := range g.members {
		v.judge.made(marked, size, moving, g.terms)
	}
}

// mend sends a group exactly what it has roughly.
func (s *studio) mend(g *group, now time.Time) {
	g.mending = true
	g.enc.Refine()
	t := g.terms
	t.tune, t.level = g.members[0].judge.mend(), 0
	s.send(g, now, t)
}

// send makes one picture for a group and returns how many bytes it has, 0 when there is nothing new.
func (s *studio) send(g *group, now time.Time, t terms) int {
	g.fresh = false
	frame := *s.frame
	frame.Seq = s.number + 1
	msg, changed := g.enc.EncodeAs(&frame, nil, t.tune)
	if !changed {
		return 0
	}
	s.number++
	g.sent = now
	for _, v := range g.members {
		v.picture(msg, s.number, g.separate(), uint8(t.shrink))
	}
	return len(msg)
}

// point sends the pointer when it has moved, and says when to look again.
func (s *studio) point(now time.Time) time.Time {
	every := idlePoll
	switch still := now.Sub(s.moved); {
	case still < liveFor:
		every = livePoll
	case still > idleFor:
		every = restPoll
	}
	s.seek(now)
	if due := s.looked.Add(every); now.Before(due) {
		return due
	}
	s.looked = now
	s.wave(now)
	p, err := s.source.Pointer()
	if err != nil {
		s.log.Debug("read pointer", "err", err)
		return now.Add(time.Second)
	}
	if p != s.pointer {
		s.pointer, s.moved = p, now
		s.tell(p)
	}
	return now.Add(every)
}

// tell tells every viewer who may see.
func (s *studio) tell(m screen.Message) {
	for _, v := range s.viewers {
		if v.told {
			v.tell(m)
		}
	}
}

// serve is a console's screen stream: viewports and acknowledgements come up, display and pointer go down.
func (s *studio) serve(ctx context.Context, group *errgroup.Group, c *console, stream transport.Stream) error {
	stream.SetUrgency(urgeControl)
	v := newViewer(c, stream)
	s.post(func(s *studio) {
		s.viewers[c.id] = v
		s.admit(time.Now())
	})
	group.Go(func() error { return v.writeWords(ctx) })
	group.Go(func() error { return v.writePictures(ctx, s) })
	r := bufio.NewReader(stream)
	for {
		m, err := inner.ReadScreen(r)
		if err != nil {
			return streamEnd(err)
		}
		switch m := m.(type) {
		case screen.Viewport:
			s.post(func(s *studio) { s.look(v, m) })
		case screen.Shown:
			s.post(func(*studio) { v.shown(m) })
		case screen.Pin:
			s.post(func(s *studio) { s.pin(v, m) })
		default:
			return fmt.Errorf("%w: a console does not send that on its screen stream", inner.ErrMalformed)
		}
	}
}

// look gives a viewer another viewport. One that does not fit the display is passed over: the console hears of the new
// display and asks again.
func (s *studio) look(v *viewer, view screen.Viewport) {
	if s.viewers[v.id] != v || view.Check(s.display.Size) != nil {
		return
	}
	s.out(v)
	v.view, v.alone = view, v.judge.loss.Lossy
	s.place(v, time.Now())
}

// pin makes a viewer's pictures as it wants them.
func (s *studio) pin(v *viewer, p screen.Pin) {
	if s.viewers[v.id] != v || v.judge.pin == p {
		return
	}
	v.judge.pin = p
	v.judge.resize(0)
	s.out(v)
	s.place(v, time.Now())
}
