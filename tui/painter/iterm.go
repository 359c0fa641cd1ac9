package painter

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strconv"

	"assist/screen"
)

// sendITerm appends tile i as an inline image. It lies in the cells like text: what covers it afterwards overwrites it, so a tile
// that is covered in part is left to whoever covers it until it is free.
func (t *tiles) sendITerm(b []byte, i int, pix []screen.RGB565, over []image.Rectangle) []byte {
	r, cells := t.rect(i), t.cells(i)
	if len(over) > 0 {
		return b
	}
	img := image.NewRGBA(image.Rectangle{Max: r.Size()})
	for k, c := range pix {
		red, green, blue := c.RGB()
		img.SetRGBA(k%r.Dx(), k/r.Dx(), color.RGBA{red, green, blue, 255})
	}
	var file bytes.Buffer
	_ = png.Encode(&file, img) // a buffer takes everything
	b = t.goTo(b, cells.Min)
	b = append(b, "\x1b]1337;File=inline=1;preserveAspectRatio=0;doNotMoveCursor=1;width="...)
	b = strconv.AppendInt(b, int64(cells.Dx()), 10)
	b = append(b, ";height="...)
	b = strconv.AppendInt(b, int64(cells.Dy()), 10)
	b = append(b, ";size="...)
	b = strconv.AppendInt(b, int64(file.Len()), 10)
	b = append(b, ':')
	b = base64.StdEncoding.AppendEncode(b, file.Bytes())
	return append(b, 7)
}
