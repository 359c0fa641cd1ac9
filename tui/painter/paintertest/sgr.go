package paintertest

import (
	"strconv"
	"strings"
)

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
