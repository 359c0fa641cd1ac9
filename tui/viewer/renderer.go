package viewer

import (
	"image"
	"slices"

	"assist/screen"
	"assist/screen/raster"
	"assist/tui/cell"
)

// Frame is all that is needed to draw the picture once.
type Frame struct {
	Picture *screen.Picture // nil: nothing has arrived
	Pointer *image.Point    // grid pixel of the customer's pointer; nil: not to be seen
	Others  []Other         // other agents' pointers that are in view, drawn over the customer's
	Size    image.Point     // cells of the pane; exactly so many are returned
	Place   image.Point     // where its first cell stands on the terminal, counted from 0
	Mode    raster.Mode
	Depth   raster.Depth
	Covered []image.Rectangle // cells of the terminal under dialogs and notices
}

// Renderer is the way of the picture into the terminal. Rows returns what stands in the view where the picture goes: the
// cells themselves (Plain), or a constant hole that a painter fills behind the view's back.
type Renderer interface {
	Rows(f Frame) cell.Block
	// Hide says that the view just drawn has no picture in it.
	Hide()
}

// Plain draws the picture as text in the view, with blanks around it. It is the fallback of any other renderer and their
// oracle in tests.
type Plain struct {
	rows  raster.Rows
	block cell.Block
	last  Frame
	tags  []Tag
}

// Rows draws f; rows that did not change are the strings of the last call.
func (p *Plain) Rows(f Frame) cell.Block {
	if f.Picture == nil {
		return cell.Fill(f.Size.X, f.Size.Y)
	}
	v := f.Picture.Viewport
	drawn := p.rows.Draw(f.Picture, f.Mode, f.Depth, f.Sprites()...)
	tags := f.Tags()
	if p.rows.Made() == 0 && p.last.Size == f.Size && p.last.Mode == f.Mode && p.last.Depth == f.Depth && len(p.block) == f.Size.Y && slices.Equal(tags, p.tags) {
		return p.block
	}
	out := f.Lay(drawn, f.Mode.Cells(v.Grid).X, tags)
	p.block, p.last, p.tags = out, f, tags
	return out
}

// Hide has nothing to do: what is not in the view is not seen.
func (*Plain) Hide() {}

// Lay puts the rows of a picture, each of so many cells, into the middle of the pane, with blanks around and tags on it.
func (f Frame) Lay(rows []string, width int, tags []Tag) cell.Block {
	at := Placed(f.Size, image.Pt(width, len(rows)))
	out := cell.Fill(f.Size.X, f.Size.Y)
	left, right := cell.Fit("", at.X), cell.Fit("", f.Size.X-at.X-width)
	for i, row := range rows {
		if y := at.Y + i; y < len(out) {
			out[y] = left + row + right
		}
	}
	for _, t := range tags {
		out = cell.Overlay(out, cell.Block{t.Text}, t.At.X, t.At.Y)
	}
	return out
}

// Placed is where a picture of so many cells stands in a pane: in the middle.
func Placed(pane, picture image.Point) image.Point {
	return image.Pt(max(0, (pane.X-picture.X)/2), max(0, (pane.Y-picture.Y)/2))
}
