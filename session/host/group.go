package host

import (
	"slices"
	"time"

	"assist/screen"
	"assist/screen/codec"
)

// group is the viewers that share an encoder: all of them get every message, from the first on.
type group struct {
	enc     *codec.Encoder
	members []*viewer
	fresh   bool      // nothing sent yet
	begun   time.Time // of the stream
	sent    time.Time // newest picture
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
