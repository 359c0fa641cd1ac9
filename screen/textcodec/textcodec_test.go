package textcodec

import (
	"errors"
	"image"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"assist/screen"
	"assist/screen/console/vt"
)

// same says whether two states show the same, whatever their numbers.
func same(a, b *screen.TextGrid) bool {
	x, y := *a, *b
	x.Seq, y.Seq = 0, 0
	return reflect.DeepEqual(x, y)
}

func coders(t testing.TB) (*Encoder, *Decoder) {
	e, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// TestStatesArrive sends the states of a terminal in which all sorts of things happen.
func TestStatesArrive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{
		"hello ", "日本語", "e\u0301", "\r\n", "\x1b[1;31m", "\x1b[m", "\x1b[38;2;1;2;3m", "\x1b[2J", "\x1b[H", "\x1b[5;10r", "\n\n\n", "\x1b[L", "\x1b[M",
		"\x1b[3@", "\x1b[2P", "\x1b[K", "\x1b[10;20H", "\x1b[?25l", "\x1b[?25h", "\x1b[?1049h", "\x1b[?1049l", "\x1bM", "\x1b[3S", "\x1b[2T", "\x1b[4 q",
		strings.Repeat("wrapped line ", 12), "\x1b[44m\x1b[K", "\x1b[?2004h", "─────────────", "\x1b[4:3m\x1b[58:5:1m", "x\x1b[20b",
	}
	e, d := coders(t)
	term := vt.New(image.Pt(60, 20))
	bytes, largest := 0, 0
	for i := range 3000 {
		for range 1 + r.IntN(4) {
			_, _ = term.Write([]byte(pieces[r.IntN(len(pieces))]))
		}
		if i%500 == 499 {
			term.Resize(image.Pt(20+r.IntN(60), 5+r.IntN(20)))
		}
		g := term.Grid()
		g.Top, g.Oldest = uint64(i), uint64(i/2)
		if e.Full() {
			e.Reset()
			d.Reset()
		}
		msg, changed := e.Encode(g)
		if !changed {
			continue
		}
		bytes += len(msg)
		largest = max(largest, len(msg))
		got, err := d.Decode(msg)
		if err != nil {
			t.Fatalf("state %d: %v", i, err)
		}
		if !same(got, g) {
			t.Fatalf("state %d is another one when it arrives", i)
		}
		if again, changed := e.Encode(g); changed {
			t.Fatalf("state %d sent twice: %x", i, again)
		}
	}
	t.Logf("%d bytes in all, %d at most", bytes, largest)
}

func TestSmallThingsAreSmall(t *testing.T) {
	e, _ := coders(t)
	term := vt.New(image.Pt(80, 24))
	write := func(s string) int {
		_, _ = term.Write([]byte(s))
		msg, _ := e.Encode(term.Grid())
		return len(msg)
	}
	for i := range 24 {
		write("the quick brown fox jumps over the lazy dog " + strings.Repeat(string(rune('a'+i)), 20) + "\r\n")
	}
	write("$ ")
	if n := write("x"); n > 16 {
		t.Errorf("a typed character is %d bytes", n)
	}
	if n := write("\r\nnext"); n > 32 {
		t.Errorf("a scrolled line is %d bytes", n)
	}
	if n := write("\x1b[3;20r\x1b[3H\x1bM\x1b[r"); n > 24 {
		t.Errorf("a region scrolled down is %d bytes", n)
	}
}

func TestRowsOfScrollback(t *testing.T) {
	term := vt.New(image.Pt(40, 5))
	_, _ = term.Write([]byte("one \x1b[31mred\x1b[m\r\n\r\n日本e\u0301 " + strings.Repeat("long ", 10)))
	rows := term.Grid().Rows
	got, err := ParseRows(AppendRows(nil, rows), len(rows))
	if err != nil {
		t.Fatal(err)
	}
	for y := range rows {
		want := rows[y].Cells[:rows[y].Length()]
		if got[y].Wrapped != rows[y].Wrapped || len(got[y].Cells) != len(want) || !sameRow(got[y].Cells, want) {
			t.Errorf("row %d is %+v, want %+v", y, got[y], want)
		}
	}
	if _, err := ParseRows(AppendRows(nil, rows), len(rows)-1); !errors.Is(err, ErrMalformed) {
		t.Errorf("rows too many: %v", err)
	}
	if _, err := ParseRows([]byte("nonsense"), 1); !errors.Is(err, ErrMalformed) {
		t.Errorf("nonsense: %v", err)
	}
}

