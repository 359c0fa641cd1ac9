package capture

import (
	"image"
	"testing"
	"time"

	"assist/screen"
)

func TestAliveness(t *testing.T) {
	now := time.Unix(1000, 0)
	rows := screen.Damage{image.Rect(0, 64, 100, 80)}
	there, elsewhere := screen.Damage{image.Rect(5, 70, 6, 71)}, screen.Damage{image.Rect(0, 0, 9, 9)}

	var a aliveness
	if got := a.start(true); got != firstLook {
		t.Errorf("first look after %v", got)
	}
	for _, want := range []time.Duration{4 * time.Second, 8 * time.Second, seldom, seldom} {
		if got := a.judge(now, nil, nil); got != want {
			t.Errorf("nothing differs: next after %v, want %v", got, want)
		}
	}
	if got := a.judge(now, rows, there); got != seldom {
		t.Errorf("told of in time: next after %v", got)
	}
	if got := a.judge(now, rows, elsewhere); got != pollFast {
		t.Errorf("told of something else: next after %v", got)
	}
	for range 9 {
		if got := a.judge(now.Add(suspicious-1), nil, nil); got > pollSlow {
			t.Errorf("under suspicion: next after %v", got)
		}
	}
	for range 9 {
		a.judge(now.Add(suspicious), nil, nil)
	}
	if a.wait != seldom {
		t.Errorf("after the suspicion: %v", a.wait)
	}

	a.start(false)
	for range 9 {
		if got := a.judge(now, nil, nil); got > pollSlow {
			t.Errorf("without DAMAGE: next after %v", got)
		}
	}
}

func TestBands(t *testing.T) {
	got := bands(nil, screen.Damage{
		image.Rect(10, 5, 20, 9), image.Rect(50, 5, 60, 9), image.Rect(0, 9+near, 5, 40), image.Rect(3, 41+near, 4, 90),
	})
	want := []band{image.Rect(0, 5, 60, 40), image.Rect(3, 41+near, 4, 90)}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, want %v", got, want)
	}
}
