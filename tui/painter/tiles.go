package painter

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"image"
	"slices"
	"strconv"
	"unicode/utf8"

	"assist/screen"
)

// Protocol is by which sequences a terminal takes images.
type Protocol uint8

// The protocols. Kitty's is that of kitty, Ghostty, WezTerm and Konsole (kitty's "Terminal graphics protocol"); ITerm is iTerm2's
// inline images (its "Images" page).
const (
	NoImages Protocol = iota
	Kitty
	Holders // kitty's in tmux: images pass through it, and text that tmux moves about says where they are (Unicode placeholders)
	ITerm
)

// A tile is a part of the picture that is sent as an image of its own, 64x64 pixels or what is left at the edges: one image id a
// tile, sent again when it changes, which replaces it. A whole number of cells.
const (
	tileSide  = 64
	tileWide  = tileSide / 4 // cells
	tileHigh  = tileSide / 8
	firstID   = 0x617300 // of the images; others in the same terminal have others, and a placeholder's colour has 24 bits
	maxChunk  = 4096     // bytes of base64 in one sequence
	tileLayer = 0        // z: above the text, of which there is none where a tile is placed; below it kitty 0.26 blends wrongly without a GPU
)

// tiles is what a terminal shows of a picture as images. It belongs to whoever holds the painter's lock.
type tiles struct {
	proto Protocol
	grid  image.Point
	at    image.Point // cell of the terminal
	want  []screen.RGB565
	shown [][]screen.RGB565 // of each tile; nil: nothing that is known
	cover [][]image.Rectangle
	next  int
	zip   *zlib.Writer
	raw   []byte
	out   bytes.Buffer
	any   bool        // images may be on the terminal
	cell  image.Point // pixels of a cell of the terminal; zero: not known
	row   []screen.RGB565
}

func (t *tiles) count() image.Point {
	return image.Pt((t.grid.X+tileSide-1)/tileSide, (t.grid.Y+tileSide-1)/tileSide)
}

// place begins anew at a place of the terminal. What the terminal shows is taken away first.
func (t *tiles) place(grid, at image.Point) {
	t.grid, t.at, t.next = grid, at, 0
	n := t.count()
	t.shown = make([][]screen.RGB565, n.X*n.Y)
	t.cover = make([][]image.Rectangle, n.X*n.Y)
	t.want = make([]screen.RGB565, grid.X*grid.Y)
}

// rect is the pixels of tile i.
func (t *tiles) rect(i int) image.Rectangle {
	n := t.count()
	at := image.Pt(i%n.X*tileSide, i/n.X*tileSide)
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(tileSide, tileSide))}.Intersect(image.Rectangle{Max: t.grid})
}

// cells is where tile i lies, in cells of the hole.
func (t *tiles) cells(i int) image.Rectangle {
	r := t.rect(i)
	return image.Rect(r.Min.X/4, r.Min.Y/8, (r.Max.X+3)/4, (r.Max.Y+7)/8)
}

// loseAt forgets what the tile at a cell of the hole shows: it was overwritten.
func (t *tiles) loseAt(c image.Point) {
	n := t.count()
	if i := c.Y/tileHigh*n.X + c.X/tileWide; i < len(t.shown) && c.X/tileWide < n.X {
		t.shown[i] = nil
	}
}

// append appends what has to be sent, and stops after about budget bytes; more says that something differs still. covered are
// the cells of the hole that belong to others.
func (t *tiles) append(b []byte, covered []image.Rectangle, budget int) (out []byte, more bool) {
	start := len(b)
	for k := range t.shown {
		i := (t.next + k) % len(t.shown)
		pix := t.pixels(i)
		over := under(t.cells(i), covered)
		if t.shown[i] != nil && slices.Equal(pix, t.shown[i]) && slices.Equal(over, t.cover[i]) {
			continue
		}
		if len(b) > start+budget {
			t.next = i
			return b, true
		}
		b = t.send(b, i, pix, over)
		t.shown[i], t.cover[i] = slices.Clone(pix), over
	}
	return b, false
}

// under is the parts of r that lie under others.
func under(r image.Rectangle, covered []image.Rectangle) (out []image.Rectangle) {
	for _, c := range covered {
		if c = c.Intersect(r); !c.Empty() {
			out = append(out, c)
		}
	}
	return out
}

