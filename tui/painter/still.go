package painter

import (
	"image"

	"assist/screen/raster"
)

// Hole is where the picture stands on the terminal, in cells; empty: there is none in the view.
func (p *Painter) Hole() image.Rectangle {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on {
		return image.Rectangle{}
	}
	return image.Rectangle{Min: p.hole.at, Max: p.hole.at.Add(p.hole.size)}
}

// Freeze shows a still picture of the screen in the middle of where the moving one was, until Thaw: a Sixel of so many pixels, which is
// no more than the hole has. It reports false when there is no hole.
func (p *Painter) Freeze(img image.Image, pixels image.Point) bool {
	sixel := raster.AppendSixel(nil, img, pixels)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on || p.frozen {
		return false
	}
	p.frozen = true
	p.queue = append(p.queue, saveCursor...)
	p.queue = append(p.queue, "\x1b[?80l"...) // at the cursor, and the screen does not scroll (DECSDM as xterm has it)
	t := tiles{at: p.hole.at}
	for y := range p.hole.size.Y {
		p.queue = appendCSI(t.goTo(append(p.queue, "\x1b[m"...), image.Pt(0, y)), p.hole.size.X, 'X')
	}
	var left image.Point
	if c := p.tiles.cell; c.X > 0 && c.Y > 0 {
		left = p.hole.size.Sub(image.Pt((pixels.X+c.X-1)/c.X, (pixels.Y+c.Y-1)/c.Y))
	}
	p.queue = t.goTo(p.queue, image.Pt(max(0, left.X/2), max(0, left.Y/2)))
	p.queue = append(append(p.queue, sixel...), restoreCursor...)
	p.poke()
	return true
}

// Thaw goes back to the moving picture; it says whether there was a still one.
func (p *Painter) Thaw() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.frozen {
		return false
	}
	p.frozen = false
	p.enc.Lose()
	p.tiles.again()
	p.poke()
	return true
}
