package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/text/unicode/norm"
)

// Limits of each class of text (threats 2.4, rule 2). Cells are what Width counts, characters are code points.
const (
	MaxNameCells  = 64
	MaxNameBytes  = 256
	MaxTitleCells = 128
	MaxTitleBytes = 512
	MaxFileBytes  = 255 // NAME_MAX of every file system in use
	MaxBodyRunes  = 4000
	MaxBodyBytes  = 16 << 10
	MaxLineBytes  = 4 << 10
)

// Marker stands where something was that cannot be shown: an invisible or direction-changing character, or too many marks.
const Marker = '\uFFFD'

// Bounds of one grapheme, so that a terminal that knows no graphemes draws at most a few cells more than Width says.
const (
	maxMarks = 4 // combining marks on one base character (threats 2.4, rule 6)
	maxMore  = 4 // further letters in one grapheme: Hangul jamo, conjuncts
	maxJoins = 3 // ZWJ in one emoji sequence: a family of four is the longest in emoji-zwj-sequences.txt
)

// class is what distinguishes the kinds of text.
type class struct {
	cells, bytes, runes int // 0: no limit
	lines               bool
	emoji               bool // ZWJ and U+FE0F stay inside an emoji sequence
	tab                 string
}

var (
	names  = class{cells: MaxNameCells, bytes: MaxNameBytes, tab: " "}
	titles = class{cells: MaxTitleCells, bytes: MaxTitleBytes, tab: " "}
	files  = class{bytes: MaxFileBytes, tab: " "}
	values = class{bytes: MaxLineBytes, tab: " "}
	bodies = class{bytes: MaxBodyBytes, runes: MaxBodyRunes, lines: true, emoji: true, tab: "    "}
)

// Name makes a display name, handle or organisation safe to show: one line, at most 64 cells and 256 bytes, in NFC.
func Name(s string) string { return sanitise(s, names) }

// Title makes a window title, host name or short reason safe to show: one line, at most 128 cells.
func Title(s string) string { return sanitise(s, titles) }

// FileName makes the name of a file safe to show: one line, at most 255 bytes. It says nothing about where that name leads.
func FileName(s string) string { return sanitise(s, files) }

// Line makes any other value of one line safe to show, at most 4 KiB: diagnostics, errors, clipboard previews.
func Line(s string) string { return sanitise(s, values) }

// Body makes what a person typed safe to show: at most 4,000 characters and 16 KiB; line feeds stay.
func Body(s string) string { return sanitise(s, bodies) }

// Width is how many cells s takes, by the tables of the renderer. Layout uses this and nothing else. It is meant for text
// that passed the sanitiser: escape sequences are counted as what they are, characters.
func Width(s string) int { return displaywidth.String(s) }

// Clip cuts s after the last grapheme that fits into cells, with an ellipsis as the last one where it had to cut.
func Clip(s string, cells int) string {
	if cells <= 0 {
		return ""
	}
	if Width(s) <= cells {
		return s
	}
	return displaywidth.TruncateString(s, cells, "…")
}

// sanitise replaces, never deletes: a deletion could join the pieces around it into a new sequence.
func sanitise(s string, c class) string {
	if plain(s) && c.fits(s) {
		return s
	}
	s = strings.ToValidUTF8(cut(s, c.bytes), string(Marker))
	return c.clip(norm.NFC.String(bound(replace(s, c)))) // normal form last: it is at its slowest on what bound has removed
}

// plain says whether s is printable ASCII only, which every class lets pass.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (c class) fits(s string) bool {
	return (c.bytes == 0 || len(s) <= c.bytes) && (c.runes == 0 || utf8.RuneCountInString(s) <= c.runes) && (c.cells == 0 || Width(s) <= c.cells)
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := 0; i < utf8.UTFMax-1 && n > 0 && !utf8.RuneStart(s[n]); i++ {
		n--
	}
	return s[:n]
}

// clip brings clean text within its limits, at the end of a grapheme, with an ellipsis where it had to cut.
func (c class) clip(s string) string {
	if c.fits(s) {
		return s
	}
	const tail = "…"
	var bytes, runes, cells, end int
	for g := displaywidth.StringGraphemes(s); g.Next(); end = bytes {
		bytes += len(g.Value())
		runes += utf8.RuneCountInString(g.Value())
		cells += g.Width()
		if c.bytes > 0 && bytes+len(tail) > c.bytes || c.runes > 0 && runes+1 > c.runes || c.cells > 0 && cells+1 > c.cells {
			break
		}
	}
	return s[:end] + tail
}

