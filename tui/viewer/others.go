package viewer

import (
	"image"

	"assist/screen"
	"assist/screen/raster"
	"assist/tui/cell"

	"charm.land/lipgloss/v2"
)

// MaxTag is how many cells of an agent's name stand beside its pointer.
const MaxTag = 16

// Other is another agent's pointer.
type Other struct {
	At    image.Point // display pixels in the pane, grid pixels in a Frame
	Name  string      // clean
	Style lipgloss.Style
	Fill  screen.RGB565 // of the arrow; 0: as the customer's
}

// seen is the others that v shows, with the grid pixel where they point.
func seen(others []Other, v screen.Viewport) (out []Other) {
	for _, o := range others {
		if at, in := PixelOf(v, o.At); in {
			o.At = at
			out = append(out, o)
		}
	}
	return out
}

// Sprites are all pointers as drawings over the picture, the customer's lowest.
func (f Frame) Sprites() (marks []raster.Mark) {
	v := f.Picture.Viewport
	arrow := raster.Pointer(float64(v.Region.Dy()) / float64(max(1, v.Grid.Y)))
	if f.Mode == raster.Quadrant { // its pixels are half as wide as high
		arrow = arrow.Wide()
	}
	if f.Pointer != nil {
		marks = append(marks, raster.Mark{At: *f.Pointer, Sprite: arrow})
	}
	for _, o := range f.Others {
		marks = append(marks, raster.Mark{At: o.At, Sprite: arrow, Fill: o.Fill})
	}
	return marks
}

// Tag is a name that lies on the cells of the pane.
type Tag struct {
	At    image.Point // its first cell, counted from the pane's
	Width int         // cells
	Text  string      // styled
}

// Tags are the names of the others, each below the tip of its arrow and within the pane.
func (f Frame) Tags() (tags []Tag) {
	if f.Picture == nil {
		return nil
	}
	from := Placed(f.Size, f.Mode.Cells(f.Picture.Viewport.Grid))
	grain := f.Mode.Grain()
	for _, o := range f.Others {
		name := " " + cell.Cut(o.Name, min(MaxTag, f.Size.X-2)) + " "
		w := cell.Width(name)
		at := from.Add(image.Pt(o.At.X/grain.X+2, o.At.Y/grain.Y+1))
		at.X = max(0, min(at.X, f.Size.X-w))
		if at.Y >= f.Size.Y { // the last row: beside the tip instead
			at.Y = f.Size.Y - 1
		}
		tags = append(tags, Tag{at, w, o.Style.Render(name)})
	}
	return tags
}
