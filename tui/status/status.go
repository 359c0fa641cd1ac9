// Package status is the first and the last line of the console: where one is, with whom and how well; and which mode has
// the keys and what they do.
//
// It is pure: a line is made of what it is told. What does not fit goes in a fixed order, the least important first.
package status

import (
	"fmt"
	"math"
	"strings"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/keys"
	"assist/tui/theme"

	"charm.land/lipgloss/v2"
)

// part is a piece of a line; those with a higher rank go first when there is no room.
type part struct {
	text  string
	style lipgloss.Style
	rank  int
}

const gap = "   "

// Header is the first line: code and customer at the left; trust, people and link at the right.
func Header(t theme.Theme, s console.State, width int) string {
	left := append([]part{{Code(s.Code), t.BarStrong, 0}}, customer(t, s)...)
	right := []part{controlling(t, s), trust(t, s), people(t, s), pictures(t, s), change(t, s), link(t, s)}
	return line(t, left, right, width)
}

// Code writes the digits of a code in two halves, as people read them out.
func Code(code string) string {
	code = cell.Clean(code)
	if len(code) == 8 {
		return code[:4] + " " + code[4:]
	}
	return code
}

// customer is the person and, where there is room, the machine.
func customer(t theme.Theme, s console.State) []part {
	name, host := cell.Clean(s.Customer), cell.Clean(s.HostName)
	if name == "" || name == host {
		return []part{{host, t.Bar, 3}}
	}
	return []part{{name, t.Bar, 3}, {host, t.BarDim, 6}}
}

func trust(t theme.Theme, s console.State) part {
	switch {
	case s.Phase != console.In && s.Phase != console.Lost:
		return part{}
	case s.Trusted:
		return part{"verified", t.BarGood, 1}
	}
	return part{"not verified yet", t.BarWarn, 1}
}

func controlling(t theme.Theme, s console.State) part {
	m, ok := s.Roster.Member(s.Roster.Controlling)
	if !ok || m.ID == s.Self || m.ID == session.CustomerID {
		return part{}
	}
	return part{cell.Clean(m.Name) + " controls", t.BarWarn, 5}
}

func people(t theme.Theme, s console.State) part {
	n := 0
	for _, m := range s.Roster.Members {
		if m.Presence == session.Here || m.Presence == session.Away {
			n++
		}
	}
	if n == 0 {
		return part{}
	}
	return part{fmt.Sprintf("%d here", n), t.Bar, 4}
}

// change is why packets have begun to travel another way.
func change(t theme.Theme, s console.State) part {
	if !s.Link.Fresh {
		return part{}
	}
	return part{cell.Clean(s.Link.Why), t.BarDim, 7}
}

func link(t theme.Theme, s console.State) part {
	l := s.Link
	if l.Path == "" {
		return part{}
	}
	text, style := fmt.Sprintf("%s %d ms", cell.Clean(l.Path), l.RTT.Round(time.Millisecond).Milliseconds()), t.Bar
	if l.Loss >= 0.005 {
		text, style = fmt.Sprintf("%s, %.0f %% lost", text, l.Loss*100), t.BarWarn
	}
	if l.RTT == 0 {
		text = cell.Clean(l.Path)
	}
	return part{text, style, 2}
}

// pictures is how many come, what they cost, and what keeps them from being better.
func pictures(t theme.Theme, s console.State) part {
	q := s.Quality
	var words []string
	if s.Link.FPS > 0 {
		words = append(words, fmt.Sprintf("%.0f fps %s/s", math.Ceil(s.Link.FPS), size(s.Link.Rate)))
	}
	if q.Pin != screen.Auto {
		words = append(words, q.Pin.String())
	}
	style := t.BarDim
	if q.Why != screen.WhyNone && q.Why != screen.WhyPinned {
		words, style = append(words, q.Why.String()), t.BarWarn
	}
	return part{strings.Join(words, ", "), style, 5}
}

// size writes bytes as people read them.
func size(bytes float64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%.1f KB", bytes/1000)
	case bytes < 1e6:
		return fmt.Sprintf("%.0f KB", bytes/1000)
	}
	return fmt.Sprintf("%.1f MB", bytes/1e6)
}

// line lays parts out from both ends of a bar, leaving out those of the highest rank until the rest fits.
func line(t theme.Theme, left, right []part, width int) string {
	for measure(left)+measure(right)+1 > width && drop(left, right) {
	}
	l, r := render(t, left), render(t, right)
	room := width - cell.Width(r)
	return cell.Cut(l, room) + t.Bar.Render(strings.Repeat(" ", max(0, room-cell.Width(cell.Cut(l, room))))) + r
}