// packed is an update that says what the test wants, in a message of its own.
func packed(t *testing.T, update ...byte) []byte {
	e, _ := coders(t)
	return append([]byte(nil), e.pack(update[0], update[1:], nil)...)
}

func TestLiesAreMalformed(t *testing.T) {
	for name, update := range map[string][]byte{
		"nothing first":            {0},
		"no columns":               {hasSize, 0, 5},
		"too many columns":         {hasSize, 0xe9, 0x07, 5},
		"cursor beside the grid":   {hasSize | hasCursor, 5, 5, 5, 0, 0},
		"scroll beyond the grid":   {hasSize | hasScroll, 5, 5, 3, 2, 9},
		"cell beyond the grid":     {hasSize | hasCells, 5, 5, 25, 1, 0, 1, 'x'},
		"span over the row's end":  {hasSize | hasCells, 5, 5, 4, 2, 0, 2, 'x', 'y'},
		"a control in a cell":      {hasSize | hasCells, 5, 5, 0, 1, 0, 1, 0x1b},
		"a C1 control in a cell":   {hasSize | hasCells, 5, 5, 0, 1, 0, 1, 0xc2, 0x9b},
		"a bidi control in a cell": {hasSize | hasCells, 5, 5, 0, 1, 0, 1, 0xe2, 0x80, 0xae},
		"half a wide character":    {hasSize | hasCells, 5, 5, 0, 1, 0, 1, tokenWide, 0xe6, 0x97, 0xa5},
		"a mark that is none":      {hasSize | hasCells, 5, 5, 0, 1, 0, 1, tokenMarks, 1, 'a', 'b'},
		"five marks":               {hasSize | hasCells, 5, 5, 0, 1, 0, 1, tokenMarks, 5, 0xcc, 0x81},
		"a style that is unknown":  {hasSize | hasCells, 5, 5, 0, 1, 2, 1, 'x'},
		"a style that is wrong":    {hasSize | hasCells, 5, 5, 0, 1, 1, 0, 0, 0, 0x80, 0xe0, 0x03, 1, 'x'},
		"a colour beyond all":      {hasSize | hasCells, 5, 5, 0, 1, 1, 0x81, 0x82, 0x80, 0x08, 0, 0, 0, 1, 'x'},
		"repeat of nothing":        {hasSize | hasCells, 5, 5, 0, 2, 0, 2, tokenRepeat, 2},
		"lines backwards":          {hasSize | hasTop, 5, 5, 9, 3},
		"cut short":                {hasSize | hasCells, 5, 5, 0, 3, 0, 3, 'x'},
	} {
		_, d := coders(t)
		if _, err := d.Decode(packed(t, update...)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Decode(packed(t, hasSize, 5, 5)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: the decoder went on: %v", name, err)
		}
	}
}

// FuzzDecode holds that whatever arrives leads to a proper grid or an error.
func FuzzDecode(f *testing.F) {
	e, _ := coders(f)
	term := vt.New(image.Pt(20, 5))
	for _, s := range []string{"hello 日本\r\n", "e\u0301\x1b[31mred\x1b[m\r\n\n\n\n\n", "x\x1b[9b\x1b[2H\x1b[M"} {
		_, _ = term.Write([]byte(s))
		e.Encode(term.Grid())
		f.Add(append([]byte(nil), e.update...))
	}
	f.Fuzz(func(t *testing.T, update []byte) {
		d := &Decoder{styles: []screen.Style{{}}, grid: screen.NewTextGrid(image.Pt(12, 4))}
		r := reader{b: update}
		g := d.apply(&r)
		if r.err != nil {
			return
		}
		if len(g.Rows) != g.Size.Y || !g.Cursor.At.In(image.Rectangle{Max: g.Size}) {
			t.Fatalf("grid %+v", g)
		}
		for y := range g.Rows {
			if len(g.Rows[y].Cells) != g.Size.X {
				t.Fatalf("row %d of %d cells", y, len(g.Rows[y].Cells))
			}
			for x, c := range g.Rows[y].Cells {
				if !c.Style.Valid() || c.Rune != 0 && !screen.CellRune(c.Rune) || !wholeAt(g.Rows[y].Cells, x) {
					t.Fatalf("cell %d,%d is %+v", x, y, c)
				}
			}
		}
	})
}
