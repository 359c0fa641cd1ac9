package sessiontest

import (
	"image"
	"slices"
	"testing"
	"time"

	"assist/screen"
	"assist/session/console"
)

func TestAgentsSeeWhereOthersPoint(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		_, lead, other := three(t, r)
		control(t, other)
		self := other.State().Self
		points := func(at image.Point) func(console.State) bool {
			return func(st console.State) bool {
				return slices.Equal(st.Pointers, []console.MemberPointer{{Member: self, At: at}})
			}
		}
		for x := range 50 {
			other.Input(screen.Input{Kind: screen.PointerMove, At: image.Pt(x, 7)})
		}
		lead.Wait("the other's pointer", points(image.Pt(49, 7)))
		if p := other.State().Pointers; len(p) != 0 {
			t.Errorf("its own pointer is shown as another's: %v", p)
		}
		control(t, lead)
		lead.Input(screen.Input{Kind: screen.PointerMove, At: image.Pt(3, 4)})
		other.Wait("the lead's pointer", func(st console.State) bool {
			return slices.Equal(st.Pointers, []console.MemberPointer{{Member: lead.State().Self, At: image.Pt(3, 4)}})
		})
		time.Sleep(4 * time.Second)
		if st := lead.State(); !points(image.Pt(49, 7))(st) {
			t.Errorf("gone too early: %v", st.Pointers)
		}
		time.Sleep(2 * time.Second)
		for _, c := range []*Console{lead, other} {
			if p := c.State().Pointers; len(p) != 0 {
				t.Errorf("still there after 6 s: %v", p)
			}
		}
	})
}
