// Package checkup is the diagnostics pane: what is wrong with the customer's machine first, then everything that is known of
// it by category, what changed since an earlier report, live values, and the event log.
//
// It belongs to the goroutine of the tea.Program and never waits. It is shown snapshots of console.Checkup and answers keys
// with Wishes, which the model carries out; it keeps only where the agent looks, the filter and what is being typed.
package checkup

import (
	"fmt"
	"strings"

	"assist/diag"
	"assist/session/console"
	"assist/tui/dialog"
	"assist/tui/keys"

	tea "charm.land/bubbletea/v2"
)

// Wish is what a key asks of the model; nil: nothing.
type Wish any

// The wishes.
type (
	// Close closes the pane.
	Close struct{}
	// Copy puts a text on the clipboard.
	Copy struct{ What, Text string }
	// Save writes a text into a file that the agent named.
	Save struct{ Name, Text string }
	// Do is a command for the session.
	Do struct{ Command console.Command }
)

// The sections beside the categories.
const (
	findings = "findings"
	changes  = "changes"
	journal  = "journal"
)

// asking is what a line at the bottom is typed for.
type asking uint8

const (
	nothing asking = iota
	toFilter
	toSave
	toUnit
)

// Pane is the diagnostics pane.
type Pane struct {
	Log diag.EventQuery // what the event log is asked for

	w, h  int
	data  console.Checkup
	shown int    // index of the report that is looked at
	since int    // index of the report that it is compared with
	at    string // section
	right bool   // the contents have the keys, not the tree

	cursor, top int // in the contents
	filter      string
	asking      asking
	field       dialog.Field
}

// New is a pane that shows the findings first.
func New() *Pane {
	return &Pane{at: findings, Log: diag.EventQuery{Most: diag.Warning, Last: 200, Follow: true}}
}

// SetSize gives it room.
func (p *Pane) SetSize(w, h int) { p.w, p.h = w, h }

// Show takes a newer snapshot. A report that came in is looked at at once.
func (p *Pane) Show(c console.Checkup) {
	if len(c.Reports) > 0 && (len(p.data.Reports) == 0 || !c.Reports[len(c.Reports)-1].At.Equal(p.data.Reports[len(p.data.Reports)-1].At)) {
		p.shown, p.since = len(c.Reports)-1, 0
	}
	follow := p.at == journal && p.cursor >= len(p.rows())-1
	p.data = c
	p.shown = max(0, min(p.shown, len(c.Reports)-1))
	if follow {
		p.cursor = len(p.rows()) - 1
	}
	p.bound()
}

// report is the one that is looked at.
func (p *Pane) report() (diag.Report, bool) {
	if len(p.data.Reports) == 0 {
		return diag.Report{}, false
	}
	return p.data.Reports[p.shown], true
}

// Typing says whether keys are letters of a text now.
func (p *Pane) Typing() bool { return p.asking != nothing }

// Press plays a key.
func (p *Pane) Press(k tea.KeyPressMsg) Wish {
	if p.asking != nothing {
		return p.typed(k)
	}
	switch s := k.String(); s {
	case "esc", "d", "q":
		if s == "esc" && p.filter != "" {
			p.filter, p.cursor = "", 0
			return nil
		}
		return Close{}
	case "tab", "shift+tab":
		p.right = !p.right
		p.begin()
	case "left":
		p.right = false
	case "right", "enter":
		p.right = true
		p.begin()
	case "up", "k":
		p.move(-1)
	case "down", "j":
		p.move(1)
	case "pgup":
		p.right = true
		p.move(-p.room())
	case "pgdown":
		p.right = true
		p.move(p.room())
	case "home":
		p.cursor = 0
	case "end":
		p.cursor = len(p.rows()) - 1
	default:
		return p.act(s)
	}
	p.bound()
	return nil
}

// act plays the keys that do something.
func (p *Pane) act(press string) Wish {
	k, _ := keys.FindCheckup(press)
	switch k.Do {
	case keys.ReadAgain:
		return Do{console.PullReport{}}
	case keys.FindFact:
		p.ask(toFilter, p.filter)
	case keys.EventLog:
		p.open(journal)
		if !p.data.Following {
			return p.follow()
		}
	case keys.EventUnit:
		p.open(journal)
		p.ask(toUnit, p.Log.Unit)
	case keys.EventPriority:
		return p.priority()
	case keys.Compare:
		p.compare()
	default:
		return p.take(k.Do)
	}
	return nil
}