// again forgets what is shown, so that all of it is sent anew.
func (t *tiles) again() {
	for i := range t.shown {
		t.shown[i] = nil
	}
}

// area is the pixels that tile i is made of. Where the terminal makes images larger it blends each pixel with its neighbours, so
// these belong to it: kitty 0.41 would blend the edges with nothing, which leaves dark lines. What is seen is cut out of it.
func (t *tiles) area(i int) image.Rectangle {
	switch t.proto {
	case Kitty:
		return t.rect(i).Inset(-1)
	case Holders:
		c := t.cells(i)
		return image.Rect(c.Min.X*4, c.Min.Y*8, c.Max.X*4, c.Max.Y*8).Inset(-1)
	}
	return t.rect(i)
}

// pixels is what the area of tile i should show; beyond the picture its edge goes on. It holds until the next call.
func (t *tiles) pixels(i int) []screen.RGB565 {
	r := t.area(i)
	t.row = t.row[:0]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		line := t.want[min(max(y, 0), t.grid.Y-1)*t.grid.X:][:t.grid.X]
		for x := r.Min.X; x < r.Max.X; x++ {
			t.row = append(t.row, line[min(max(x, 0), t.grid.X-1)])
		}
	}
	return t.row
}

// send appends tile i: its image, and one placement for each part of it that nobody covers.
func (t *tiles) send(b []byte, i int, pix []screen.RGB565, over []image.Rectangle) []byte {
	t.any = true
	r, cells := t.rect(i), t.cells(i)
	id := firstID + i
	switch t.proto {
	case ITerm:
		return t.sendITerm(b, i, pix, over)
	case Holders:
		b = t.transmit(b, id, t.stretch(t.area(i).Size(), pix, cells.Size()))
		b = t.graphics(b, "a=p,U=1,q=2,i="+strconv.Itoa(id)+",c="+strconv.Itoa(cells.Dx())+",r="+strconv.Itoa(cells.Dy()), nil)
		return t.hold(b, id, cells, over)
	}
	b = t.transmit(b, id, t.plain(t.area(i).Size(), pix))
	for n, part := range visible(cells, over) {
		b = t.goTo(b, part.Min)
		c := "a=p,q=2,C=1,i=" + strconv.Itoa(id) + ",p=" + strconv.Itoa(n+1)
		px := image.Rect((part.Min.X-cells.Min.X)*4, (part.Min.Y-cells.Min.Y)*8, (part.Max.X-cells.Min.X)*4, (part.Max.Y-cells.Min.Y)*8)
		px = px.Intersect(image.Rectangle{Max: r.Size()})
		c += ",x=" + strconv.Itoa(px.Min.X+1) + ",y=" + strconv.Itoa(px.Min.Y+1) + ",w=" + strconv.Itoa(px.Dx()) + ",h=" + strconv.Itoa(px.Dy())
		c += ",c=" + strconv.Itoa(part.Dx()) + ",r=" + strconv.Itoa(part.Dy()) + ",z=" + strconv.Itoa(tileLayer)
		b = t.graphics(b, c, nil)
	}
	return b
}

// plain puts pixels into raw as they are.
func (t *tiles) plain(size image.Point, pix []screen.RGB565) image.Point {
	t.raw = t.raw[:0]
	for _, c := range pix {
		red, green, blue := c.RGB()
		t.raw = append(t.raw, five(red), five(green), five(blue))
	}
	return size
}

// five keeps five bits of a channel, and black and white what they are: a third of the bytes less, and not seen.
func five(c uint8) uint8 { return c&0xF8 | c>>5 }

// transmit appends the image that is in raw, compressed, in chunks. An image that has the id already goes, with its placements.
func (t *tiles) transmit(b []byte, id int, size image.Point) []byte {
	t.out.Reset()
	if t.zip == nil {
		t.zip, _ = zlib.NewWriterLevel(&t.out, zlib.DefaultCompression) // the level is a known one
	} else {
		t.zip.Reset(&t.out)
	}
	_, _ = t.zip.Write(t.raw) // a buffer takes everything
	_ = t.zip.Close()
	data := base64.StdEncoding.AppendEncode(nil, t.out.Bytes())
	control := "a=t,q=2,f=24,o=z,i=" + strconv.Itoa(id) + ",s=" + strconv.Itoa(size.X) + ",v=" + strconv.Itoa(size.Y)
	for first := true; first || len(data) > 0; first = false {
		n := min(len(data), maxChunk)
		more := "0"
		if n < len(data) {
			more = "1"
		}
		if first {
			control += ",m=" + more
		} else {
			control = "q=2,m=" + more
		}
		b = t.graphics(b, control, data[:n])
		data = data[n:]
	}
	return b
}

