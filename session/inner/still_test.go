package inner

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/png"
	"testing"
)

func stillOf(t testing.TB, region image.Rectangle, drawn image.Point) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rectangle{Max: drawn})
	for i := range img.Pix {
		img.Pix[i] = byte(i*7) | 3
	}
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return append(AppendStill(nil, region, file.Len()), file.Bytes()...)
}

func TestStillBytes(t *testing.T) {
	if got := hex.EncodeToString(AppendStillAsk(nil, image.Rect(1, 300, 11, 302))); got != "01ac020a02" {
		t.Error(got)
	}
	if got := hex.EncodeToString(AppendStill(nil, image.Rect(1, 2, 4, 4), 200)); got != "0001020302c801" {
		t.Error(got)
	}
	if got := hex.EncodeToString(AppendStillRefused(nil, "no")); got != "01026e6f" {
		t.Error(got)
	}
}

func TestStillComesBackUnderItsBounds(t *testing.T) {
	region := image.Rect(5, 6, 15, 10)
	img, err := ReadStill(bufio.NewReader(bytes.NewReader(stillOf(t, region, region.Size()))))
	if err != nil || img.Bounds() != region {
		t.Fatal(err)
	}
	if r, g, b, _ := img.At(6, 6).RGBA(); color.RGBAModel.Convert(img.At(6, 6)) != (color.RGBA{4*7 | 3, 5*7 | 3, 6*7 | 3, 255}) {
		t.Errorf("pixel is %d %d %d", r>>8, g>>8, b>>8)
	}
	var no *StillRefusedError
	if _, err := ReadStill(bufio.NewReader(bytes.NewReader(AppendStillRefused(nil, "no\x1b[2J")))); !errors.As(err, &no) || bytes.ContainsRune([]byte(no.Why), 0x1b) {
		t.Errorf("%v", err)
	}
}

func TestStillThatLies(t *testing.T) {
	region := image.Rect(0, 0, 10, 4)
	good := stillOf(t, region, region.Size())
	for name, b := range map[string][]byte{
		"another size":    stillOf(t, region, image.Pt(10, 5)),
		"too many pixels": AppendStill(nil, image.Rect(0, 0, 30000, 30000), 100),
		"too many bytes":  AppendStill(nil, region, MaxStill+1),
		"no PNG":          append(AppendStill(nil, region, 40), make([]byte, 40)...),
		"cut off":         good[:len(good)-20],
		"no such answer":  {7},
		"empty region":    AppendStill(nil, image.Rectangle{}, 10),
	} {
		if _, err := ReadStill(bufio.NewReader(bytes.NewReader(b))); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzReadStill(f *testing.F) {
	f.Add(stillOf(f, image.Rect(1, 2, 5, 6), image.Pt(4, 4)))
	f.Add(AppendStillRefused(nil, "no"))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := ReadStill(bufio.NewReader(bytes.NewReader(b)))
		if err == nil && img.Bounds().Dx()*img.Bounds().Dy() > MaxStillPixels {
			t.Errorf("%v came through", img.Bounds())
		}
		if region, err := ReadStillAsk(bufio.NewReader(bytes.NewReader(b))); err == nil {
			if got, err := ReadStillAsk(bufio.NewReader(bytes.NewReader(AppendStillAsk(nil, region)))); got != region && !region.Empty() {
				t.Errorf("%v became %v: %v", region, got, err)
			}
		}
	})
}
