package tui

import (
	"image"
	"testing"

	"assist/session"
)

func TestOthersPointersStandInThePicture(t *testing.T) {
	d := newDesk(t, 120, 40, twoMore)
	d.seesNot("B Carla Ruiz")
	d.s.change(func() {
		d.s.state.Pointers = []MemberPointer{{Member: 3, At: image.Pt(600, 400)}, {Member: d.s.state.Self, At: image.Pt(50, 50)}, {Member: session.MemberID(99)}}
	})
	d.news()
	d.sees(" B Carla Ruiz ")
	d.seesNot(" A Bob Meyer ")
	d.s.change(func() { d.s.state.Pointers = nil })
	d.news()
	d.seesNot("B Carla Ruiz")
}
