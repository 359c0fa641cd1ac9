package host

import (
	"image"
	"slices"
	"time"

	"assist/screen"
	"assist/screen/codec"
)

// group is the viewers that share an encoder: all of them get every message, from the first on.
type group struct {
	enc     maker
	members []*viewer
	fresh   bool      // nothing sent yet
	begun   time.Time // of the stream
	sent    time.Time // newest picture
	echoed  time.Time // the newest key after which a picture began where it was typed
	waits   time.Time // since when a picture is held up for some who could have it; zero: none is
	uneven  time.Time // since when some get less than their lines carry; zero: none do
	moved   time.Time // something in the viewport, last
	terms   terms     // of the newest picture
	mending bool      // nothing moved since what was rough began to be sent exactly
}

// maker is what both kinds of encoders have.
type maker interface {
	Viewport() screen.Viewport
	Mark(d screen.Damage) bool
	Pending() bool
	Marked() int
	Rough() bool
	Refine()
	EncodeAs(f *screen.Frame, d screen.Damage, t codec.Tuning) (msg []byte, changed bool)
}

// separate says whether the pictures are such that each needs only a confirmed one.
func (g *group) separate() bool {
	_, ok := g.enc.(*codec.Separate)
	return ok
}

// newMaker is an encoder for what v is to get now.
func newMaker(v *viewer, display image.Point) (maker, error) {
	if v.judge.loss.Lossy {
		return codec.NewSeparate(v.wants(), display)
	}
	return codec.NewEncoder(v.wants(), display)
}

// choose is the terms of the member with the poorest line.
func (g *group) choose(now time.Time, marked int) (t terms) {
	for i, v := range g.members {
		o := v.judge.choose(now, marked)
		if v.terms = o; i == 0 || o.level > t.level || o.level == t.level && o.every > t.every {
			t = o
		}
	}
	return t
}

// mendDue says when what is rough is to be sent exactly, if anything is.
func (g *group) mendDue() (due time.Time, rough bool) {
	if g.fresh || !g.enc.Rough() {
		return due, false
	}
	return g.moved.Add(g.members[0].judge.mends()), true
}

// place finds a group for a viewer: one with its viewport, which begins anew for all, or one of its own.
func (s *studio) place(v *viewer, now time.Time) {
	v.good, v.full = now, time.Time{}
	if v.group != nil || !v.told || v.view.Grid.X == 0 {
		return
	}
	if g := s.peers(v); g != nil && !v.alone && now.Sub(g.begun) >= settleTime {
		s.join(g, now, v)
		return
	}
	enc, err := newMaker(v, s.display.Size)
	if err != nil {
		s.log.Warn("no encoder", "viewport", v.view, "err", err)
		return
	}
	g := &group{enc: enc, members: []*viewer{v}, fresh: true, begun: now, moved: now}
	v.group = g
	v.begin()
	s.groups = append(s.groups, g)
}

// peers is the group that viewers of the same viewport share who want it alike.
func (s *studio) peers(v *viewer) *group {
	for _, g := range s.groups {
		if o := g.members[0]; g.enc.Viewport().Same(v.wants()) && !o.alone && o.judge.pin == v.judge.pin && !g.separate() {
			return g
		}
	}
	return nil
}

