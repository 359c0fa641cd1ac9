package tui

import (
	"image"
	"strings"
	"testing"
)

// sketch draws a layout at a tenth of its width and half of its height: H header, p picture, r roster, c chat, S status.
func sketch(l layout, size image.Point) string {
	if l.small {
		return "small"
	}
	var rows []string
	for y := 0; y < size.Y; y++ {
		row := ""
		for x := 0; x < size.X; x += 10 {
			row += letter(l, image.Pt(x, y))
		}
		if len(rows) == 0 || rows[len(rows)-1] != row {
			rows = append(rows, row)
		}
	}
	return strings.Join(rows, "\n")
}

func letter(l layout, p image.Point) string {
	s := ""
	for _, part := range []struct {
		name string
		r    image.Rectangle
	}{{"H", l.header}, {"p", l.picture}, {"r", l.roster}, {"c", l.chat}, {"S", l.status}} {
		if p.In(part.r) {
			s += part.name
		}
	}
	if s == "" {
		return "!"
	}
	return s
}

func TestLayoutAsDrawings(t *testing.T) {
	for _, c := range []struct {
		name string
		size image.Point
		want panes
		draw string
	}{
		{"picture only", image.Pt(80, 24), panes{}, `
HHHHHHHH
pppppppp
SSSSSSSS`},
		{"chat below when narrow", image.Pt(80, 24), panes{chat: true}, `
HHHHHHHH
pppppppp
cccccccc
SSSSSSSS`},
		{"roster at the right when narrow", image.Pt(80, 24), panes{roster: true, rosterRows: 8}, `
HHHHHHHH
ppppprrr
SSSSSSSS`},
		{"both when narrow", image.Pt(80, 24), panes{roster: true, rosterRows: 8, chat: true}, `
HHHHHHHH
ppppprrr
cccccccc
SSSSSSSS`},
		{"chat beside when wide", image.Pt(120, 40), panes{chat: true}, `
HHHHHHHHHHHH
pppppppppccc
SSSSSSSSSSSS`},
		{"both when wide", image.Pt(120, 40), panes{roster: true, rosterRows: 8, chat: true}, `
HHHHHHHHHHHH
ppppppppprrr
pppppppppccc
SSSSSSSSSSSS`},
		{"smallest", image.Pt(MinWidth, MinHeight), panes{roster: true, rosterRows: 8, chat: true}, `
HHHHHH
ppprrr
cccccc
SSSSSS`},
		{"too narrow", image.Pt(MinWidth-1, 50), panes{}, "\nsmall"},
		{"too low", image.Pt(200, MinHeight-1), panes{}, "\nsmall"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := "\n" + sketch(arrange(c.size, c.want), c.size); got != c.draw {
				t.Errorf("got %s\nwant %s", got, c.draw)
			}
		})
	}
}

func TestEveryCellBelongsToOnePane(t *testing.T) {
	for w := MinWidth; w <= 220; w += 7 {
		for h := MinHeight; h <= 70; h += 3 {
			for _, want := range []panes{{}, {chat: true}, {roster: true, rosterRows: 5}, {roster: true, rosterRows: 99, chat: true}} {
				l := arrange(image.Pt(w, h), want)
				for y := range h {
					for x := range w {
						if s := letter(l, image.Pt(x, y)); len(s) != 1 || s == "!" {
							t.Fatalf("%dx%d %+v: cell %d,%d is %q", w, h, want, x, y, s)
						}
					}
				}
				if l.picture.Dx() < 20 || l.picture.Dy() < 5 {
					t.Fatalf("%dx%d %+v leaves %v for the picture", w, h, want, l.picture.Size())
				}
			}
		}
	}
}
