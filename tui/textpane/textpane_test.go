package textpane

import (
	"image"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"

	"assist/screen"
	"assist/screen/console/vt"
	"assist/tui/cell"
)

// written is what a program has written on a terminal of that size, with the lines that scrolled off.
func written(size image.Point, s string) (*screen.TextGrid, []screen.Row) {
	t := vt.New(size)
	var past []screen.Row
	t.Scrolled = func(r screen.Row) {
		past = append(past, screen.Row{Cells: append([]screen.Cell(nil), r.Cells[:r.Length()]...), Wrapped: r.Wrapped})
	}
	_, _ = t.Write([]byte(s))
	g := t.Grid()
	g.Top = uint64(len(past))
	return g, past
}

func pane(w, h int, g *screen.TextGrid) *Pane {
	p := New()
	p.SetSize(image.Pt(w, h))
	p.SetGrid(g)
	return p
}

func TestViewHasTheSizeOfThePane(t *testing.T) {
	g, _ := written(image.Pt(20, 5), "plain \x1b[1;31mred\x1b[m 日本語 e\u0301\r\n\x1b[48;2;1;2;3mx\x1b[m\r\n0123456789012345678日")
	for _, size := range []image.Point{{20, 5}, {30, 8}, {7, 3}, {1, 1}} {
		p := pane(size.X, size.Y, g)
		p.Pan(image.Pt(-20, -20))
		for i, row := range p.View() {
			if w := cell.Width(row); w != size.X {
				t.Errorf("row %d of a pane of %v is %d wide: %q", i, size, w, row)
			}
		}
	}
}

func TestColoursAreExactAsFarAsTheTerminalHasThem(t *testing.T) {
	g, _ := written(image.Pt(1, 1), "\x1b[1;4:3;38;2;255;0;0;48;5;200;58;5;3mx")
	for profile, want := range map[colorprofile.Profile]string{
		colorprofile.TrueColor: "\x1b[0;1;4:3;38;2;255;0;0;48;5;200;58;5;3mx\x1b[0m",
		colorprofile.ANSI256:   "\x1b[0;1;4:3;38;5;196;48;5;200;58;5;3mx\x1b[0m",
		colorprofile.ASCII:     "\x1b[0;1;4:3mx\x1b[0m",
	} {
		p := pane(1, 1, g)
		p.SetProfile(profile)
		if got := p.View()[0]; got != want {
			t.Errorf("%v: %q, want %q", profile, got, want)
		}
	}
	g, _ = written(image.Pt(1, 1), "\x1b[92;101mx")
	if got := pane(1, 1, g).View()[0]; got != "\x1b[0;92;101mx\x1b[0m" {
		t.Errorf("the palette's colours are %q", got)
	}
}

func TestScrollbackIsAskedForAndShown(t *testing.T) {
	var in strings.Builder
	for i := range 100 {
		in.WriteString(strings.Repeat("x", i%7) + " line " + string(rune('a'+i%26)) + "\r\n")
	}
	g, past := written(image.Pt(20, 10), in.String())
	p := pane(20, 10, g)
	if _, n := p.Missing(); n != 0 {
		t.Error("lines are missing that nobody looks at")
	}
	p.Scroll(15)
	from, n := p.Missing()
	if n == 0 || from > g.Top-15 {
		t.Fatalf("asks for %d lines from %d", n, from)
	}
	if _, again := p.Missing(); again != 0 {
		t.Error("asks twice for the same")
	}
	p.Lines(from, past[from:min(int(from)+n, len(past))])
	if got, want := strings.TrimRight(strip(p.View()[0]), " "), past[g.Top-15].Text(); got != want {
		t.Errorf("first row %q, want %q", got, want)
	}
	if got := p.Back(); got != 15 {
		t.Errorf("%d lines back", got)
	}
	p.Scroll(-100)
	if p.Back() != 0 {
		t.Error("scrolling on does not end at the newest line")
	}
}

func strip(s string) string {
	var b strings.Builder
	for in := false; s != ""; s = s[1:] {
		switch c := s[0]; {
		case c == 0x1b:
			in = true
		case in:
			in = c != 'm'
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestSelectionIsToTheLetter(t *testing.T) {
	g, _ := written(image.Pt(10, 5), "one  two\r\nwrapped line goes on\r\n日本 e\u0301\r\n")
	p := pane(10, 5, g)
	p.Press(image.Pt(4, 0))
	p.Drag(image.Pt(9, 3))
	if got, want := p.Selected(), " two\nwrapped line goes on\n日本 e\u0301"; got != want {
		t.Errorf("selected %q, want %q", got, want)
	}
	p.Press(image.Pt(2, 1)) // backwards
	p.Drag(image.Pt(1, 0))
	if got, want := p.Selected(), "ne  two\nwra"; got != want {
		t.Errorf("selected %q, want %q", got, want)
	}
	p.Typed()
	if p.Selecting() {
		t.Error("typing leaves the selection")
	}
}

func TestALargerGridIsPannedAfterTheCursor(t *testing.T) {
	g, _ := written(image.Pt(80, 24), "\x1b[20;70Hhere")
	p := pane(20, 5, g)
	p.View()
	at, seen := p.Cursor()
	if !seen || !p.Larger() {
		t.Fatalf("cursor at %v, seen %v", at, seen)
	}
	if c, in := p.Cell(at); !in || c != g.Cursor.At {
		t.Errorf("the cell at the cursor is %v", c)
	}
	p.Pan(image.Pt(-200, -200))
	p.View()
	if _, seen := p.Cursor(); seen {
		t.Error("panned by hand, but the cursor is followed")
	}
	p.Typed()
	p.View()
	if _, seen := p.Cursor(); !seen {
		t.Error("typed, but the cursor is not in sight")
	}
}

func TestFoundWordsAreMarkedAndShown(t *testing.T) {
	g, past := written(image.Pt(20, 4), "Needle one\r\nx\r\ny\r\nz\r\na\r\nb\r\nneedle two\r\n")
	p := pane(20, 4, g)
	p.Show(6, "needle")
	if p.Back() != 0 {
		t.Error("scrolled although the line was seen")
	}
	if got := strings.Join(p.View(), "\n"); !strings.Contains(got, "\x1b[0;7mneedle\x1b[0m two") {
		t.Errorf("not marked: %q", got)
	}
	p.Show(0, "needle")
	from, n := p.Missing()
	p.Lines(from, past[from:min(int(from)+n, len(past))])
	if got := strings.Join(p.View(), "\n"); !strings.Contains(got, "\x1b[0;7mNeedle\x1b[0m one") {
		t.Errorf("not shown: %q", got)
	}
}

func TestRowsThatDidNotChangeAreNotDrawnAgain(t *testing.T) {
	g, _ := written(image.Pt(200, 60), strings.Repeat("a row of text\r\n", 59))
	p := pane(200, 60, g)
	p.View()
	if n := testing.AllocsPerRun(10, func() { p.View() }); n > 2 {
		t.Errorf("%v allocations for a view of which nothing changed", n)
	}
}
