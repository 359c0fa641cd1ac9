//go:build desktop

package vt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"assist/screen"
	"assist/screen/console/consoletest"
	"assist/screen/console/vt"
)

func TestMain(m *testing.M) {
	consoletest.Feed()
	os.Exit(m.Run())
}

// leastVttest is how many screens of vttest have to be exact.
const leastVttest = 22

// verdict is how one screen compares.
type verdict struct {
	program, name string
	text, styles  int // cells or rows that differ
	first         string
}

func (v verdict) exact() bool { return v.text == 0 && v.styles == 0 }

// TestLikeXterm records programs and compares what the emulator and a real xterm make of the recordings. With
// ASSIST_VT_TABLE it writes the table there.
func TestLikeXterm(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	display, err := consoletest.Xvfb(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var all []verdict
	apps, exactApps, exactVttest, vttest := 0, 0, 0, 0
	for _, s := range append(append([]consoletest.Session(nil), consoletest.Sessions...), consoletest.Vttest) {
		if only := os.Getenv("ASSIST_VT_ONLY"); only != "" && only != s.Name {
			continue
		}
		rec, err := consoletest.Record(s, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		verdicts, err := compare(ctx, display, t.TempDir(), rec)
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		for _, v := range verdicts {
			v.program = s.Name
			all = append(all, v)
			switch {
			case s.Name == "vttest":
				vttest++
				exactVttest += ok(v)
			default:
				apps++
				exactApps += ok(v)
			}
			if !v.exact() {
				t.Logf("%s: %d rows of text and %d styles differ: %s", v.name, v.text, v.styles, v.first)
			}
		}
	}
	t.Logf("exact: %d of %d screens of programs, %d of %d of vttest", exactApps, apps, exactVttest, vttest)
	if path := os.Getenv("ASSIST_VT_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(table(all)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv("ASSIST_VT_ONLY") != "" {
		return
	}
	if exactApps != apps || apps < 42 {
		t.Errorf("%d of %d screens of programs are exact; all of at least 42 have to be", exactApps, apps)
	}
	if exactVttest < leastVttest {
		t.Errorf("%d of %d screens of vttest are exact; %d have to be", exactVttest, vttest, leastVttest)
	}
}

func ok(v verdict) int {
	if v.exact() {
		return 1
	}
	return 0
}

// compare feeds a recording to both and looks at every mark.
func compare(ctx context.Context, display, dir string, rec *consoletest.Recording) ([]verdict, error) {
	x, err := consoletest.StartXterm(ctx, display, dir)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	term := vt.New(consoletest.Size)
	all, at := rec.Bytes(), 0
	var out []verdict
	for _, m := range rec.Marks {
		piece := all[at:m.Upto]
		at = m.Upto
		_, _ = term.Write(piece)
		if err := x.Write(piece); err != nil {
			return nil, err
		}
		text, styles, err := x.Screen()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		v := judge(term.Grid(), text, styles)
		v.name = m.Name
		if !v.exact() && os.Getenv("ASSIST_VT_DUMP") != "" {
			dump(os.Getenv("ASSIST_VT_DUMP"), m.Name, term.Grid(), text, all[:at])
		}
		out = append(out, v)
	}
	return out, nil
}

func dump(dir, name string, g *screen.TextGrid, text []string, raw []byte) {
	var b strings.Builder
	for y, row := range g.Rows {
		mark := " "
		if rowText(row) != text[y] {
			mark = "!"
		}
		fmt.Fprintf(&b, "%s%-80s|%s\n", mark, rowText(row), text[y])
	}
	name = strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' || r == ':' {
			return '_'
		}
		return r
	}, name)
	_ = os.WriteFile(filepath.Join(dir, name+".txt"), []byte(b.String()), 0o600)
	_ = os.WriteFile(filepath.Join(dir, name+".raw"), raw, 0o600)
}

func rowText(r screen.Row) string {
	var b strings.Builder
	for _, c := range r.Cells {
		if c.Style.Attr&screen.Hidden != 0 { // xterm prints what is seen
			c = screen.Cell{Span: c.Span}
		}
		b.WriteString(c.Text())
	}
	return strings.TrimRight(b.String(), " ")
}

func judge(g *screen.TextGrid, text []string, styles [][]screen.Style) (v verdict) {
	for y, row := range g.Rows {
		if got := rowText(row); norm.NFC.String(got) != norm.NFC.String(text[y]) { // xterm composes what can be composed
			v.text++
			if v.first == "" {
				v.first = fmt.Sprintf("row %d is %q, of xterm %q", y, got, text[y])
			}
		}
		for x, c := range row.Cells {
			got, want := seen(c, c.Style), seen(c, styles[y][x])
			if got != want {
				v.styles++
				if v.first == "" {
					v.first = fmt.Sprintf("cell %d,%d %q is %+v, of xterm %+v", x, y, c.Text(), got, want)
				}
			}
		}
	}
	return v
}

// seen is what can be seen of a style on c: of a blank only what is drawn without a character. xterm reports
// neither the colour of underlines nor overlines; what is hidden it does not print, so that the text tells.
func seen(c screen.Cell, s screen.Style) screen.Style {
	s.Line = screen.DefaultColour
	s.Attr &^= screen.Overline | screen.Protected | screen.Hidden
	if c.Rune == 0 || c.Rune == ' ' {
		s.Attr &= screen.Reverse | screen.UnderlineMask | screen.Strike
		if s.Attr == 0 {
			s.Fg = screen.DefaultColour
		}
	}
	return s
}

// table is the result as a page of the documentation.
func table(all []verdict) string {
	var b strings.Builder
	b.WriteString("# The terminal emulator beside xterm\n\nMade by `make vt-compare`: every program is recorded while keys are typed into it, and the recording " +
		"is fed to the emulator\nand to a real xterm. Compared are all characters (as xterm prints them, `CSI i`) and the colours and attributes of " +
		"every\ncell (as xterm reports them, XTREPORTSGR), on 80x24. A blank's own character attributes do not count.\n\n")
	count := map[string][2]int{}
	var order []string
	for _, v := range all {
		c, known := count[v.program]
		if !known {
			order = append(order, v.program)
		}
		count[v.program] = [2]int{c[0] + ok(v), c[1] + 1}
	}
	b.WriteString("| program | exact |\n|---|---|\n")
	for _, p := range order {
		fmt.Fprintf(&b, "| %s | %d of %d |\n", p, count[p][0], count[p][1])
	}
	b.WriteString("\n| screen | text | colours and attributes |\n|---|---|---|\n")
	for _, v := range all {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v.name, word(v.text, "row"), word(v.styles, "cell"))
	}
	return b.String()
}

func word(n int, what string) string {
	switch n {
	case 0:
		return "exact"
	case 1:
		return "1 " + what + " differs"
	}
	return fmt.Sprintf("%d %ss differ", n, what)
}
