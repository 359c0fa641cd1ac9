package consent

import (
	"fmt"
	"strings"
	"time"

	"assist/session"
	"assist/tui/cell"
)

// sentences say each grant as what it means for the customer.
var sentences = []struct {
	g    session.Grants
	text string
}{
	{session.View, "see your screen"},
	{session.Control, "use your mouse and keyboard"},
	{session.Chat, "write to you"},
	{session.Diag, "read how this machine is doing (no files)"},
	{session.Clipboard, "read and change your clipboard"},
	{session.File, "send you files and ask for yours"},
	{session.Run, "run commands on this machine"},
}

// inTerminal are those that mean something else where a terminal is all that is shared.
var inTerminal = map[session.Grants]string{session.View: "see this terminal", session.Control: "type in this terminal"}

// means lists what g allows, one sentence each.
func (q *Question) means(g session.Grants) []string {
	var out []string
	for _, s := range sentences {
		if !g.Has(s.g) {
			continue
		}
		if other := inTerminal[s.g]; other != "" && q.Terminal {
			out = append(out, other)
			continue
		}
		out = append(out, s.text)
	}
	return out
}

// lets is what a yes allows, one sentence each.
func (q *Question) lets() []string {
	if q.What != "" {
		return []string{cell.Clean(q.What)}
	}
	return q.means(q.Grants)
}

// more is what else there is to say about a request, in lines.
func (q *Question) more() []string {
	if q.Detail == "" {
		return nil
	}
	lines := strings.Split(q.Detail, "\n")
	for i := range lines {
		lines[i] = cell.Clean(lines[i])
	}
	return lines
}

// warning is what everybody reads before somebody whom nothing vouches for comes in.
const warning = "Did somebody call or write to you out of the blue? Banks, the police and Microsoft never ask for this. If you are not sure, press n."

// who says who asks: name, fixed handle, organisation and whether anything vouches for it.
func (q *Question) who() []string {
	org := cell.Clean(q.Org)
	if org == "" {
		org = "no organisation"
	}
	who := []string{cell.Clean(q.Name) + "  (" + cell.Clean(q.Handle) + ")", org + " - " + q.Trust.String()}
	if q.Stranger {
		who = append(who, outside)
	}
	return who
}

// outside is what is said of an agent from outside the organisation that leads the session.
const outside = "This organisation is not the one that leads your session."

// asks is the question in one line.
func (q *Question) asks() string {
	switch {
	case q.Join:
		return "Let this person in?"
	case q.Again:
		return "They have had control for half an hour. May they go on?"
	}
	if q.What != "" {
		return "Allow this once?"
	}
	return "Allow this too?"
}

// silent is what no answer means.
func (q *Question) silent() string {
	if q.Silence != 0 {
		return "yes"
	}
	return "no"
}

// left is how long a deadline is away, as a clock shows it.
func left(until, now time.Time) string {
	d := max(0, until.Sub(now)).Round(time.Second)
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// spaced is a code as it is read out.
func spaced(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + " " + code[4:]
}

// person is one line of who is here.
func person(m session.Member, r session.Roster) string {
	line := cell.Clean(m.Name) + ", " + cell.Clean(m.Org) + " (" + m.Trust.String() + ")"
	switch {
	case m.Presence == session.Reconnecting:
		return line + ": lost contact, may come back"
	case m.Presence == session.Knocking:
		return line + ": waits for your answer"
	case r.Controlling == m.ID:
		line += ": CONTROLS NOW"
	case m.Grants.Has(session.Control):
		line += ": may control"
	case m.Grants.Has(session.View):
		line += ": looks"
	default:
		line += ": sees nothing"
	}
	if m.Consoles > 1 {
		line += fmt.Sprintf(" x%d", m.Consoles)
	}
	return line
}

// readOut is the line with the three words for a member who has not confirmed them.
func readOut(m session.Member, words []string) string {
	if len(words) == 0 || m.WordsChecked || m.Presence != session.Here {
		return ""
	}
	return "If " + cell.Clean(m.Name) + " asks for three words, read out: " + strings.Join(words, " ")
}

// noContact says since when others are not heard; empty while they are.
func (v *View) noContact() string {
	switch {
	case !v.Lost.IsZero():
		return "No contact with the agents since " + v.Lost.Format("15:04:05") + ". They come back by themselves; what is said meanwhile is kept."
	case !v.NoRelay.IsZero():
		return "No contact with the relay since " + v.NoRelay.Format("15:04:05") + ". It is tried again."
	}
	return ""
}
