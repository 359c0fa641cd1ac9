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
	n := 2
	for _, m := range r.Members {
		if m.Presence != session.Gone {
			n += len(about(m, r, time.Time{}, 0)) + 2
		}
	}
	return n
}

// View draws the pane w cells wide and h high, its left edge included.
func View(t theme.Theme, r session.Roster, self session.MemberID, now time.Time, w, h int) cell.Block {
	edge := t.Edge.Render("│") + " "
	room := w - 3
	end := " "
	out := cell.Block{edge + t.Strong.Render(cell.Fit("In this session", room)) + end}
	for _, m := range r.Members {
		if m.Presence == session.Gone {
			continue
		}
		name := cell.Clean(m.Name)
		if m.ID == self {
			name += " (you)"
		}
		role := role(m)
		name = cell.Cut(name, room-cell.Width(role)-1)
		pad := strings.Repeat(" ", max(0, room-cell.Width(name)-cell.Width(role)))
		out = append(out, edge+cell.Fit("", room)+end, edge+t.Member(uint32(m.ID)).Bold(true).Render(name)+pad+t.Dim.Render(role)+end)
		for _, l := range about(m, r, now, room-2) {
			style := t.Dim
			if l.loud {
				style = t.Warn
			}
			out = append(out, edge+style.Render(cell.Fit("  "+l.text, room))+end)
		}
	}
	for len(out) < h {
		out = append(out, edge+cell.Fit("", room)+end)
	}
	return out[:h]
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
