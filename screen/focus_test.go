package screen

import (
	"image"
	"testing"
)

func TestOnlySmallDamageIsACaret(t *testing.T) {
	at, ok := CaretIn(Damage{image.Rect(100, 200, 108, 216), image.Rect(108, 200, 110, 216)})
	if !ok || at != image.Rect(100, 200, 110, 216) {
		t.Errorf("a letter and the caret: %v %v", at, ok)
	}
	for _, d := range []Damage{nil, {image.Rect(0, 0, 400, 20)}, {image.Rect(0, 0, 8, 8), image.Rect(900, 0, 908, 8)}} {
		if at, ok := CaretIn(d); ok {
			t.Errorf("%v is a caret at %v", d, at)
		}
	}
}
