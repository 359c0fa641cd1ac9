// Package textpane is the pane that shows text which a host shares: at native cells, in the program's own colours, with its
// scrollback, searching, and selecting what is there to the letter.
//
// The pane belongs to the goroutine of the program that draws it and never waits. It draws the newest grid that it was given;
// lines of scrollback that it lacks it names (Missing) and gets from whoever can ask for them. Nothing of a program reaches
// the terminal but characters that have passed screen.CellRune and styles that are written here.
package textpane

import (
	"image"
	"strings"

	"github.com/charmbracelet/colorprofile"

	"assist/screen"
	"assist/tui/cell"
)

// keepRows is how many lines of scrollback are remembered.
const keepRows = 4000

// Pane is the text and what part of it is seen.
type Pane struct {
	Caret bool // the cursor is drawn; else the terminal's own stands there

	size    image.Point
	grid    *screen.TextGrid
	profile colorprofile.Profile
	pan     image.Point // first column and row that are seen of a grid larger than the pane
	moved   bool        // panned by hand: the cursor is not followed until it is typed again
	top     uint64      // first line that is seen, while scrolled back
	back    bool        // scrolled back
	past    map[uint64]screen.Row
	asked   uint64 // from which line on lines were asked for; one more than the number, 0: none are

	mark  selection
	found string // words that are marked
	drawn []drawn
}

// drawn is a row as it was drawn last, and what it was made of.
type drawn struct {
	cells    *screen.Cell
	pan      int
	caret    int
	from, to int
	reverse  bool
	words    string
	text     string
}

// New makes an empty pane.
func New() *Pane { return &Pane{past: map[uint64]screen.Row{}, profile: colorprofile.TrueColor} }

// SetSize gives the pane its size in cells.
func (p *Pane) SetSize(size image.Point) {
	if size != p.size {
		p.size, p.drawn = size, nil
	}
}

// SetProfile says which colours the terminal shows.
func (p *Pane) SetProfile(c colorprofile.Profile) { p.profile, p.drawn = c, nil }

// SetGrid hands over the newest state.
func (p *Pane) SetGrid(g *screen.TextGrid) {
	if p.grid != nil && g != nil && (g.Size != p.grid.Size || g.Oldest > p.grid.Oldest) {
		if g.Size != p.grid.Size {
			p.mark = selection{}
		}
		for n := range p.past {
			if n < g.Oldest {
				delete(p.past, n)
			}
		}
	}
	p.grid = g
	if g != nil && p.back {
		p.top = max(p.top, g.Oldest)
	}
}

// Grid is the newest state, nil before the first.
func (p *Pane) Grid() *screen.TextGrid { return p.grid }

// follow keeps the cursor in sight where the grid is larger than the pane.
func (p *Pane) follow() {
	g := p.grid
	limit := image.Pt(max(0, g.Size.X-p.size.X), max(0, g.Size.Y-p.size.Y))
	if !p.moved && !p.back {
		at := g.Cursor.At
		p.pan.X = max(min(p.pan.X, at.X), at.X-p.size.X+1)
		p.pan.Y = max(min(p.pan.Y, at.Y), at.Y-p.size.Y+1)
	}
	p.pan = image.Pt(max(0, min(p.pan.X, limit.X)), max(0, min(p.pan.Y, limit.Y)))
}

// Pan moves the view over a grid that is larger than the pane; it stays there until Typed.
func (p *Pane) Pan(d image.Point) {
	p.pan, p.moved = p.pan.Add(d), true
}

// Typed goes back to the newest state, where the cursor is.
func (p *Pane) Typed() { p.moved, p.back, p.mark = false, false, selection{} }

// Larger says whether part of the grid is out of sight.
func (p *Pane) Larger() bool {
	return p.grid != nil && (p.grid.Size.X > p.size.X || p.grid.Size.Y > p.size.Y)
}

// first is the number of the first line that is seen.
func (p *Pane) first() uint64 {
	if p.back {
		return p.top
	}
	return p.grid.Top + uint64(p.pan.Y)
}

// rows is how many rows of the pane lines can stand in.
func (p *Pane) rows() int {
	if p.back {
		return p.size.Y
	}
	return min(p.size.Y, p.grid.Size.Y)
}

// Scroll goes n lines back, or forward where n is negative. At the newest line it ends.
func (p *Pane) Scroll(n int) {
	if p.grid == nil {
		return
	}
	p.follow()
	end := p.grid.Top + uint64(max(0, p.grid.Size.Y-p.size.Y))
	top := int64(p.first()) - int64(n)
	p.scrollTo(max(int64(p.grid.Oldest), top), end)
}

func (p *Pane) scrollTo(top int64, end uint64) {
	if uint64(top) >= end && end >= p.grid.Top {
		p.back = false
		return
	}
	p.back, p.top = true, uint64(max(0, top))
}

// Back is how many lines the view is behind the newest state; 0: it is not.
func (p *Pane) Back() int {
	if p.grid == nil || !p.back {
		return 0
	}
	return max(1, int(p.grid.Top-min(p.top, p.grid.Top)))
}

