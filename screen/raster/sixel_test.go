package raster

import (
	"image"
	"image/color"
	"testing"
)

func TestSixelBytes(t *testing.T) {
	img := image.NewRGBA(image.Rect(5, 5, 13, 12)) // 8x7: two bands
	for y := 5; y < 12; y++ {
		for x := 5; x < 13; x++ {
			c := color.RGBA{255, 0, 0, 255}
			if x >= 11 {
				c = color.RGBA{255, 255, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	got := string(AppendSixel(nil, img, image.Pt(8, 7)))
	want := "\x1bP0;1q\"1;1;8;7#210;2;100;0;0#251;2;100;100;100#210!6~$#251!6?~~$-#210!6@$#251!6?@@$-\x1b\\"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSixelDitherIsTheColourInTheMean(t *testing.T) {
	img := image.NewUniform(color.RGBA{100, 150, 30, 255})
	index := sixelIndex(bounded{img}, image.Pt(16, 16))
	var sum [3]int
	for _, c := range index {
		sum[0] += int(c) / 42 * 255 / 5
		sum[1] += int(c) / 6 % 7 * 255 / 6
		sum[2] += int(c) % 6 * 255 / 5
	}
	for i, want := range []int{100, 150, 30} {
		if d := sum[i]/len(index) - want; d < -16 || d > 16 {
			t.Errorf("channel %d is %d in the mean, want %d", i, sum[i]/len(index), want)
		}
	}
}

type bounded struct{ image.Image }

func (bounded) Bounds() image.Rectangle { return image.Rect(0, 0, 16, 16) }
