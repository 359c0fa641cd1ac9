// Package paintertest is a terminal for tests: it takes what a console writes and says what stands in each of its cells.
//
// It knows what Bubble Tea's renderer and the painter write, and nothing more: a sequence that it does not know fails the test,
// so that nothing can be shown in a way that it does not see. It holds no goroutine; Write may be called by any, one at a time.
package paintertest

import (
	"fmt"
	"image"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Cell is one place: its text, empty behind a wide one, and how it is drawn, as SGR would say it.
type Cell struct{ Text, FG, BG, Attr string }

// Screen is the terminal.
type Screen struct {
	Answer  func(string) // gets what the terminal would say to a question; nil: it says nothing
	Trouble []string     // what it did not understand
	Cooked  bool         // a line feed goes to the first column too

	mu          sync.Mutex
	size        image.Point
	cells       []Cell
	at, saved   image.Point
	wrap, wrapd bool // the next character goes to the next line; and when the cursor was saved
	pen, penWas Cell
	top, bottom int
	rest        []byte
	Bytes       int
}

// New makes an empty terminal.
func New(w, h int) *Screen {
	s := &Screen{}
	s.Resize(w, h)
	return s
}

// Resize makes it another size. What is on it stays at the upper left, as in a terminal's alternate screen.
func (s *Screen) Resize(w, h int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, was := s.cells, s.size
	s.size, s.cells = image.Pt(w, h), make([]Cell, w*h)
	for y := range h {
		for x := range w {
			s.cells[y*w+x] = Cell{Text: " "}
			if x < was.X && y < was.Y {
				s.cells[y*w+x] = old[y*was.X+x]
			}
		}
	}
	s.top, s.bottom, s.wrap = 0, h, false
	s.at = image.Pt(min(s.at.X, w-1), min(s.at.Y, h-1))
}

// Cells is a copy of all cells, row by row.
func (s *Screen) Cells() []Cell {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Cell(nil), s.cells...)
}

