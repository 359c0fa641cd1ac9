package host

import (
	"context"
	"image"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"assist/screen"
	"assist/screen/textcodec"
	"assist/session"
	"assist/session/inner"
)

// How text is paced. A state waits until the program has said nothing for a moment, so that what it draws in several writes
// is sent at once, but not long; then comes a pause, in which newer states replace each other. Somebody who types waits for
// the echo, so a short while after each key the moment is shorter.
const (
	textPace  = 25 * time.Millisecond
	echoesFor = 500 * time.Millisecond
)

var (
	typing  = moment{rest: 1500 * time.Microsecond, late: 8 * time.Millisecond}
	reading = moment{rest: 8 * time.Millisecond, late: 20 * time.Millisecond}
)

// moment is how long a program has to be silent, and how long that is waited for.
type moment struct{ rest, late time.Duration }

// scribe sends the states of a text to those who read it. Its goroutine owns everything but the first block.
type scribe struct {
	source TextSource
	log    *slog.Logger
	opened func(session.MemberID) // a member looks for the first time; it does not wait long
	over   atomic.Bool
	typed  atomic.Int64 // when an agent typed last, UnixNano
	may    atomic.Pointer[map[session.ConsoleID]rights]
	newMay chan struct{} // cap 1
	todo   chan func(*scribe)
	done   chan struct{}

	readers map[session.ConsoleID]*reader
	seen    map[session.MemberID]bool // who has looked
	groups  []*textGroup
	about   screen.TextAbout
	first   time.Time // signal that has not been obeyed; zero: there is none
	newest  time.Time // such signal
}

// rights are what a console may do with the text.
type rights struct {
	member   session.MemberID // who sees it
	controls bool
}

// textGroup is the readers that share an encoder: all of them get every message, from the first on.
type textGroup struct {
	enc     *textcodec.Encoder
	members []*reader
	behind  bool // there is a newer state than was sent
	begun   time.Time
	sent    time.Time
}

func newScribe(source TextSource, log *slog.Logger) *scribe {
	s := &scribe{
		source: source, log: log, newMay: make(chan struct{}, 1), todo: make(chan func(*scribe), 64), done: make(chan struct{}),
		readers: map[session.ConsoleID]*reader{}, seen: map[session.MemberID]bool{}, opened: func(session.MemberID) {},
	}
	s.may.Store(&map[session.ConsoleID]rights{})
	return s
}

func (s *scribe) post(f func(*scribe)) {
	select {
	case s.todo <- f:
	case <-s.done:
	}
}

// allow says which consoles may see the text, and which of them control; the others get nothing from now on. It does not wait.
func (s *scribe) allow(may map[session.ConsoleID]rights) {
	s.may.Store(&may)
	wake(s.newMay)
}

func (s *scribe) run(ctx context.Context) error {
	defer close(s.done)
	signals := s.source.Watch()
	s.about = s.source.About()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var wait <-chan time.Time
		now := time.Now()
		if next := s.step(now); !next.IsZero() {
			timer.Reset(next.Sub(now))
			wait = timer.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			s.signal(time.Now())
		case <-s.newMay:
			s.admit(time.Now())
		case f := <-s.todo:
			f(s)
		case <-wait:
		}
	}
}

// signal remembers that there is something new.
func (s *scribe) signal(now time.Time) {
	s.newest = now
	if s.first.IsZero() {
		s.first = now
	}
	for _, g := range s.groups {
		g.behind = true
	}
	if about := s.source.About(); about != s.about {
		s.about = about
		for _, r := range s.readers {
			if r.told {
				r.send(inner.AppendText(nil, about), false)
			}
		}
	}
}

// touch says that an agent types.
func (s *scribe) touch() { s.typed.Store(time.Now().UnixNano()) }

// step does what is due now and says when something is next; the zero time: not before something happens.
func (s *scribe) step(now time.Time) (next time.Time) {
	if s.over.Load() || len(s.groups) == 0 {
		return time.Time{}
	}
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	s.split(now)
	s.merge(now)
	wait := reading
	if now.UnixNano()-s.typed.Load() < int64(echoesFor) {
		wait = typing
	}
	rest := s.newest.Add(wait.rest)
	if late := s.first.Add(wait.late); late.Before(rest) {
		rest = late
	}
	for _, g := range s.groups {
		due := g.sent.Add(textPace)
		if rest.After(due) && !s.first.IsZero() {
			due = rest
		}
		switch {
		case !g.behind:
		case !g.credit():
			sooner(now.Add(splitAfter))
		case now.Before(due):
			sooner(due)
		default:
			s.write(g, now)
		}
	}
	if !slices.ContainsFunc(s.groups, func(g *textGroup) bool { return g.behind }) {
		s.first = time.Time{}
	}
	if len(s.groups) > 1 {
		sooner(now.Add(settleTime))
	}
	return next
}

