package notice

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The colours; every text on its ground has a contrast of at least 4.5 (WCAG 2.2, 1.4.3), most have more than 7.
var (
	ground  = color.RGBA{0x16, 0x1a, 0x22, 0xff}
	raisedC = color.RGBA{0x2a, 0x31, 0x3d, 0xff}
	edge    = color.RGBA{0xff, 0xb0, 0x20, 0xff}
	white   = color.RGBA{0xff, 0xff, 0xff, 0xff}
	pale    = color.RGBA{0xc3, 0xcb, 0xd8, 0xff}
	dim     = color.RGBA{0x8a, 0x93, 0xa3, 0xff}
	red     = color.RGBA{0xc6, 0x28, 0x28, 0xff}
	green   = color.RGBA{0x2e, 0x7d, 0x32, 0xff}
	lime    = color.RGBA{0x7c, 0xe0, 0x8a, 0xff}
	amber   = color.RGBA{0xff, 0xd0, 0x70, 0xff}
	warnBg  = color.RGBA{0x4a, 0x35, 0x08, 0xff}
)

// painter draws with fonts of its own; the display's core fonts may be missing. Not safe for concurrent use.
type painter struct {
	regular, bold *opentype.Font
	faces         map[faceKey]font.Face
	last          map[string]*sheet // of each kind
}

type faceKey struct {
	bold bool
	size int // pixels
}

func newPainter() (*painter, error) {
	p := &painter{faces: map[faceKey]font.Face{}, last: map[string]*sheet{}}
	var err error
	if p.regular, err = opentype.Parse(goregular.TTF); err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	if p.bold, err = opentype.Parse(gobold.TTF); err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	return p, nil
}

// sheet is a drawing and the places on it that can be pressed.
type sheet struct {
	img   *image.RGBA
	spots []spot
	key   string // equal keys: equal drawings
}

// does is what pressing a spot does.
type does uint8

const (
	doStop does = iota + 1
	doRefuse
	doAllow
	doTick
	doChat
	doSend
	doTakeBack
)

type spot struct {
	at     image.Rectangle // pixels of the window
	does   does
	off    bool     // drawn, but not to be pressed yet
	grant  []string // that a yes gives; of a box, the one it stands for; that are taken back
	member uint32   // from whom
}

// brush draws on one sheet; its coordinates are unscaled pixels.
type brush struct {
	p     *painter
	img   *image.RGBA
	scale int
}

func (p *painter) brush(w, h, scale int) *brush {
	b := &brush{p, image.NewRGBA(image.Rect(0, 0, w*scale, h*scale)), scale}
	b.fill(image.Rect(0, 0, w, h), edge)
	b.fill(image.Rect(2, 2, w-2, h-2), ground)
	return b
}

func (b *brush) fill(r image.Rectangle, c color.Color) {
	draw.Draw(b.img, b.scaled(r), image.NewUniform(c), image.Point{}, draw.Src)
}

func (b *brush) scaled(r image.Rectangle) image.Rectangle {
	return image.Rectangle{r.Min.Mul(b.scale), r.Max.Mul(b.scale)}
}

// frame draws the four sides of a rectangle.
func (b *brush) frame(r image.Rectangle, width int, c color.Color) {
	b.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+width), c)
	b.fill(image.Rect(r.Min.X, r.Max.Y-width, r.Max.X, r.Max.Y), c)
	b.fill(image.Rect(r.Min.X, r.Min.Y, r.Min.X+width, r.Max.Y), c)
	b.fill(image.Rect(r.Max.X-width, r.Min.Y, r.Max.X, r.Max.Y), c)
}

// style is a font, its size in pixels, and a colour.
type style struct {
	bold bool
	size int
	col  color.Color
}

func (b *brush) face(s style) font.Face {
	k := faceKey{s.bold, s.size * b.scale}
	if f, ok := b.p.faces[k]; ok {
		return f
	}
	src := b.p.regular
	if s.bold {
		src = b.p.bold
	}
	// The fonts were parsed and the size is ours: there is no error to be had.
	f, _ := opentype.NewFace(src, &opentype.FaceOptions{Size: float64(k.size), DPI: 72, Hinting: font.HintingFull})
	b.p.faces[k] = f
	return f
}

// width is how wide a text is, in unscaled pixels.
func (b *brush) width(text string, s style) int {
	return (font.MeasureString(b.face(s), legible(text)).Ceil() + b.scale - 1) / b.scale
}

// text writes one line with its baseline at y, cut with an ellipsis where it is wider than most.
func (b *brush) text(x, y, most int, text string, s style) {
	text = legible(text)
	if b.width(text, s) > most {
		runes := []rune(text)
		for len(runes) > 0 && b.width(string(runes)+"…", s) > most {
			runes = runes[:len(runes)-1]
		}
		text = string(runes) + "…"
	}
	d := font.Drawer{Dst: b.img, Src: image.NewUniform(s.col), Face: b.face(s), Dot: fixed.P(x*b.scale, y*b.scale)}
	d.DrawString(text)
}

// centred writes one line in the middle of a rectangle.
func (b *brush) centred(r image.Rectangle, text string, s style) {
	w := min(b.width(text, s), r.Dx()-8)
	b.text(r.Min.X+(r.Dx()-w)/2, r.Min.Y+(r.Dy()+s.size*7/10)/2, r.Dx()-8, text, s)
}

// wrap breaks a text into lines of at most most pixels, a long word wherever it has to be: the end of a handle is the
// organisation, and a line that were cut would hide it.
func (b *brush) wrap(text string, most int, s style) []string {
	var lines []string
	line := ""
	words := strings.Fields(text)
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if head := b.head(word, most, s); head < len(word) {
			words = append([]string{word[head:]}, words...)
			word = word[:head]
		}
		if next := strings.TrimSpace(line + " " + word); line == "" || b.width(next, s) <= most {
			line = next
		} else {
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// head is how many bytes of a word fit a line, at least one character.
func (b *brush) head(word string, most int, s style) int {
	fits := 0
	for i, r := range word {
		end := i + utf8.RuneLen(r)
		if fits > 0 && b.width(word[:end], s) > most {
			break
		}
		fits = end
	}
	return fits
}

// button draws a button; off ones are pale.
func (b *brush) button(r image.Rectangle, label string, back color.Color, off, focus bool) {
	s := style{true, 15, white}
	if off {
		back, s.col = raisedC, dim
	}
	b.fill(r, back)
	if focus {
		b.frame(r.Inset(-3), 2, white)
	}
	b.centred(r, label, s)
}

// legible replaces what the fonts have no glyph for, so that it is seen that something is there: names in scripts that
// are missing still stand beside their handle.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x20 && r < 0x7f, r >= 0xa0 && r < 0x250, r >= 0x370 && r < 0x530, r >= 0x1e00 && r < 0x2000, r >= 0x2010 && r < 0x2027, r == '€', r == '□':
			return r
		}
		return '□'
	}, text)
}