// join adds viewers to a group, whose stream begins anew.
func (s *studio) join(g *group, now time.Time, more ...*viewer) {
	enc, err := codec.NewEncoder(g.enc.Viewport(), s.display.Size)
	if err != nil {
		s.log.Debug("viewport no longer fits", "err", err)
		return
	}
	g.enc = enc
	for _, v := range more {
		s.out(v)
		v.group, v.alone, v.shares = g, false, now
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

// split takes viewers that are too slow out of groups that wait for them only, and those whose line is poorer than that of
// others; those of one group go on together. It says whether there is more than one group.
func (s *studio) split(now time.Time) bool {
	for _, v := range s.viewers {
		if v.group == nil || v.credit() {
			v.full = time.Time{}
			continue
		}
		if v.full.IsZero() {
			v.full = now
		}
		if now.Sub(v.full) >= slowAfter {
			v.good = now
		}
	}
	for _, g := range slices.Clone(s.groups) {
		wanted := s.changed || g.fresh || g.enc.Pending()
		late := only(g.members, func(v *viewer) bool { return !v.credit() })
		if wanted && !now.Before(g.sent.Add(g.every())) && held(&g.waits, now, splitAfter, late, g) {
			s.apart(late, now)
			continue
		}
		best := g.members[0].terms
		for _, v := range g.members {
			if best.worse(v.terms) {
				best = v.terms
			}
		}
		if poor := only(g.members, func(v *viewer) bool { return v.terms.worse(best) }); held(&g.uneven, now, settleTime, poor, g) {
			s.apart(poor, now)
		}
	}
	return len(s.groups) > 1
}

func only(all []*viewer, which func(*viewer) bool) (out []*viewer) {
	for _, v := range all {
		if which(v) {
			out = append(out, v)
		}
	}
	return out
}

// held says whether some, but not all, of g have been behind for so long. since keeps when that began.
func held(since *time.Time, now time.Time, long time.Duration, some []*viewer, g *group) bool {
	if len(some) == 0 || len(some) == len(g.members) {
		*since = time.Time{}
		return false
	}
	if since.IsZero() {
		*since = now
	}
	if now.Sub(*since) < long {
		return false
	}
	*since = time.Time{}
	return true
}

// worse says whether pictures made on these terms are fewer or rougher than on others.
func (t terms) worse(than terms) bool {
	return t.level > than.level || t.level == than.level && t.every > than.every
}

// apart gives some viewers of one group a group of their own.
func (s *studio) apart(some []*viewer, now time.Time) {
	for _, v := range some {
		s.out(v)
		v.alone = true
		if now.Sub(v.shares) >= forgive {
			v.lapses = 0
		}
		v.lapses++
	}
	s.place(some[0], now)
	g := some[0].group
	if g == nil {
		return
	}
	for _, v := range some[1:] {
		v.good, v.full = now, time.Time{}
		if g.separate() || v.judge.loss.Lossy {
			s.place(v, now)
			continue
		}
		v.group = g
		g.members = append(g.members, v)
		v.begin()
	}
}

// merge brings viewers that keep up together with others of their viewport, all of a group at once.
func (s *studio) merge(now time.Time) {
	for _, g := range s.groups { // where all others have gone, who was left alone is the one to come to
		if g.members[0].alone && !g.separate() && s.peers(g.members[0]) == nil {
			for _, v := range g.members {
				v.alone = false
			}
		}
	}
	for _, g := range slices.Clone(s.groups) {
		if len(g.members) == 0 || g.members[0].alone || g.separate() || now.Sub(g.begun) < settleTime {
			continue
		}
		var more []*viewer
		for _, o := range s.groups {
			if o != g && s.peers(o.members[0]) == g && !slices.ContainsFunc(o.members, func(v *viewer) bool { return !v.keepsUp(now) || v.terms.worse(g.terms) }) {
				more = append(more, o.members...)
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
		rest = mergeAfter << min(max(v.lapses-1, 0), mostLapses) // who lags again and again is left alone for longer
	}
	return !v.judge.loss.Lossy && v.credit() && now.Sub(v.good) >= rest && now.Sub(v.group.begun) >= rest
}

// every is the time between two pictures.
func (g *group) every() time.Duration { return max(pace, g.terms.every) }

// ready says whether a picture for g can be made now: all viewers have credit and the pace allows it.
func (g *group) ready(now time.Time) bool {
	return !now.Before(g.sent.Add(g.every())) && !slices.ContainsFunc(g.members, func(v *viewer) bool { return !v.credit() })
}

// when is when to look at g again although nothing happens.
func (g *group) when(now time.Time) time.Time {
	if due := g.sent.Add(g.every()); now.Before(due) {
		return due
	}
	return now.Add(splitAfter)
}

// judge takes what the links say of themselves, moves viewers whose pictures must be made in another way, and tells them.
func (s *studio) judge(now time.Time) {
	for _, v := range s.viewers {
		if v.group == nil || now.Sub(v.judge.looked) < pace {
			continue
		}
		anew := v.judge.look(now, v.link.Line())
		if v.judge.resize(now.Sub(v.group.moved)) || anew {
			s.out(v)
			v.alone = v.judge.loss.Lossy
			s.place(v, now)
		}
		if q := v.judge.quality(now, v.terms); q != v.quality && now.Sub(v.qualityTold) >= time.Second {
			v.quality, v.qualityTold = q, now
			v.tell(q)
		}
	}
}