// write sends a group the newest state.
func (s *scribe) write(g *textGroup, now time.Time) {
	g.behind = false
	if g.enc.Full() {
		g.begin(now)
	}
	begins := g.enc.Begins()
	msg, changed := g.enc.Encode(s.source.Grid())
	if !changed {
		return
	}
	g.sent = now
	update := screen.TextUpdate{Begins: begins, Body: msg}
	framed := inner.AppendText(nil, update)
	for _, r := range g.members {
		r.sent++
		r.owed = append(r.owed, update.Weight())
		r.send(framed, true)
	}
}

// credit says whether all of a group are ready for more.
func (g *textGroup) credit() bool {
	return !slices.ContainsFunc(g.members, func(r *reader) bool { return !r.credit() })
}

// begin starts another series for all of a group.
func (g *textGroup) begin(now time.Time) {
	g.enc.Reset()
	g.begun, g.behind, g.sent = now, true, time.Time{}
	for _, r := range g.members {
		r.sent, r.owed = 0, nil
	}
}

// admit does what allow said.
func (s *scribe) admit(now time.Time) {
	may := *s.may.Load()
	for id, r := range s.readers {
		was := r.told
		r.rights = may[id]
		r.told = r.rights.member != session.Nobody
		if r.told && !was {
			r.send(inner.AppendText(nil, s.about), false)
		}
	}
	for _, r := range s.readers {
		s.seat(r, now)
	}
}

// seat gives a reader a group if it looks and may, takes it from its group if not, and tells the source how large it is.
func (s *scribe) seat(r *reader, now time.Time) {
	looks := r.told && r.look.On
	if m := r.rights.member; looks && !s.seen[m] {
		s.seen[m] = true
		s.opened(m)
	}
	switch {
	case looks && r.group == nil:
		s.place(r, now)
	case !looks:
		s.out(r)
	}
	size := r.size()
	if !looks {
		size.X, size.Y = 0, 0
	}
	if w := (want{size, r.rights.controls}); w != r.wanted {
		r.wanted = w
		s.source.Want(uint64(r.id), w.size, w.controls)
	}
}

// place finds a group for a reader: one that keeps up, which begins anew for all, or one of its own.
func (s *scribe) place(r *reader, now time.Time) {
	r.good = now
	for _, g := range s.groups {
		if g.credit() && now.Sub(g.begun) >= settleTime {
			r.group = g
			g.members = append(g.members, r)
			g.begin(now)
			return
		}
	}
	enc, err := textcodec.NewEncoder()
	if err != nil {
		s.log.Warn("no encoder for text", "err", err)
		return
	}
	r.group = &textGroup{enc: enc, members: []*reader{r}}
	r.group.begin(now)
	s.groups = append(s.groups, r.group)
}

// out takes a reader from its group.
func (s *scribe) out(r *reader) {
	g := r.group
	if g == nil {
		return
	}
	r.group = nil
	g.members = slices.DeleteFunc(g.members, func(m *reader) bool { return m == r })
	if len(g.members) == 0 {
		s.groups = slices.DeleteFunc(s.groups, func(o *textGroup) bool { return o == g })
	}
}

// split takes readers that are too slow out of groups that wait for them only.
func (s *scribe) split(now time.Time) {
	for _, r := range s.readers {
		if r.group == nil || r.credit() {
			r.full = time.Time{}
			continue
		}
		if r.full.IsZero() {
			r.full = now
		}
		r.good = now
		others := slices.ContainsFunc(r.group.members, func(o *reader) bool { return o.credit() })
		if g := r.group; now.Sub(r.full) >= splitAfter && others {
			s.out(r)
			enc, err := textcodec.NewEncoder()
			if err != nil {
				s.log.Warn("no encoder for text", "err", err)
				r.group = g
				g.members = append(g.members, r)
				return
			}
			r.group = &textGroup{enc: enc, members: []*reader{r}}
			r.group.begin(now)
			s.groups = append(s.groups, r.group)
		}
	}
}

// merge brings readers that have kept up for a while together, all of a group at once.
func (s *scribe) merge(now time.Time) {
	if len(s.groups) < 2 {
		return
	}
	restless := func(r *reader) bool {
		return !r.credit() || now.Sub(r.good) < settleTime || now.Sub(r.group.begun) < settleTime
	}
	var into *textGroup
	for _, g := range slices.Clone(s.groups) {
		if slices.ContainsFunc(g.members, restless) {
			continue
		}
		if into == nil {
			into = g
			continue
		}
		for _, r := range slices.Clone(g.members) {
			s.out(r)
			r.group = into
			into.members = append(into.members, r)
		}
		into.begin(now)
	}
}

// leave forgets a console whose link is gone.
func (s *scribe) leave(id session.ConsoleID) {
	s.post(func(s *scribe) {
		if r := s.readers[id]; r != nil {
			s.out(r)
			delete(s.readers, id)
			s.source.Want(uint64(id), image.Point{}, false)
		}
	})
}
