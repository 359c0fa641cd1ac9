package consent

import (
	"slices"
	"strings"

	"assist/chat"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/chatbox"
	"assist/tui/waiting"
)

// margin is what a line keeps free at each side.
const margin = 2

// draw is the screen, exactly h lines of w cells. The last lines, with the keys, are never cut off.
func (m *model) draw() []string {
	if m.w < 1 || m.h < 1 {
		return nil
	}
	var top, foot []string
	switch {
	case m.view.Ended || m.stopped:
		top = m.ended()
	case m.view.Question != nil:
		top, foot = m.question(m.view.Question)
	case agents(m.view.Roster) > 0 || !m.view.Alone.IsZero():
		top, foot = m.sharing()
	default:
		top, foot = m.code()
	}
	if over := len(foot) - m.h; over > 0 {
		foot = foot[over:]
	}
	room := m.h - len(foot)
	if len(top) > room {
		top = top[:room]
	}
	out := make([]string, 0, m.h)
	out = append(out, top...)
	for len(out) < room {
		out = append(out, "")
	}
	out = append(out, foot...)
	for i, l := range out {
		out[i] = cell.Fit(l, m.w)
	}
	if b := m.passing.View(m.theme, m.w-2*margin); len(b) > 0 && m.view.Question == nil {
		w, _ := b.Size()
		return cell.Overlay(out, b, max(0, m.w-w-1), 1)
	}
	return out
}

// para is text in lines of the screen's width.
func (m *model) para(s string) []string {
	lines := cell.Wrap(s, max(1, m.w-2*margin))
	for i, l := range lines {
		lines[i] = strings.Repeat(" ", min(margin, m.w/4)) + l
	}
	return lines
}

// styled is para in one style.
func (m *model) styled(render func(...string) string, s string) []string {
	lines := m.para(s)
	for i, l := range lines {
		lines[i] = render(l)
	}
	return lines
}

// keys is the bar at the bottom.
func (m *model) keys(text string) []string {
	var out []string
	if m.said != "" {
		out = append(out, m.styled(m.theme.Accent.Render, m.said)...)
	}
	for _, l := range m.para(text) {
		out = append(out, m.theme.Bar.Render(cell.Fit(l, m.w)))
	}
	return out
}

// code is the screen before anybody is in.
func (m *model) code() (top, foot []string) {
	t, v := m.theme, m.view
	if v.Code == "" {
		return m.styled(t.Text.Render, "Connecting to the relay ..."), m.keys("Ctrl-C or s  stop")
	}
	top = append(top, "")
	top = append(top, m.styled(t.Strong.Render, "Nothing is shared yet. Read this code to the person who helps you:")...)
	top = append(top, "")
	large := waiting.Large(v.Code)
	if w, h := cell.Block(large).Size(); w+2*margin <= m.w && h+14 <= m.h {
		for _, l := range large {
			top = append(top, t.Accent.Render(cell.Center(l, m.w)))
		}
	} else {
		top = append(top, t.Accent.Bold(true).Render(cell.Center(spaced(v.Code), m.w)))
	}
	top = append(top, "")
	top = append(top, m.styled(t.Text.Render, "Relay: "+cell.Clean(v.Relay))...)
	top = append(top, m.styled(t.Text.Render, "They run: assist join "+cell.Clean(v.Code))...)
	if v.URL != "" {
		top = append(top, m.styled(t.Dim.Render, "Or send this address: "+cell.Clean(v.URL))...)
	}
	if !v.Expires.IsZero() {
		top = append(top, m.styled(t.Dim.Render, "The code works for "+left(v.Expires, m.now)+" more, until somebody is in.")...)
	}
	top = append(top, "")
	top = append(top, m.styled(t.Text.Render, "You will be asked before anybody sees anything. Only give the code to somebody you called yourself or know.")...)
	return top, m.keys("s or Ctrl-C  stop")
}