// Size is how many cells it has.
func (s *Screen) Size() image.Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Text is what stands on it, without colours.
func (s *Screen) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for i, c := range s.cells {
		b.WriteString(c.Text)
		if (i+1)%s.size.X == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (s *Screen) trouble(format string, args ...any) {
	if len(s.Trouble) < 20 {
		s.Trouble = append(s.Trouble, fmt.Sprintf(format, args...))
	}
}

// Write takes what is written to the terminal.
func (s *Screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	n := len(b)
	s.Bytes += n
	if len(s.rest) > 0 {
		b = append(s.rest, b...)
		s.rest = nil
	}
	var answers []string
	for len(b) > 0 {
		used, answer := s.take(b)
		if used == 0 {
			s.rest = append([]byte(nil), b...)
			break
		}
		if answer != "" {
			answers = append(answers, answer)
		}
		b = b[used:]
	}
	answer := s.Answer
	s.mu.Unlock()
	for _, a := range answers {
		if answer != nil {
			answer(a)
		}
	}
	return n, nil
}

// take does the first thing that b says.
func (s *Screen) take(b []byte) (used int, answer string) {
	switch c := b[0]; {
	case c == 0x1b:
		return s.escape(b)
	case c == '\n':
		s.feed()
		if s.Cooked {
			s.at.X = 0
		}
	case c == '\r':
		s.at.X, s.wrap = 0, false
	case c == '\b':
		s.at.X, s.wrap = max(0, s.at.X-1), false
	case c == '\t':
		s.at.X, s.wrap = min(s.size.X-1, (s.at.X/8+1)*8), false
	case c < ' ':
		s.trouble("control %#x", c)
	default:
		if !utf8.FullRune(b) {
			return 0, ""
		}
		return s.print(b), ""
	}
	return 1, ""
}

// print writes one character with what combines with it.
func (s *Screen) print(b []byte) int {
	r, n := utf8.DecodeRune(b)
	if r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 {
		s.trouble("private use U+%X", r)
	}
	text := string(b[:n])
	w := ansi.StringWidthWc(text)
	if w == 0 {
		s.cells[s.at.Y*s.size.X+max(0, s.at.X-1)].Text += text
		return n
	}
	if s.wrap || s.at.X+w > s.size.X {
		s.at.X, s.wrap = 0, false
		s.feed()
	}
	c := s.pen
	c.Text = text
	s.put(s.at.X, c)
	if w == 2 {
		c.Text = ""
		s.put(s.at.X+1, c)
	}
	s.at.X += w
	if s.at.X >= s.size.X {
		s.at.X, s.wrap = s.size.X-1, true
	}
	return n
}

func (s *Screen) put(x int, c Cell) { s.cells[s.at.Y*s.size.X+x] = c }

func (s *Screen) feed() {
	s.wrap = false
	switch {
	case s.at.Y == s.bottom-1:
		s.scroll(s.top, 1)
	case s.at.Y < s.size.Y-1:
		s.at.Y++
	}
}

// scroll moves the lines from row top to the bottom margin up, or down where n is negative.
func (s *Screen) scroll(top, n int) {
	w := s.size.X
	area := s.cells[top*w : s.bottom*w]
	blank := Cell{Text: " ", BG: s.pen.BG}
	d := min(len(area), max(n, -n)*w)
	if n > 0 {
		copy(area, area[d:])
		area = area[len(area)-d:]
	} else {
		copy(area[d:], area)
		area = area[:d]
	}
	for i := range area {
		area[i] = blank
	}
}

func (s *Screen) escape(b []byte) (used int, answer string) {
	if len(b) < 2 {
		return 0, ""
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1, s.csi(string(b[2:i]), b[i])
			}
		}
		return 0, ""
	case ']', 'P', '_':
		for i := 2; i < len(b); i++ {
			if b[i] == 7 {
				return i + 1, ""
			}
			if b[i] == 0x1b && i+1 < len(b) {
				return i + 2, ""
			}
		}
		return 0, ""
	case '7':
		s.saved, s.penWas, s.wrapd = s.at, s.pen, s.wrap
	case '8':
		s.at, s.pen, s.wrap = s.saved, s.penWas, s.wrapd
	case 'M':
		if s.at.Y == s.top {
			s.scroll(s.top, -1)
		} else {
			s.at.Y = max(0, s.at.Y-1)
		}
	default:
		s.trouble("escape %q", b[1])
	}
	return 2, ""
}

// number is the i-th parameter, or def.
func number(p []string, i, def int) int {
	if i < len(p) {
		if n, err := strconv.Atoi(p[i]); err == nil && n > 0 {
			return n
		}
	}
	return def
}

func (s *Screen) csi(body string, final byte) (answer string) {
	if body != "" && strings.ContainsRune("<=>?", rune(body[0])) {
		switch {
		case final == 'p' && body == "?2026$":
			return "\x1b[?2026;2$y"
		case final == 'h' && body == "?1049", final == 'l' && body == "?1049":
			s.erase(0, len(s.cells))
			s.at, s.wrap = image.Point{}, false
		case final == 'h', final == 'l', final == 'u', final == 'm', final == 'q', final == 'p', final == 'W', final == 'c':
		default:
			s.trouble("CSI %s %c", body, final)
		}
		return ""
	}
	p := strings.Split(body, ";")
	n := number(p, 0, 1)
	if final == 'm' {
		s.sgr(p)
		return ""
	}
	if s.move(p, n, final) || s.change(p, n, final) {
		if final != 'X' && final != 'K' && final != 'J' {
			s.wrap = false
		}
		return ""
	}
	if final != 't' && final != 'c' && final != 'q' {
		s.trouble("CSI %s %c", body, final)
	}
	return ""
}