func measure(parts []part) int {
	n := 1
	for _, p := range parts {
		if p.text != "" {
			n += cell.Width(p.text) + len(gap)
		}
	}
	return n
}

// drop empties the part that can be missed most; it reports false when only what must stay is left.
func drop(lists ...[]part) bool {
	var worst *part
	for _, l := range lists {
		for i := range l {
			if l[i].text != "" && l[i].rank > 0 && (worst == nil || l[i].rank > worst.rank) {
				worst = &l[i]
			}
		}
	}
	if worst == nil {
		return false
	}
	worst.text = ""
	return true
}

func render(t theme.Theme, parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(t.Bar.Render(gap))
		}
		b.WriteString(p.style.Render(p.text))
	}
	if b.Len() == 0 {
		return ""
	}
	return t.Bar.Render(" ") + b.String() + t.Bar.Render(" ")
}

// Mode says who gets the keys.
type Mode uint8

// The modes.
const (
	Browse Mode = iota
	Type
	Control
	People
	Checkup
)

// Line is what the last line is made of.
type Line struct {
	Mode    Mode
	Now     keys.Now
	Exit    string // the key that leads out of control, as people read it
	Latched string // modifiers that wait for the next key
	Zoom    string
	Unread  int
	NoMouse bool
	Message string // said instead of the keys, for a few seconds
	Hint    string // said instead of the keys while a dialog is open
	Whose   string // whose machine gets the keys in control
}

// Footer is the last line.
func Footer(t theme.Theme, f Line, width int) string {
	tag, words := tagOf(t, f)
	var right []part
	if f.Latched != "" {
		right = append(right, part{"next key with " + f.Latched, t.BarWarn, 1})
	}
	if f.NoMouse {
		right = append(right, part{"mouse off", t.BarDim, 3})
	}
	if f.Zoom != "" && f.Mode != Type && f.Message == "" {
		right = append(right, part{f.Zoom, t.BarDim, 2})
	}
	for measure(right) > width/2 && drop(right) {
	}
	r := render(t, right)
	room := width - cell.Width(tag) - cell.Width(r)
	if words == "" {
		words = hints(t, f, room)
	}
	words = cell.Cut(words, room)
	return tag + words + t.Bar.Render(strings.Repeat(" ", max(0, room-cell.Width(words)))) + r
}

func tagOf(t theme.Theme, f Line) (tag, words string) {
	say := func(s lipgloss.Style, text string) string { return s.Render(" " + text + " ") }
	switch {
	case f.Mode == Control:
		tag, words = say(t.TagControl, "CONTROL"), say(t.Bar, "keys and clicks go to "+f.Whose)+t.BarKey.Render(" "+f.Exit)+say(t.Bar, "back")
	case f.Mode == Type:
		tag = say(t.TagType, "CHAT")
	case f.Mode == People:
		tag = say(t.TagBrowse, "PEOPLE")
	case f.Mode == Checkup:
		tag = say(t.TagBrowse, "DIAGNOSTICS")
	default:
		tag = say(t.TagBrowse, "BROWSE")
	}
	switch {
	case f.Message != "":
		words = say(t.BarWarn, f.Message)
	case f.Hint != "":
		words = say(t.Bar, f.Hint)
	}
	return tag, words
}

// hints are the keys that work now, as many as there is room for. Help and leave are always among them.
func hints(t theme.Theme, f Line, room int) string {
	var shown, must []keys.Key
	need := 0
	table := keys.Table()
	if f.Mode == People {
		table = append(keys.PeopleTable(), table...)
	}
	for _, k := range table {
		if k.Label == "" || k.Why(f.Now) != "" {
			continue
		}
		if k.Do == keys.Help || k.Do == keys.Quit {
			must = append(must, k)
			need += hintWidth(k, f)
		}
	}
	for _, k := range table {
		if k.Label == "" || k.Why(f.Now) != "" || k.Do == keys.Help || k.Do == keys.Quit {
			continue
		}
		if w := hintWidth(k, f); need+w <= room {
			shown, need = append(shown, k), need+w
		}
	}
	var b strings.Builder
	for _, k := range append(shown, must...) {
		b.WriteString(t.BarKey.Render(" "+k.Show) + t.Bar.Render(" "+label(k, f)+" "))
	}
	return b.String()
}

func label(k keys.Key, f Line) string {
	if k.Do == keys.Write && f.Unread > 0 {
		return fmt.Sprintf("%s (%d new)", k.Label, f.Unread)
	}
	return k.Label
}

func hintWidth(k keys.Key, f Line) int { return cell.Width(k.Show) + cell.Width(label(k, f)) + 3 }
