package notice

import (
	"image"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
)

func TestViewingAndControlAreAnsweredApart(t *testing.T) {
	for _, c := range []struct {
		asks   string
		ticked string
		want   string // what the buttons give
	}{
		{"view", "", "view"},
		{"view control", "", "view|view,control"},
		{"view control file diag", "", "view|view,control"},
		{"view control file diag", "diag", "view,diag|view,control,diag"},
		{"control", "", "control"},
		{"file", "", "file"},
		{"file diag", "", ""},
		{"file diag", "file", "file"},
		{"control clipboard", "view", "control"}, // what was not asked for cannot be given
	} {
		q := &Question{Asks: strings.Fields(c.asks)}
		ticked := map[string]bool{}
		for _, g := range strings.Fields(c.ticked) {
			ticked[g] = true
		}
		var got []string
		_, grants := answers(q)
		for _, g := range grants {
			got = append(got, strings.Join(allowed(q, g, ticked), ","))
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%s, ticked %q: %q, want %q", c.asks, c.ticked, s, c.want)
		}
	}
}

func TestYesIsOffAtFirst(t *testing.T) {
	p, err := newPainter()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, c := range []struct {
		verified bool
		after    time.Duration
		off      bool
	}{{true, 900 * time.Millisecond, true}, {true, time.Second, false}, {false, 4900 * time.Millisecond, true}, {false, 5 * time.Second, false}} {
		q := &Question{Name: "Anna", Verified: c.verified, Asks: []string{"view", "control", "file"}, Deadline: now.Add(time.Minute)}
		s := p.ask(q, &choice{since: now.Add(-c.after), ticked: map[string]bool{}}, now, 1)
		if s.spots[0].does != doRefuse || s.spots[0].off {
			t.Errorf("the first spot is %+v, not refuse", s.spots[0])
		}
		for _, sp := range s.spots {
			if sp.does == doAllow && sp.off != c.off {
				t.Errorf("verified %v after %v: off is %v", c.verified, c.after, sp.off)
			}
			if !sp.at.In(s.img.Rect) || sp.at.Empty() {
				t.Errorf("a spot at %v is not on the window %v", sp.at, s.img.Rect)
			}
		}
	}
}

func TestBarSaysWhoIsHere(t *testing.T) {
	anna, ben := Person{Name: "Anna", Org: "A", Controls: true}, Person{Name: "Ben", Away: true}
	for _, c := range []struct {
		content Content
		want    string
	}{
		{Content{}, "Nobody is here"},
		{Content{People: []Person{anna, ben}}, "Anna (A) controls it; Ben, reconnecting"},
		{Content{People: []Person{ben, ben, ben, ben, anna}}, "Anna (A) controls it; Ben, reconnecting; Ben, reconnecting; 2 more"},
		{Content{Status: "ends in 9 min"}, "ends in 9 min"},
	} {
		if got := who(c.content); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestLongAndForeignTextsStayInside(t *testing.T) {
	p, err := newPainter()
	if err != nil {
		t.Fatal(err)
	}
	q := &Question{Name: strings.Repeat("Wide ", 60), Handle: strings.Repeat("w", 100) + "@example", Org: "日本語 株式会社", Stranger: true, Asks: []string{"view", "unheard-of"}}
	s := p.ask(q, &choice{ticked: map[string]bool{}}, time.Now(), 1)
	for _, x := range []int{2, 10, s.img.Rect.Dx() - 10, s.img.Rect.Dx() - 3} {
		for y := 4; y < s.img.Rect.Dy()-4; y++ {
			if s.img.RGBAAt(x, y) != ground {
				t.Fatalf("something is drawn over the edge at %d,%d", x, y)
			}
		}
	}
	if got := legible("Jürgen Ωμέγα Жук 日本\x07"); got != "Jürgen Ωμέγα Жук □□□" {
		t.Errorf("%q", got)
	}
}

func TestPixelFormats(t *testing.T) {
	px := []byte{0x12, 0x34, 0x56, 0xff}
	for _, c := range []struct {
		f    format
		want []byte
	}{
		{format{24, 4, 4, false}, []byte{0x56, 0x34, 0x12, 0}},
		{format{24, 4, 4, true}, []byte{0, 0x12, 0x34, 0x56}},
		{format{16, 2, 4, false}, []byte{0xaa, 0x11, 0, 0}},
	} {
		if got := c.f.row(nil, px); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %x, want %x", c.f, got, c.want)
		}
	}
}

func TestPrimaryMonitor(t *testing.T) {
	monitor := func(primary byte, x, y, w, h uint16, outputs int) []byte {
		b := make([]byte, 24+4*outputs)
		b[4] = primary
		xgb.Put16(b[6:], uint16(outputs))
		for i, v := range []uint16{x, y, w, h} {
			xgb.Put16(b[8+2*i:], v)
		}
		return b
	}
	reply := make([]byte, 32)
	reply[12] = 2
	reply = append(append(reply, monitor(0, 0, 0, 1280, 1024, 2)...), monitor(1, 1280, 0, 1920, 1080, 1)...)
	if got, want := primary(reply), image.Rect(1280, 0, 3200, 1080); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range reply {
		primary(reply[:i]) // must not fall over
	}
}