// move moves the cursor.
func (s *Screen) move(p []string, n int, final byte) bool {
	x, y := s.at.X, s.at.Y
	switch final {
	case 'A':
		y -= n
	case 'B', 'e':
		y += n
	case 'C', 'a':
		x += n
	case 'D':
		x -= n
	case 'E':
		x, y = 0, y+n
	case 'F':
		x, y = 0, y-n
	case 'G', '`':
		x = n - 1
	case 'd':
		y = n - 1
	case 'H', 'f':
		x, y = number(p, 1, 1)-1, n-1
	case 'I':
		x = (x/8 + n) * 8
	case 'Z':
		x = (x - 1) / 8 * 8
	default:
		return false
	}
	s.at = image.Pt(max(0, min(x, s.size.X-1)), max(0, min(y, s.size.Y-1)))
	return true
}

// change changes cells.
func (s *Screen) change(p []string, n int, final byte) bool {
	w, here := s.size.X, s.at.Y*s.size.X+s.at.X
	line, end := s.at.Y*w, (s.at.Y+1)*w
	switch final {
	case 'J':
		s.erase(within(number(p, 0, 0), here, 0, len(s.cells)))
	case 'K':
		s.erase(within(number(p, 0, 0), here, line, end))
	case 'X':
		s.erase(here, min(here+n, end))
	case 'P':
		n = min(n, end-here)
		copy(s.cells[here:end], s.cells[here+n:end])
		s.erase(end-n, end)
	case '@':
		n = min(n, end-here)
		copy(s.cells[here+n:end], s.cells[here:end])
		s.erase(here, here+n)
	case 'L':
		s.scroll(s.at.Y, -n)
	case 'M':
		s.scroll(s.at.Y, n)
	case 'S':
		s.scroll(s.top, n)
	case 'T':
		s.scroll(s.top, -n)
	case 'b':
		c := s.cells[max(0, here-1)]
		for range n {
			s.put(s.at.X, c)
			s.at.X = min(s.at.X+1, w-1)
		}
	case 'r':
		s.top, s.bottom = n-1, number(p, 1, s.size.Y)
		s.at = image.Point{}
	default:
		return false
	}
	return true
}

// within is what an erasure of that kind takes of first to end.
func within(kind, here, first, end int) (int, int) {
	switch kind {
	case 1:
		return first, here + 1
	case 2, 3:
		return first, end
	}
	return here, end
}

func (s *Screen) erase(from, to int) {
	for i := from; i < to; i++ {
		s.cells[i] = Cell{Text: " ", BG: s.pen.BG}
	}
}

func (s *Screen) sgr(p []string) {
	for i := 0; i < len(p); i++ {
		switch n := number(p, i, 0); {
		case n == 0:
			s.pen = Cell{}
		case n == 38 || n == 48:
			k := 3
			if number(p, i+1, 0) == 2 {
				k = 5
			}
			colour := strings.Join(p[i:min(i+k, len(p))], ";")
			if n == 38 {
				s.pen.FG = colour
			} else {
				s.pen.BG = colour
			}
			i += k - 1
		case n == 39:
			s.pen.FG = ""
		case n == 49:
			s.pen.BG = ""
		case n >= 30 && n < 38, n >= 90 && n < 98:
			s.pen.FG = p[i]
		case n >= 40 && n < 48, n >= 100 && n < 108:
			s.pen.BG = p[i]
		default:
			s.attribute(n)
		}
	}
}

func (s *Screen) attribute(n int) {
	switch n {
	case 22:
		s.pen.Attr = strings.NewReplacer("1 ", "", "2 ", "").Replace(s.pen.Attr)
	case 23, 24, 27, 29:
		s.pen.Attr = strings.ReplaceAll(s.pen.Attr, strconv.Itoa(n-20)+" ", "")
	default:
		if tag := strconv.Itoa(n) + " "; !strings.Contains(s.pen.Attr, tag) {
			s.pen.Attr += tag
		}
	}
}
