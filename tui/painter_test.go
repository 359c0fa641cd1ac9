package tui

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assist/screen/raster"
	"assist/tui/painter/paintertest"
)

func TestPainterShowsWhatTheTextShows(t *testing.T) {
	walk(t, 1, 300)
	dash(t, 2, 300)
}

// dash plays a painted console at random and does not wait for it to draw each time. Now and then every cell is compared with what
// the same console would show if it drew the picture as text.
func dash(t *testing.T, seed uint64, steps int) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(seed, 77))
		d := startPlayed(t, true)
		var done []string
		for n := range steps {
			what, do := randomStep(dice)
			done = append(done, what)
			do(d)
			if time.Sleep(time.Duration(dice.IntN(30)) * time.Millisecond); dice.IntN(5) > 0 {
				continue
			}
			d.clock.Add(int64(dice.IntN(3000)) * int64(time.Millisecond))
			d.p.Send(changedMsg{}) // drawn once more: the clock of the console stands still now
			time.Sleep(1037 * time.Millisecond)
			synctest.Wait()
			if diff := differ(d.asText(), d); diff != "" {
				t.Fatalf("step %d, after %v:\n%s", n, done[max(0, len(done)-12):], diff)
			}
		}
		d.finish(t)
	})
}

// asText is what the console would show as text.
func (d *played) asText() *played {
	d.both.text = true
	rows := d.m.compose()
	d.both.text = false
	out := &played{m: d.m, screen: paintertest.New(d.screen.Size().X, d.screen.Size().Y)}
	for y, row := range rows {
		fmt.Fprintf(out.screen, "\x1b[%d;1H\x1b[m%s", y+1, row)
	}
	return out
}

// walk plays a console at random, once with the painter and once with the picture as text in the view, on terminals of their own,
// and compares every cell after every step. The programs are real, time is not.
func walk(t *testing.T, seed uint64, steps int) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(seed, 99))
		plain, painted := startPlayed(t, false), startPlayed(t, true)
		var done []string
		for n := range steps {
			what, do := randomStep(dice)
			done = append(done, what)
			for _, p := range []*played{plain, painted} {
				p.clock.Add(int64(250 * time.Millisecond))
				do(p)
			}
			time.Sleep(250 * time.Millisecond) // longer than anything that the console puts off
			synctest.Wait()
			if diff := differ(plain, painted); diff != "" {
				t.Fatalf("step %d, after %v:\n%s", n, done[max(0, len(done)-12):], diff)
			}
		}
		plain.finish(t)
		painted.finish(t)
	})
}

// differ says where two terminals show something else.
func differ(a, b *played) string {
	ca, cb := a.screen.Cells(), b.screen.Cells()
	if len(ca) != len(cb) {
		return "sizes differ"
	}
	mode := a.m.viewer.Mode()
	n, first := 0, ""
	for i := range ca {
		if x, y := shownBy(ca[i], mode), shownBy(cb[i], mode); x != y {
			if n == 0 {
				w := a.screen.Size().X
				first = fmt.Sprintf("cell %d,%d is %+v, want %+v", i%w, i/w, cb[i], ca[i])
			}
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d cells differ; %s\n%s\n%s", n, first, a.screen.Text(), b.screen.Text())
}

// shownBy is a cell in a form in which the same to see is the same.
func shownBy(c paintertest.Cell, m raster.Mode) paintertest.Cell {
	attr := strings.Fields(c.Attr)
	if c.Text == " " { // bold, dim and italic are not seen there
		attr = slices.DeleteFunc(attr, func(a string) bool { return a == "1" || a == "2" || a == "3" })
	}
	slices.Sort(attr)
	c.Attr = strings.Join(attr, " ")
	fg, bg := strings.TrimPrefix(c.FG, "3"), strings.TrimPrefix(c.BG, "4")
	if c.Text == " " {
		return paintertest.Cell{Text: " ", BG: bg, Attr: c.Attr}
	}
	g := m.Grain()
	if m != raster.Quadrant && m != raster.Sextant && m != raster.Octant || c.Text == "" {
		return paintertest.Cell{Text: c.Text, FG: fg, BG: bg, Attr: c.Attr}
	}
	for i := range 1 << (g.X * g.Y) {
		if m.Glyph(uint8(i)) == c.Text && i>>(g.X*g.Y-1) == 1 {
			return paintertest.Cell{Text: m.Glyph(uint8(1<<(g.X*g.Y)-1) ^ uint8(i)), FG: bg, BG: fg, Attr: c.Attr}
		}
	}
	return paintertest.Cell{Text: c.Text, FG: fg, BG: bg, Attr: c.Attr}
}
