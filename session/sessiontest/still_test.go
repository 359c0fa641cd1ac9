package sessiontest

import (
	"errors"
	"image"
	"image/color"
	"testing"

	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/inner"
)

func TestStillIsTheDisplayAsItIs(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		h.Customer.Asked("max@acme")
		if _, err := c.Still(t.Context(), image.Rectangle{}); err == nil {
			t.Error("a still before the customer's yes")
		}
		h.Customer.Allow("max@acme", session.View)
		c.Phase(console.In)
		h.Display.Paint(image.Rect(0, 0, 640, 480), func(x, y int) (byte, byte, byte) { return byte(x), byte(y), byte(x * y) })
		for _, ask := range []image.Rectangle{{}, image.Rect(100, 50, 300, 90), image.Rect(600, 400, 1000, 1000)} {
			img, err := c.Still(t.Context(), ask)
			must(t, err)
			want := image.Rect(0, 0, 640, 480)
			if !ask.Empty() {
				want = ask.Intersect(want)
			}
			if img.Bounds() != want {
				t.Fatalf("asked for %v, got %v", ask, img.Bounds())
			}
			for _, p := range []image.Point{want.Min, want.Max.Sub(image.Pt(1, 1)), want.Min.Add(want.Size().Div(2))} {
				if got := color.RGBAModel.Convert(img.At(p.X, p.Y)); got != (color.RGBA{byte(p.X), byte(p.Y), byte(p.X * p.Y), 255}) {
					t.Errorf("%v is %v", p, got)
				}
			}
		}
		var no *inner.StillRefusedError
		if _, err := c.Still(t.Context(), image.Rectangle{}); !errors.As(err, &no) {
			t.Errorf("a fourth in no time: %v", err)
		}
	})
}