// replace puts something visible where a character is that does not show or that moves what is around it.
func replace(s string, c class) string {
	var b strings.Builder
	b.Grow(len(s))
	runes := []rune(s)
	var seq emoji
	marked := false // the last thing written stands for something invisible: a run of them is one marker
	for i, r := range runes {
		keep := c.emoji && seq.keeps(r, runes[i+1:])
		switch {
		case r == '\n' && c.lines:
			b.WriteByte('\n')
		case r == '\r' && c.lines && i+1 < len(runes) && runes[i+1] == '\n': // the line feed behind it stands for both
			continue
		case r == '\t':
			b.WriteString(c.tab)
		case r < 0x20:
			b.WriteRune('␀' + r)
		case r == 0x7F:
			b.WriteRune('␡')
		case r >= 0x80 && r <= 0x9F: // a C1 control is ESC and a letter in one
			b.WriteRune('␛')
			b.WriteRune(r - 0x40)
		case unseen(r) && !keep:
			if !marked {
				b.WriteRune(Marker)
			}
			marked = true
			continue
		case !c.lines && unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
		marked = false
	}
	return b.String()
}

// unseen says whether r draws nothing by itself, changes direction, or means something only to its maker (threats 2.4, rules 4 and 5).
func unseen(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case unicode.In(r, unicode.Bidi_Control, unicode.Join_Control, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Noncharacter_Code_Point, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
		return true
	case unicode.Is(unicode.Cf, r):
		return !unicode.Is(unicode.Prepended_Concatenation_Mark, r) // Arabic number signs are drawn
	}
	return r >= 0xE0000 && r <= 0xE0FFF || r >= 0xFFF0 && r <= 0xFFFC || r == 0x180F
}

// emoji follows a sequence of UTS 51: pictograph, skin tone, U+FE0F, ZWJ, pictograph and so on.
type emoji struct {
	open  bool // the last character was a pictograph, with its skin tone and U+FE0F
	full  bool // U+FE0F was there already
	joins int
	join  bool // the last character was a ZWJ
	digit bool // the last character can open a keycap
}

// keeps says whether r is a joiner or selector that belongs to the sequence so far; rest is what follows r.
func (e *emoji) keeps(r rune, rest []rune) bool {
	was := *e
	switch {
	case r == 0xFE0F && was.open && !was.full:
		e.full = true
		return true
	case r == 0xFE0F && was.digit && len(rest) > 0 && rest[0] == 0x20E3:
		*e = emoji{}
		return true
	case r == 0x200D && was.open && was.joins < maxJoins && len(rest) > 0 && pictograph(rest[0]):
		*e = emoji{join: true, joins: was.joins + 1}
		return true
	case r >= 0x1F3FB && r <= 0x1F3FF && was.open:
		return false
	case pictograph(r):
		*e = emoji{open: true}
		if was.join {
			e.joins = was.joins
		}
	default:
		*e = emoji{digit: r >= '0' && r <= '9' || r == '#' || r == '*'}
	}
	return false
}

// pictograph says whether r lies in a block of emoji-data.txt's Extended_Pictographic. Whole blocks are enough: the worst a
// wrong yes can do is to keep one selector, which the bounds of a grapheme allow.
func pictograph(r rune) bool {
	switch {
	case r == 0xA9, r == 0xAE, r == 0x203C, r == 0x2049, r == 0x2122, r == 0x2139, r == 0x3030, r == 0x303D, r == 0x3297, r == 0x3299:
		return true
	case r >= 0x2194 && r <= 0x21AA, r >= 0x231A && r <= 0x23FF, r == 0x24C2, r >= 0x25AA && r <= 0x25FE, r >= 0x2600 && r <= 0x27BF,
		r >= 0x2934 && r <= 0x2935, r >= 0x2B05 && r <= 0x2B55:
		return true
	}
	return r >= 0x1F000 && r <= 0x1FAFF && (r < 0x1F1E6 || r > 0x1F1FF) && (r < 0x1F3FB || r > 0x1F3FF)
}

// bound gives every combining mark a base and keeps each grapheme within what a terminal can be expected to draw in two cells.
func bound(s string) string {
	w := bounder{start: true}
	w.Grow(len(s))
	for g := displaywidth.StringGraphemes(s); g.Next(); {
		w.add(g.Value())
	}
	return w.String()
}

type bounder struct {
	strings.Builder
	start bool // nothing stands before, in this line
	marks int  // on the last base
	over  bool // a marker stands for what was too much
}

func (w *bounder) add(g string) {
	more, joined := 0, false
	for i, r := range g {
		switch mark := unicode.Is(unicode.M, r) && r != 0xFE0F || r >= 0x1F3FB && r <= 0x1F3FF && i > 0; {
		case mark && w.start:
			w.WriteRune('◌') // what Unicode draws a lone mark on
			w.marks = 1
		case mark:
			w.marks++
		case r == 0x200D:
			joined = true
		case r == 0xFE0F:
		default:
			if i > 0 && !joined {
				more++
			}
			w.marks, joined = 0, false
			w.over = w.over && i > 0
		}
		w.start = r == '\n'
		if w.marks <= maxMarks && more <= maxMore {
			w.WriteRune(r)
		} else if !w.over {
			w.WriteRune(Marker)
			w.over = true
		}
	}
}
