// Package paintertest is a terminal for tests: it takes what a console writes and says what stands in each of its cells.
//
// It knows what Bubble Tea's renderer and the painter write, and nothing more: a sequence that it does not know fails the test,
// so that nothing can be shown in a way that it does not see. It holds no goroutine; Write may be called by any, one at a time.
package paintertest

import (
	"fmt"
	"image"
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