// Missing is the first line that should be shown and is not here, and how many to ask for; n is 0 when nothing is missing or
// it was asked for already.
func (p *Pane) Missing() (from uint64, n int) {
	if p.grid == nil || !p.back {
		return 0, 0
	}
	for i := range p.size.Y {
		line := p.top + uint64(i)
		if line >= p.grid.Top {
			break
		}
		if _, here := p.past[line]; here {
			continue
		}
		n = max(p.size.Y, 100)
		from = max(p.grid.Oldest, line-min(line, uint64(n/2))) // some before it, for who goes on
		if p.asked == from+1 {
			return 0, 0
		}
		p.asked = from + 1
		return from, min(n, screen.MaxTextLines)
	}
	return 0, 0
}

// Lines hands over lines of scrollback that were missing.
func (p *Pane) Lines(first uint64, rows []screen.Row) {
	if len(p.past)+len(rows) > keepRows {
		clear(p.past)
	}
	for i, r := range rows {
		p.past[first+uint64(i)] = r
	}
	p.asked, p.drawn = 0, nil
}

// line is line n, if it is here.
func (p *Pane) line(n uint64) (screen.Row, bool) {
	g := p.grid
	if n >= g.Top {
		if i := n - g.Top; i < uint64(len(g.Rows)) {
			return g.Rows[i], true
		}
		return screen.Row{}, false
	}
	r, ok := p.past[n]
	return r, ok
}

// Show scrolls to a line and marks words in it and wherever else they are seen.
func (p *Pane) Show(line uint64, words string) {
	p.found, p.drawn = strings.ToLower(words), nil
	if p.grid == nil || line >= p.first() && line < p.first()+uint64(p.rows()) {
		return
	}
	top := int64(line) - int64(p.size.Y/2)
	p.scrollTo(max(int64(p.grid.Oldest), top), p.grid.Top+uint64(max(0, p.grid.Size.Y-p.size.Y)))
}

// Unmark forgets words that were found, and what is selected.
func (p *Pane) Unmark() { p.found, p.mark, p.drawn = "", selection{}, nil }

// Found are the words that are marked.
func (p *Pane) Found() string { return p.found }

// SearchFrom is where a search for words begins: at the newest line, or, when it goes on, above or below what is seen.
func (p *Pane) SearchFrom(words string, down bool) uint64 {
	if p.grid == nil {
		return 0
	}
	middle := p.first() + uint64(p.size.Y/2)
	switch again := strings.EqualFold(words, p.found); {
	case down:
		return middle + 1
	case again && p.back:
		return max(1, middle) - 1
	case again:
		return max(1, p.first()) - 1
	}
	return p.grid.Top + uint64(p.grid.Size.Y)
}

// Cell is the cell of the grid that stands at a cell of the pane; false beside it, or while scrolled back.
func (p *Pane) Cell(at image.Point) (image.Point, bool) {
	if p.grid == nil || p.back {
		return image.Point{}, false
	}
	at = at.Add(p.pan)
	in := at.In(image.Rectangle{Max: p.grid.Size})
	return image.Pt(max(0, min(at.X, p.grid.Size.X-1)), max(0, min(at.Y, p.grid.Size.Y-1))), in
}

// Cursor is where the cursor stands in the pane; false when it is not to be seen.
func (p *Pane) Cursor() (image.Point, bool) {
	if p.grid == nil || p.back || p.grid.Cursor.Hidden {
		return image.Point{}, false
	}
	at := p.grid.Cursor.At.Sub(p.pan)
	return at, at.In(image.Rectangle{Max: p.size})
}

// View draws the pane, exactly as large as it was made. Rows that did not change are the strings of the last time.
func (p *Pane) View() cell.Block {
	if p.grid == nil {
		return cell.Fill(p.size.X, p.size.Y)
	}
	p.follow()
	if len(p.drawn) != p.size.Y {
		p.drawn = make([]drawn, p.size.Y)
	}
	out := make(cell.Block, p.size.Y)
	caret, seen := p.Cursor()
	for y := range out {
		n := p.first() + uint64(y)
		row, here := p.line(n)
		if !here || !p.back && y >= p.grid.Size.Y {
			out[y] = beyond(p.size.X)
			p.drawn[y] = drawn{}
			continue
		}
		d := drawn{pan: p.pan.X, caret: -1, reverse: p.grid.Modes.Has(screen.ReverseScreen), words: p.found}
		if p.back {
			d.pan = 0
		}
		if len(row.Cells) > 0 {
			d.cells = &row.Cells[0]
		}
		if p.Caret && seen && caret.Y == y {
			d.caret = p.grid.Cursor.At.X
		}
		d.from, d.to = p.mark.columns(n, len(row.Cells))
		if old := p.drawn[y]; old.cells == d.cells && d.cells != nil && old.pan == d.pan && old.caret == d.caret && old.from == d.from &&
			old.to == d.to && old.reverse == d.reverse && old.words == d.words {
			out[y] = old.text
			continue
		}
		d.text = p.draw(row, d)
		p.drawn[y], out[y] = d, d.text
	}
	return out
}

// beyond is a row that no line of the program stands in.
func beyond(width int) string { return "\x1b[2m" + strings.Repeat("·", width) + "\x1b[m" }
