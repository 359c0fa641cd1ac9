// Package waiting is what the console shows while there is no session to look at: on the way in, while the customer is
// asked, and when it is over.
//
// It is pure.
package waiting

import (
	"fmt"
	"strings"
	"time"

	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/theme"
)

// Scene is what a waiting screen needs to know.
type Scene struct {
	State   console.State
	Command string // what the customer runs, while the console waits for the host
	Now     time.Time
}

// View draws the scene in the middle of w x h cells.
func View(t theme.Theme, s Scene, w, h int) cell.Block {
	var lines []string
	switch s.State.Phase {
	case console.AwaitingHost:
		lines = awaiting(t, s, w)
	case console.Knocking:
		lines = knocking(t, s, w)
	case console.Over:
		lines = over(t, s, w)
	case console.In, console.Lost:
		lines = []string{t.Dim.Render("waiting for the first picture")}
	default:
		lines = connecting(t, s, w)
	}
	return middle(lines, w, h)
}

// Small says that the terminal has too few cells.
func Small(w, h, minW, minH int) cell.Block {
	text := fmt.Sprintf("This terminal has %d x %d cells. The console needs at least %d x %d: make the window larger or the letters smaller.", w, h, minW, minH)
	return middle(cell.Wrap(text, max(1, min(w, 56))), w, h)
}

func middle(lines []string, w, h int) cell.Block {
	out := cell.Fill(w, h)
	top := max(0, (h-len(lines))/2)
	for i, l := range lines {
		if top+i < len(out) {
			out[top+i] = cell.Center(l, w)
		}
	}
	return out
}

func connecting(t theme.Theme, s Scene, w int) []string {
	what := "Connecting"
	if s.State.Code != "" {
		what = "Connecting to session " + halves(s.State.Code)
	}
	return append([]string{t.Strong.Render(what), ""}, wrapped(t, why(s, "to the relay"), w)...)
}

func awaiting(t theme.Theme, s Scene, w int) []string {
	lines := []string{t.Strong.Render("Waiting for the customer"), ""}
	for _, row := range Large(s.State.Code) {
		lines = append(lines, t.Accent.Render(row))
	}
	lines = append(lines, "", t.Dim.Render("On the machine that needs help, run"), "")
	for _, l := range cell.Wrap(cell.Clean(s.Command), max(20, w-4)) {
		lines = append(lines, t.Strong.Render(l))
	}
	if s.State.URL != "" {
		lines = append(lines, "", t.Dim.Render("or open"), "")
		for _, l := range cell.Wrap(cell.Clean(s.State.URL), max(20, w-4)) {
			lines = append(lines, t.Text.Render(l))
		}
	}
	if left := s.State.Expires.Sub(s.Now); left > 0 && !s.State.Expires.IsZero() {
		lines = append(lines, "", t.Dim.Render("The code is good for another "+Lasted(left.Round(time.Second))+"."))
	}
	return lines
}

func knocking(t theme.Theme, s Scene, w int) []string {
	who := cell.Clean(s.State.Customer)
	if who == "" {
		who = "the customer"
	}
	lines := append([]string{t.Strong.Render("Waiting for " + who), ""},
		wrapped(t, "They see your name and organisation and are asked whether you may look. Without an answer in 60 seconds it is a no.", w)...)
	if len(s.State.Words) > 0 && !s.State.Trusted {
		lines = append(append(lines, ""), wrapped(t, "Meanwhile you can ask them to read out the three words on their screen: press v.", w)...)
	}
	return lines
}

func over(t theme.Theme, s Scene, w int) []string {
	lines := []string{t.Strong.Render("The session is over"), ""}
	lines = append(lines, wrapped(t, why(s, ""), w)...)
	if !s.State.Started.IsZero() && s.Now.After(s.State.Started) {
		lines = append(lines, "", t.Dim.Render("It lasted "+Lasted(s.Now.Sub(s.State.Started))+"."))
	}
	return append(lines, "", t.Dim.Render("any key closes this"))
}

// Lasted says a duration as people do.
func Lasted(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

func why(s Scene, otherwise string) string {
	if s.State.Why != "" {
		return s.State.Why
	}
	return otherwise
}

func wrapped(t theme.Theme, text string, w int) []string {
	var out []string
	for _, l := range cell.Wrap(cell.Clean(text), max(20, min(w-4, 64))) {
		out = append(out, t.Dim.Render(l))
	}
	return out
}

func halves(code string) string {
	code = cell.Clean(code)
	if len(code) == 8 {
		return code[:4] + " " + code[4:]
	}
	return code
}

// digits are 0 to 9, 3x5 pixels each.
var digits = [10][5]string{
	{"###", "# #", "# #", "# #", "###"},
	{" # ", "## ", " # ", " # ", "###"},
	{"###", "  #", "###", "#  ", "###"},
	{"###", "  #", "###", "  #", "###"},
	{"# #", "# #", "###", "  #", "  #"},
	{"###", "#  ", "###", "  #", "###"},
	{"###", "#  ", "###", "# #", "###"},
	{"###", "  #", "  #", "  #", "  #"},
	{"###", "# #", "###", "# #", "###"},
	{"###", "# #", "###", "  #", "###"},
}

// Large writes a code in digits five rows high, two cells a pixel. What is no digit stays as it is.
func Large(code string) []string {
	rows := make([]string, 5)
	for i, c := range code {
		if c < '0' || c > '9' {
			return []string{cell.Clean(code)}
		}
		for y := range rows {
			if i == 4 {
				rows[y] += "   "
			}
			if i > 0 {
				rows[y] += " "
			}
			rows[y] += strings.NewReplacer("#", "██", " ", "  ").Replace(digits[c-'0'][y])
		}
	}
	return rows
}
