// Package roster is the pane of who is in the session: each member with its role, where it comes from and whether that is
// verified, what it may do, and who controls right now. Every state is a word; colour only repeats it.
//
// It is pure.
package roster

import (
	"fmt"
	"strings"
	"time"

	"assist/session"
	"assist/tui/cell"
	"assist/tui/theme"
)

// Rows is how many rows the pane could use for r.
func Rows(r session.Roster) int {
	n := 3
	for _, m := range r.Members {
		if m.Presence != session.Gone {
			n += len(about(m, r, time.Time{}, 0)) + 2
		}
	}
	return n
}

// Scene is what the pane draws.
type Scene struct {
	Roster session.Roster
	Self   session.MemberID
	Picked session.MemberID // Nobody: the pane does not have the keys
	Now    time.Time
}

// View draws the pane w cells wide and h high, its left edge included. Where not all fits, members are told in two lines but
// for the picked one, and the list scrolls with it.
func View(t theme.Theme, s Scene, w, h int) cell.Block {
	edge, end, room := t.Edge.Render("│")+" ", " ", w-3
	lines, at := list(t, s, room, false)
	if len(lines) > h-2 {
		lines, at = list(t, s, room, true)
	}
	top := max(0, min(at-(h-2)/3, len(lines)-(h-2)))
	head := "In this session"
	if rest := len(lines) - top - (h - 2); top > 0 || rest > 0 {
		head = "People (more " + map[bool]string{true: "above", false: "below"}[rest <= 0] + ")"
	}
	out := cell.Block{
		edge + t.Strong.Render(cell.Fit(head, room)) + end,
		edge + t.Dim.Render(cell.Fit("control: "+Sharing(s.Roster.Mode), room)) + end,
	}
	for _, l := range lines[top:min(len(lines), top+max(0, h-2))] {
		out = append(out, edge+l+end)
	}
	for len(out) < h {
		out = append(out, edge+cell.Fit("", room)+end)
	}
	return out[:h]
}

// Sharing says how agents share control.
func Sharing(m session.ControlMode) string {
	switch m {
	case session.Ask:
		return "ask who has it"
	case session.Baton:
		return "one at a time, handed on"
	}
	return "free for all"
}

// list is the members in rows of room cells, and the row of the picked one. A short list tells only the most of the others.
func list(t theme.Theme, s Scene, room int, short bool) (rows []string, at int) {
	for _, m := range s.Roster.Members {
		if m.Presence == session.Gone {
			continue
		}
		if !short {
			rows = append(rows, cell.Fit("", room))
		}
		if m.ID == s.Picked {
			at = len(rows)
		}
		rows = append(rows, title(t, s, m, room))
		told := about(m, s.Roster, s.Now, room-3)
		if short && m.ID != s.Picked {
			told = most(told)
		}
		for _, l := range told {
			style := t.Dim
			if l.loud {
				style = t.Warn
			}
			rows = append(rows, style.Render(cell.Fit("   "+l.text, room)))
		}
	}
	return rows, at
}

// title is the row with mark, name and role.
func title(t theme.Theme, s Scene, m session.Member, room int) string {
	name := cell.Clean(m.Name)
	if m.ID == s.Self {
		name += " (you)"
	}
	mark, role := theme.Mark(uint32(m.ID)), role(m)
	if m.ID == s.Picked {
		return t.PanelPick.Render(cell.Ends(">"+mark+" "+name, " "+role, room))
	}
	name = cell.Cut(name, room-cell.Width(role)-4)
	pad := strings.Repeat(" ", max(0, room-3-cell.Width(name)-cell.Width(role)))
	return " " + t.Member(uint32(m.ID)).Bold(true).Render(mark+" "+name) + pad + t.Dim.Render(role)
}

// most keeps one of the facts: the last loud one, else the last.
func most(told []fact) []fact {
	for i := len(told) - 1; i >= 0; i-- {
		if told[i].loud {
			return told[i : i+1]
		}
	}
	return told[max(0, len(told)-1):]
}

func role(m session.Member) string {
	switch m.Role {
	case session.Lead:
		return "lead"
	case session.Customer:
		return "customer"
	}
	return "agent"
}

// fact is one line about a member; loud ones ask for attention.
type fact struct {
	text string
	loud bool
}

// about is what is said of m under its name, in lines of at most w cells; 0 means that nothing is wrapped.
func about(m session.Member, r session.Roster, now time.Time, w int) []fact {
	var out []fact
	for _, f := range facts(m, r, now) {
		lines := []string{f.text}
		if w > 0 {
			lines = cell.Wrap(f.text, w)
		}
		for _, l := range lines {
			out = append(out, fact{l, f.loud})
		}
	}
	return out
}

func facts(m session.Member, r session.Roster, now time.Time) []fact {
	var out []fact
	if m.Org != "" {
		out = append(out, fact{cell.Clean(m.Org), false}, fact{m.Trust.String(), m.Trust == session.UnknownOrg})
	}
	if m.Role != session.Customer {
		may := "may do nothing yet"
		if names := m.Grants.Names(); len(names) > 0 {
			may = "may " + strings.Join(names, ", ")
		}
		out = append(out, fact{may, false})
	}
	if m.Asked != 0 {
		out = append(out, fact{"asks for " + strings.Join(m.Asked.Names(), ", "), true})
	}
	if m.Consoles > 1 {
		out = append(out, fact{fmt.Sprintf("%d consoles", m.Consoles), false})
	}
	switch m.Presence {
	case session.Knocking:
		out = append(out, fact{"waits for the customer's answer", true})
	case session.Reconnecting:
		out = append(out, fact{"reconnecting" + since(m.Since, now), true})
	case session.Away:
		out = append(out, fact{"away" + since(m.Since, now), false})
	}
	if r.Holder == m.ID && r.Controlling != m.ID {
		out = append(out, fact{"has control", true})
	}
	if r.Controlling == m.ID {
		out = append(out, fact{"controls now", true})
	}
	return out
}

func since(from, now time.Time) string {
	if from.IsZero() || now.Before(from) {
		return ""
	}
	d := now.Sub(from)
	if d < time.Minute {
		return fmt.Sprintf(" for %d s", int(d.Seconds()))
	}
	return fmt.Sprintf(" for %d min", int(d.Minutes()))
}
