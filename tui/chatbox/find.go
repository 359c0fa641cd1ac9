package chatbox

import (
	"fmt"
	"strings"

	"assist/chat"
	"assist/tui/cell"

	tea "charm.land/bubbletea/v2"
)

// maxQuery is how many characters one can look for.
const maxQuery = 100

// finding is a search that is open: what is looked for, and which of the entries that have it is shown.
type finding struct {
	query []rune
	hits  []int // entries, oldest first
	at    int   // of hits
	from  int   // back when it was opened
}

// Find opens the search.
func (p *Pane) Find() {
	p.find = &finding{from: p.back}
}

// Finding says whether the search has the keys.
func (p *Pane) Finding() bool { return p.find != nil }

// seek plays a key of the search; done ends it where it stands.
func (p *Pane) seek(k tea.KeyPressMsg) (done bool) {
	f := p.find
	switch k.String() {
	case "esc", "ctrl+c":
		p.back, p.find = f.from, nil
		p.wrap()
		return true
	case "enter", "up", "ctrl+p":
		p.turn(-1)
		return false
	case "down", "ctrl+n":
		p.turn(1)
		return false
	case "backspace":
		f.query = f.query[:max(0, len(f.query)-1)]
	case "ctrl+u":
		f.query = nil
	case "pgup", "pgdown":
		p.page(k.String())
		return false
	default:
		p.ask(k.Text)
		return false
	}
	p.search()
	return false
}

// ask adds to what is looked for.
func (p *Pane) ask(text string) {
	more := []rune(cell.Clean(text))
	p.find.query = append(p.find.query, more[:max(0, min(len(more), maxQuery-len(p.find.query)))]...)
	p.search()
}

// search finds the entries anew and goes to the newest.
func (p *Pane) search() {
	f := p.find
	f.hits = f.hits[:0]
	if want := strings.ToLower(string(f.query)); want != "" {
		for i, e := range p.entries {
			if strings.Contains(strings.ToLower(p.words(e)), want) {
				f.hits = append(f.hits, i)
			}
		}
	}
	f.at = len(f.hits) - 1
	p.show()
}

// words are what of an entry can be looked for.
func (p *Pane) words(e chat.Entry) string {
	if e.Kind == chat.Said {
		return cell.Clean(e.Name) + " " + cell.Clean(e.Text)
	}
	return Sentence(e, p.Names)
}

// turn goes to the next older or newer one, and round.
func (p *Pane) turn(by int) {
	if n := len(p.find.hits); n > 0 {
		p.find.at = (p.find.at + by + n) % n
		p.show()
	}
}

// show scrolls so that the entry that was found stands in the middle.
func (p *Pane) show() {
	p.wrap()
	hit := p.hit()
	if hit < 0 {
		return
	}
	rows := p.logRows()
	middle := (p.starts[hit] + p.end(hit)) / 2
	p.back = max(0, min(len(p.lines)-middle-rows/2, len(p.lines)-rows))
}

// hit is the entry that the search shows, -1 for none.
func (p *Pane) hit() int {
	if p.find == nil || len(p.find.hits) == 0 {
		return -1
	}
	return p.find.hits[p.find.at]
}

// end is the line behind entry i.
func (p *Pane) end(i int) int {
	if i+1 < len(p.starts) {
		return p.starts[i+1]
	}
	return len(p.lines)
}

// found says whether a line belongs to what the search shows.
func (p *Pane) found(line int) bool {
	hit := p.hit()
	return hit >= 0 && line >= p.starts[hit] && line < p.end(hit)
}

// prompt is the line in which one types what to look for.
func (p *Pane) prompt() string {
	f := p.find
	count := ""
	switch {
	case len(f.query) == 0:
	case len(f.hits) == 0:
		count = "  nothing"
	default:
		count = fmt.Sprintf("  %d of %d", f.at+1, len(f.hits))
	}
	typed := "/" + string(f.query) + "_"
	for cell.Width(typed)+cell.Width(count) > p.room() && len(typed) > 2 {
		typed = "/" + string([]rune(typed)[2:])
	}
	return p.theme.Accent.Render(typed) + p.theme.Dim.Render(count)
}
