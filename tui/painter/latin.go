package painter

import (
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"
)

// Where AskWidths asks, in rows counted from 0: behind one character there the cursor is in column 1.
const (
	LatinRow  = 1 // an é: in column 2 where bytes are characters
	OctantRow = 2 // an octant: in column 0 where it is not known to have a width, as in a tmux with an older C library
)

const (
	altScreen = "\x1b[?1049h"
	// AskWidths asks by what the terminal's cursor does, and leaves the screen empty.
	AskWidths = "\x1b[2;1H\u00e9\x1b[6n\x1b[3;1H\U0001CD00\x1b[6n\x1b[H\x1b[J"
)

// SetLatin says whether the terminal shows no Unicode: then text is written in ASCII that comes near to it. The picture is the
// business of its mode.
func (p *Painter) SetLatin(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filter.latin = on
}

// near is ASCII for the characters that a console draws with.
var near = map[rune]byte{
	'\u00a0': ' ', '·': '.', '×': 'x', '–': '-', '—': '-', '‘': '\'', '’': '\'', '“': '"', '”': '"', '…': '.', '•': '*', '●': '*', '○': 'o', '◆': '*', '◇': 'o',
	'■': '#', '□': 'o', '▪': '*', '▸': '>', '▶': '>', '▾': 'v', '▼': 'v', '▴': '^', '▲': '^', '◀': '<', '←': '<', '→': '>', '↑': '^', '↓': 'v', '⏎': '<',
	'✓': 'v', '✔': 'v', '✗': 'x', '✘': 'x', '⚠': '!', '›': '>', '‹': '<', '»': '>', '«': '<',
}

// appendLatin appends r in ASCII, as many characters as r has cells.
func appendLatin(out []byte, r rune) []byte {
	width := ansi.StringWidthWc(string(r))
	if width == 0 {
		return out
	}
	c := near[r]
	switch {
	case c != 0:
	case r == '─' || r == '━' || r == '═' || r >= '╌' && r <= '╍' || r >= '┄' && r <= '┅' || r >= '┈' && r <= '┉':
		c = '-'
	case r == '│' || r == '┃' || r == '║' || r >= '╎' && r <= '╏' || r >= '┆' && r <= '┇' || r >= '┊' && r <= '┋':
		c = '|'
	case r >= 0x2500 && r < 0x2580:
		c = '+'
	case r >= 0x2580 && r < 0x25a0:
		c = '#'
	default:
		c = '?'
		if plain := []rune(norm.NFD.String(string(r))); len(plain) > 1 && plain[0] < unicode.MaxASCII && unicode.Is(unicode.Mn, plain[1]) {
			c = byte(plain[0])
		}
	}
	for range width {
		out = append(out, c)
	}
	return out
}
