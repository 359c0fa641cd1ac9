// Package cell measures, fits and lays text into terminal cells. Every string that a pane draws goes through it, so it is
// also the last filter: whatever comes from outside was sanitised when it was parsed (package chat), and what could still
// move a cursor, start a sequence or reorder a line is replaced here.
//
// It is pure. Widths are those of the renderer (wcwidth), so that what fits here fits on the screen.
package cell

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Blank is what stands for a character that must not reach the terminal.
const Blank = '·'

// Clean replaces every character of s that does not simply occupy cells: controls (C0, DEL, C1), bidirectional and
// zero-width characters, line and paragraph separators, private use and bytes that are not UTF-8. A tab becomes a space.
// Emoji joiners and variation selectors are left out, because terminals do not agree how wide they make an emoji.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case r == 0x200D || r >= 0xFE00 && r <= 0xFE0F:
			return -1
		case r == utf8.RuneError || !shown(r):
			return Blank
		}
		return r
	}, strings.ToValidUTF8(s, string(Blank)))
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// shown says whether r occupies cells or combines with what does.
func shown(r rune) bool {
	switch {
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
		return false
	case r >= 0xE0100 && r <= 0xE01EF, r == 0x034F, r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0:
		return false
	}
	return true
}

// Width is how many cells s takes; escape sequences take none.
func Width(s string) int { return ansi.StringWidthWc(s) }

// Cut shortens s to width cells, with an ellipsis when something is lost.
func Cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if Width(s) <= width {
		return s
	}
	return ansi.TruncateWc(s, width, "…")
}

// Fit makes s exactly width cells wide: cut, or filled with spaces on the right.
func Fit(s string, width int) string {
	s = Cut(s, width)
	return s + spaces(width-Width(s))
}

// Center makes s exactly width cells wide with s in the middle.
func Center(s string, width int) string {
	s = Cut(s, width)
	left := (width - Width(s)) / 2
	return spaces(left) + s + spaces(width-left-Width(s))
}

// Ends puts left and right at the two ends of a line of width cells; left gives way first.
func Ends(left, right string, width int) string {
	right = Cut(right, width)
	room := width - Width(right)
	return Fit(left, room) + right
}

// Wrap breaks s into lines of at most width cells, at spaces where there are any.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return nil
	}
	return strings.Split(ansi.WrapWc(s, width, ""), "\n")
}

// Block is lines of one width.
type Block []string

// Size is width and height of b in cells.
func (b Block) Size() (w, h int) {
	for _, l := range b {
		w = max(w, Width(l))
	}
	return w, len(b)
}

// Overlay lays top over base with its first cell at column x of row y. Rows and columns that base does not have are left
// out; base itself is not changed.
func Overlay(base Block, top Block, x, y int) Block {
	out := append(Block(nil), base...)
	for i, line := range top {
		if y+i < 0 || y+i >= len(out) {
			continue
		}
		under := out[y+i]
		w := Width(line)
		out[y+i] = Fit(ansi.CutWc(under, 0, x), x) + "\x1b[m" + line + "\x1b[m" + ansi.TruncateLeftWc(under, x+w, "")
	}
	return out
}

// Beside joins blocks side by side; each must be rectangular, the shorter are filled with blanks.
func Beside(blocks ...Block) Block {
	rows := 0
	for _, b := range blocks {
		rows = max(rows, len(b))
	}
	out := make(Block, rows)
	for _, b := range blocks {
		w, _ := b.Size()
		for y := range out {
			if y < len(b) {
				out[y] += b[y]
			} else {
				out[y] += spaces(w)
			}
		}
	}
	return out
}

// Fill is a block of blanks.
func Fill(w, h int) Block {
	out := make(Block, max(h, 0))
	for i := range out {
		out[i] = spaces(w)
	}
	return out
}

func spaces(n int) string {
	if n <= 0 {
		return ""
	}
	return strings.Repeat(" ", n)
}