// take copies or saves.
func (p *Pane) take(do keys.Action) Wish {
	r, there := p.report()
	switch do {
	case keys.CopyLine:
		if row, ok := p.current(); ok {
			return Copy{What: "the line", Text: row.copy}
		}
	case keys.CopyReport:
		if there {
			return Copy{What: "the report", Text: r.Text()}
		}
	case keys.SaveReport:
		if there {
			p.ask(toSave, fmt.Sprintf("report-%s-%s.md", fileWord(r.Host), r.At.Local().Format("20060102-1504")))
		}
	}
	return nil
}

// priority lets less or more of the event log through.
func (p *Pane) priority() Wish {
	steps := []diag.Priority{diag.Error, diag.Warning, 6, diag.Debug}
	next := steps[0]
	for i, s := range steps {
		if s == p.Log.Most {
			next = steps[(i+1)%len(steps)]
		}
	}
	p.Log.Most = next
	p.open(journal)
	return p.follow()
}

func (p *Pane) follow() Wish {
	q := p.Log
	return Do{console.FollowEvents{Query: &q}}
}

// compare goes on to the changes, and from there to the next earlier report to compare with.
func (p *Pane) compare() {
	if p.at != changes {
		p.open(changes)
		return
	}
	if n := p.shown; n > 1 {
		p.since = (p.since + 1) % n
	}
	p.cursor = 0
}

// open opens a section.
func (p *Pane) open(section string) {
	p.at, p.cursor, p.top, p.right = section, 0, 0, true
}

func (p *Pane) ask(what asking, text string) {
	p.asking = what
	p.field = dialog.Field{}
	p.field.Set(text)
}

// typed plays a key while something is typed.
func (p *Pane) typed(k tea.KeyPressMsg) Wish {
	switch k.String() {
	case "esc":
		p.asking = nothing
	case "enter":
		what, text := p.asking, p.field.Text()
		p.asking = nothing
		return p.answered(what, text)
	default:
		p.field.Press(k)
	}
	if p.asking == toFilter {
		p.filter, p.cursor = p.field.Text(), 0
	}
	return nil
}

func (p *Pane) answered(what asking, text string) Wish {
	switch what {
	case toFilter:
		p.filter, p.cursor, p.right = text, 0, true
	case toUnit:
		p.Log.Unit = diag.Clip(text, diag.MaxUnit)
		return p.follow()
	case toSave:
		if r, ok := p.report(); ok && text != "" {
			return Save{Name: text, Text: r.As(text)}
		}
	}
	return nil
}

// Paste adds text to what is typed.
func (p *Pane) Paste(text string) {
	if p.asking != nothing {
		p.field.Paste(text)
	}
}

// fileWord keeps of a host's name what every file system takes.
func fileWord(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, diag.Clip(s, 40))
	if s == "" {
		return "machine"
	}
	return s
}

// move goes up or down in the tree or in the contents.
func (p *Pane) move(by int) {
	if p.right {
		p.cursor += by
		return
	}
	all := p.tree()
	for i, s := range all {
		if s.id == p.at {
			p.at = all[max(0, min(i+by, len(all)-1))].id
			break
		}
	}
	p.cursor, p.top = 0, 0
}

// begin puts the cursor on the first line below a heading.
func (p *Pane) begin() {
	if all := p.rows(); p.right && p.cursor == 0 && len(all) > 1 && all[0].tone == head {
		p.cursor = 1
	}
}

// Scroll moves the contents by so many rows, as a wheel does.
func (p *Pane) Scroll(by int) {
	p.right = true
	p.move(by)
	p.bound()
}

// bound keeps cursor and window inside the contents.
func (p *Pane) bound() {
	n, room := len(p.rows()), p.room()
	p.cursor = max(0, min(p.cursor, n-1))
	p.top = max(0, min(p.top, p.cursor, n-room), p.cursor-room+1)
}
