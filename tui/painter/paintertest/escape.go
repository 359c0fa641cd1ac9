package paintertest

import (
	"image"
	"strconv"
	"strings"
)

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
	if final != 't' && final != 'c' && final != 'q' && final != 'n' {
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