// question is the screen while the customer is asked.
func (m *model) question(q *Question) (top, foot []string) {
	t := m.theme
	head := t.Warn
	if q.Trust == session.VerifiedOrg {
		head = t.Good
	}
	top = append(top, m.styled(t.Strong.Render, q.asks())...)
	for i, l := range q.who() {
		render := t.Strong.Render
		if i > 0 {
			render = head.Render
		}
		top = append(top, m.styled(render, l)...)
	}
	top = append(top, "")
	top = append(top, m.styled(t.Text.Render, "A yes lets them:")...)
	for _, s := range q.lets() {
		top = append(top, m.styled(t.Strong.Render, "- "+s)...)
	}
	detail := len(top)
	if later := q.means(q.Later); len(later) > 0 {
		top = append(top, m.styled(t.Dim.Render, "You will be asked apart before they may "+strings.Join(later, ", ")+".")...)
	}
	if len(q.Words) > 0 && q.Join {
		top = append(top, "")
		top = append(top, m.styled(t.Text.Render, "Read these three words to them; they must see the same:")...)
		top = append(top, m.styled(t.Accent.Bold(true).Render, strings.Join(q.Words, "   "))...)
	}
	if q.Join && q.Trust != session.VerifiedOrg {
		top = append(top, "")
		top = append(top, m.styled(t.Bad.Render, warning)...)
	}
	yes := "y  yes"
	if wait := q.yesAfter() - m.now.Sub(m.asked); wait > 0 {
		yes = "y  yes (soon)"
	}
	foot = m.keys("n  no     " + yes + "     s  stop everything     silence is a " + q.silent() + " in " + left(q.Deadline, m.now))
	return slices.Insert(top, detail, m.preview(q, m.h-len(top)-len(foot))...), foot
}

// sharing is the screen while agents are here.
func (m *model) sharing() (top, foot []string) {
	t, v := m.theme, m.view
	banner := "  THIS SCREEN IS SHARED     s stops it at once"
	if agents(v.Roster) == 0 {
		banner = "  NOBODY IS HERE NOW        s ends the session"
	}
	top = append(top, t.BarBad.Bold(true).Render(cell.Fit(banner, m.w)))
	if !v.Alone.IsZero() {
		top = append(top, m.styled(t.Text.Render, "No agent is connected. It ends by itself in "+left(v.Alone, m.now)+"; until then the code "+spaced(v.Code)+" still works.")...)
	}
	if text := v.noContact(); text != "" {
		top = append(top, m.styled(t.Warn.Render, text)...)
	}
	for _, p := range v.Roster.Members {
		if p.Role == session.Customer || p.Presence == session.Gone {
			continue
		}
		render := t.Text.Render
		if v.Roster.Controlling == p.ID {
			render = t.Warn.Render
		}
		top = append(top, m.styled(render, person(p, v.Roster))...)
		if w := readOut(p, v.Words[p.ID]); w != "" {
			top = append(top, m.styled(t.Accent.Render, w)...)
		}
	}
	top = append(top, t.Edge.Render(strings.Repeat("─", m.w)))
	foot = m.shareKeys()
	room := m.h - len(top) - len(foot)
	lines := m.talk()
	top = append(top, lines[max(0, len(lines)-max(0, room)):]...)
	return top, foot
}

func (m *model) shareKeys() []string {
	if m.writing {
		line := []rune(cell.Clean(m.draft))
		for len(line) > 0 && cell.Width(string(line)) > m.w-2*margin-2 {
			line = line[1:]
		}
		return append([]string{"  > " + string(line) + m.theme.TagType.Render(" ")}, m.keys("Enter  send to everyone     Esc  do not     Ctrl-C  stop sharing")...)
	}
	text := "s or Ctrl-C  stop at once     t  write"
	if controls(m.view.Roster) {
		text += "     r  take control back"
	}
	return m.keys(text)
}

// talk is the log in lines. What the host tells stands behind a mark that no text of a member can have in that place.
func (m *model) talk() []string {
	names := m.names()
	var out []string
	for _, e := range m.view.Log {
		if e.Kind != chat.Said {
			out = append(out, m.styled(m.theme.Dim.Render, "* "+chatbox.Sentence(e, names))...)
			continue
		}
		who := m.theme.Member(e.From).Bold(true).Render(cell.Clean(e.Name))
		for i, text := range strings.Split(e.Text, "\n") {
			lines := cell.Wrap(cell.Clean(text), max(1, m.w-2*margin-2))
			if i == 0 {
				out = append(out, "  | "+who)
			}
			for _, l := range lines {
				out = append(out, "  | "+l)
			}
		}
	}
	return out
}

func (m *model) ended() []string {
	why := m.view.Why
	if why == "" {
		why = "you stopped"
	}
	top := []string{""}
	top = append(top, m.styled(m.theme.Strong.Render, "Sharing has ended: "+cell.Clean(why)+".")...)
	return append(top, m.styled(m.theme.Text.Render, "Nobody sees or controls this machine any more.")...)
}