// marks are the combining characters that number rows and columns of placeholders, the first sixteen of kitty's list.
var marks = [tileWide]rune{
	0x0305, 0x030D, 0x030E, 0x0310, 0x0312, 0x033D, 0x033E, 0x033F, 0x0346, 0x034A, 0x034B, 0x034C, 0x0350, 0x0351, 0x0352, 0x0357,
}

// hold appends the text that stands for an image: its number as a colour, and in each cell which part of it is seen there.
func (t *tiles) hold(b []byte, id int, cells image.Rectangle, over []image.Rectangle) []byte {
	for _, part := range visible(cells, over) {
		for y := part.Min.Y; y < part.Max.Y; y++ {
			b = t.goTo(b, image.Pt(part.Min.X, y))
			b = append(b, "\x1b[38;2;"...)
			b = strconv.AppendInt(b, int64(id>>16&255), 10)
			b = append(b, ';')
			b = strconv.AppendInt(b, int64(id>>8&255), 10)
			b = append(b, ';')
			b = strconv.AppendInt(b, int64(id&255), 10)
			b = append(b, 'm')
			for x := part.Min.X; x < part.Max.X; x++ {
				b = utf8.AppendRune(b, 0x10EEEE)
				b = utf8.AppendRune(b, marks[y-cells.Min.Y])
				b = utf8.AppendRune(b, marks[x-cells.Min.X])
			}
			b = append(b, "\x1b[m"...)
		}
	}
	return b
}

// graphics appends one command.
func (t *tiles) graphics(b []byte, control string, data []byte) []byte {
	if t.proto == Holders { // every ESC inside is doubled (tmux(1), allow-passthrough)
		b = append(b, "\x1bPtmux;\x1b\x1b_G"...)
	} else {
		b = append(b, "\x1b_G"...)
	}
	b = append(b, control...)
	if len(data) > 0 {
		b = append(b, ';')
		b = append(b, data...)
	}
	if t.proto == Holders {
		return append(b, "\x1b\x1b\\\x1b\\"...)
	}
	return append(b, "\x1b\\"...)
}

func (t *tiles) goTo(b []byte, c image.Point) []byte {
	b = append(b, 0x1b, '[')
	b = strconv.AppendInt(b, int64(c.Y+t.at.Y+1), 10)
	b = append(b, ';')
	b = strconv.AppendInt(b, int64(c.X+t.at.X+1), 10)
	return append(b, 'H')
}

// visible cuts what is covered out of r: rectangles that lie beside each other.
func visible(r image.Rectangle, over []image.Rectangle) []image.Rectangle {
	parts := []image.Rectangle{r}
	for _, c := range over {
		var left []image.Rectangle
		for _, p := range parts {
			left = append(left, without(p, c)...)
		}
		parts = left
	}
	return parts
}

func without(p, c image.Rectangle) (out []image.Rectangle) {
	if c = c.Intersect(p); c.Empty() {
		return []image.Rectangle{p}
	}
	for _, q := range []image.Rectangle{
		image.Rect(p.Min.X, p.Min.Y, p.Max.X, c.Min.Y), image.Rect(p.Min.X, c.Max.Y, p.Max.X, p.Max.Y),
		image.Rect(p.Min.X, c.Min.Y, c.Min.X, c.Max.Y), image.Rect(c.Max.X, c.Min.Y, p.Max.X, c.Max.Y),
	} {
		if !q.Empty() {
			out = append(out, q)
		}
	}
	return out
}

// clear appends what takes all images away.
func (t *tiles) clear(b []byte) []byte {
	if !t.any {
		return b
	}
	t.any = false
	if t.proto != ITerm {
		for i := range t.shown {
			if t.shown[i] != nil {
				b = t.graphics(b, "a=d,d=I,q=2,i="+strconv.Itoa(firstID+i), nil)
			}
		}
	}
	t.again()
	return b
}
