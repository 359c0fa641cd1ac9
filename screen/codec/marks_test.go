package codec

import (
	"image"
	"testing"

	"pgregory.net/rapid"
)

func TestMarksGiveEachPixelOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := image.Pt(rapid.IntRange(1, 200).Draw(t, "w"), rapid.IntRange(1, 8).Draw(t, "h"))
		m := newMarks(size)
		want := make(map[image.Point]bool)
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			for range rapid.IntRange(0, 6).Draw(t, "rectangles") {
				r := drawRect(t, image.Rectangle{Max: size})
				m.add(r)
				for y := r.Min.Y; y < r.Max.Y; y++ {
					for x := r.Min.X; x < r.Max.X; x++ {
						want[image.Pt(x, y)] = true
					}
				}
			}
			from := rapid.SampledFrom([]int{0, 0, 1, size.Y}).Draw(t, "from row")
			m.begin(from)
			if got := m.count(); got != len(want) {
				t.Fatalf("counts %d marks of %d", got, len(want))
			}
			for left := rapid.IntRange(0, 30).Draw(t, "runs taken"); left > 0; left-- {
				y, x0, x1, ok := m.next()
				if !ok {
					for p := range want {
						if p.Y >= from {
							t.Fatalf("%v was left out", p)
						}
					}
					break
				}
				if y < from {
					t.Fatalf("row %d, begun at %d", y, from)
				}
				for x := x0; x < x1; x++ {
					if !want[image.Pt(x, y)] {
						t.Fatalf("%d,%d was not marked", x, y)
					}
					delete(want, image.Pt(x, y))
				}
				if x0 >= x1 || want[image.Pt(x1, y)] {
					t.Fatalf("run %d..%d of row %d does not go to its end", x0, x1, y)
				}
			}
			if m.empty() && len(want) > 0 {
				t.Fatalf("%d marks lost", len(want))
			}
		}
	})
}
