package painter

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"image"
	"io"
	"regexp"
	"strings"
	"testing"

	"assist/screen"
)

func newTiles(proto Protocol, grid image.Point) *tiles {
	t := &tiles{proto: proto}
	t.place(grid, image.Pt(2, 1))
	for i := range t.want {
		t.want[i] = screen.RGB565(i)
	}
	return t
}

// short replaces the data of images by its length.
func short(s string) string {
	s = regexp.MustCompile(`;[A-Za-z0-9+/=]{40,}`).ReplaceAllStringFunc(s, func(d string) string { return fmt.Sprintf(";<%d>", len(d)-1) })
	return strings.ReplaceAll(s, "\x1b", "^")
}

func TestTilesAreSentByteForByte(t *testing.T) {
	x := newTiles(Kitty, image.Pt(96, 64))
	x.want = make([]screen.RGB565, 96*64) // black
	got, more := x.append(nil, nil, 1<<20)
	parts := strings.Split(strings.ReplaceAll(string(got), "\x1b", "^"), "^\\")
	for i, w := range []string{
		"^_Ga=t,q=2,f=24,o=z,i=6386432,s=66,v=66,m=0;", "^[2;3H^_Ga=p,q=2,C=1,i=6386432,p=1,x=1,y=1,w=64,h=64,c=16,r=8,z=0",
		"^_Ga=t,q=2,f=24,o=z,i=6386433,s=34,v=66,m=0;", "^[2;19H^_Ga=p,q=2,C=1,i=6386433,p=1,x=1,y=1,w=32,h=64,c=8,r=8,z=0", "",
	} {
		if i >= len(parts) || !strings.HasPrefix(parts[i], w) || i%2 == 1 && parts[i] != w {
			t.Fatalf("part %d of %q, want %q", i, short(string(got)), w)
		}
	}
	data := parts[0][strings.IndexByte(parts[0], ';')+1:]
	if pix := unzip(t, data); len(pix) != 66*66*3 || bytes.ContainsFunc(pix, func(r rune) bool { return r != 0 }) || more {
		t.Errorf("%d bytes of pixels, more %v", len(pix), more)
	}
	if again, _ := x.append(nil, nil, 1<<20); len(again) != 0 {
		t.Errorf("sent again: %q", short(string(again)))
	}
	x.want[95] = 0xFFFF
	if one, _ := x.append(nil, nil, 1<<20); strings.Count(string(one), "a=t") != 1 || !strings.Contains(string(one), "i=6386433") {
		t.Errorf("one pixel changed: %q", short(string(one)))
	}
	x.want[64] = 0xFFFF // which the other's edge is blended with
	if two, _ := x.append(nil, nil, 1<<20); strings.Count(string(two), "a=t") != 2 {
		t.Errorf("a pixel at an edge changed: %q", short(string(two)))
	}
	if gone := x.clear(nil); strings.ReplaceAll(string(gone), "\x1b", "^") != "^_Ga=d,d=I,q=2,i=6386432^\\^_Ga=d,d=I,q=2,i=6386433^\\" {
		t.Errorf("cleared by %q", gone)
	}
}

func unzip(t *testing.T, data string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLargeTilesGoInChunks(t *testing.T) {
	x := newTiles(Kitty, image.Pt(64, 64))
	for i := range x.want {
		x.want[i] = screen.RGB565(uint32(i) * 2654435761 >> 9)
	}
	got, _ := x.append(nil, nil, 1<<20)
	var data string
	for i, part := range strings.Split(string(got), "\x1b\\") {
		head, body, ok := strings.Cut(part, ";")
		if !ok || !strings.HasPrefix(part, "\x1b_G") {
			continue
		}
		if len(body) > maxChunk || i > 0 && head != "\x1b_Gq=2,m=1" && head != "\x1b_Gq=2,m=0" {
			t.Errorf("chunk %d: %q with %d bytes", i, head, len(body))
		}
		data += body
	}
	if pix := unzip(t, data); len(pix) != 66*66*3 {
		t.Errorf("%d bytes of pixels", len(pix))
	}
}

// A dialog over a tile: the tile is placed around it, and whole again when it is gone.
func TestTilesLeaveOutWhatIsCovered(t *testing.T) {
	x := newTiles(Kitty, image.Pt(64, 64))
	x.append(nil, nil, 1<<20)
	got, _ := x.append(nil, []image.Rectangle{image.Rect(4, 2, 10, 5)}, 1<<20)
	var placed []string
	for _, part := range strings.Split(short(string(got)), "^\\") {
		if strings.Contains(part, "a=p") {
			placed = append(placed, part)
		}
	}
	want := []string{
		"^[2;3H^_Ga=p,q=2,C=1,i=6386432,p=1,x=1,y=1,w=64,h=16,c=16,r=2,z=0", "^[7;3H^_Ga=p,q=2,C=1,i=6386432,p=2,x=1,y=41,w=64,h=24,c=16,r=3,z=0",
		"^[4;3H^_Ga=p,q=2,C=1,i=6386432,p=3,x=1,y=17,w=16,h=24,c=4,r=3,z=0", "^[4;13H^_Ga=p,q=2,C=1,i=6386432,p=4,x=41,y=17,w=24,h=24,c=6,r=3,z=0",
	}
	if strings.Join(placed, "\n") != strings.Join(want, "\n") {
		t.Errorf("placed\n%s\nwant\n%s", strings.Join(placed, "\n"), strings.Join(want, "\n"))
	}
	if whole, _ := x.append(nil, nil, 1<<20); strings.Count(string(whole), "a=p") != 1 {
		t.Errorf("uncovered: %q", short(string(whole)))
	}
}

func TestTilesKeepTheirBudget(t *testing.T) {
	x := newTiles(Kitty, image.Pt(640, 360))
	calls := 0
	for more := true; more; calls++ {
		var b []byte
		if b, more = x.append(nil, nil, 4000); len(b) > 4000+12<<10 {
			t.Fatalf("%d bytes at once", len(b))
		}
	}
	if calls < 5 {
		t.Errorf("%d calls", calls)
	}
}

func TestThroughTmuxTextSaysWhereImagesAre(t *testing.T) {
	x := newTiles(Holders, image.Pt(8, 8))
	got, _ := x.append(nil, nil, 1<<20)
	s := short(string(got))
	if !strings.HasPrefix(s, "^Ptmux;^^_Ga=t,q=2,f=24,o=z,i=6386432,s=8,v=8,m=0;<") || !strings.Contains(s, "^^\\^\\^Ptmux;^^_Ga=p,U=1,q=2,i=6386432,c=2,r=1^^\\^\\") {
		t.Errorf("%q", s)
	}
	if !strings.HasSuffix(s, "^[2;3H^[38;2;97;115;0m\U0010EEEE\u0305\u0305\U0010EEEE\u0305\u030D^[m") {
		t.Errorf("the text is %q", s)
	}
}

// In tmux kitty keeps the shape of an image: it is made exactly as large as its cells, and goes over into its neighbours.
func TestThroughTmuxImagesFillTheirCells(t *testing.T) {
	x := newTiles(Holders, image.Pt(128, 64))
	x.cell = image.Pt(7, 15)
	for i := range x.want { // brighter from left to right
		v := screen.RGB565(i % 128 / 4)
		x.want[i] = v<<11 | v<<6 | v
	}
	got, _ := x.append(nil, nil, 1<<20)
	images := regexp.MustCompile(`a=t,[^;]*s=(\d+),v=(\d+),m=0;([^\x1b]*)`).FindAllStringSubmatch(string(got), -1)
	if len(images) != 2 {
		t.Fatalf("%.300q", short(string(got)))
	}
	var row []byte // of both, the red of the middle one
	for _, m := range images {
		if m[1] != "112" || m[2] != "120" {
			t.Fatalf("an image of %s by %s for 16 by 8 cells", m[1], m[2])
		}
		pix := unzip(t, m[3])
		for i := range 112 {
			row = append(row, pix[(60*112+i)*3])
		}
	}
	for i := 1; i < len(row); i++ {
		if row[i] < row[i-1] || row[i]-row[i-1] > 9 {
			t.Fatalf("pixel %d is %d after %d", i, row[i], row[i-1])
		}
	}
	if row[0] != 0 || row[len(row)-1] != 255 {
		t.Errorf("from %d to %d", row[0], row[len(row)-1])
	}
}

func TestITermGetsPictures(t *testing.T) {
	x := newTiles(ITerm, image.Pt(64, 64))
	got, _ := x.append(nil, nil, 1<<20)
	s := strings.ReplaceAll(string(got), "\x1b", "^")
	if !regexp.MustCompile(`^\^\[2;3H\^\]1337;File=inline=1;preserveAspectRatio=0;doNotMoveCursor=1;width=16;height=8;size=\d+:iVBORw0KGgo[A-Za-z0-9+/=]+\x07$`).MatchString(s) {
		t.Errorf("%.200q", s)
	}
	if over, _ := x.append(nil, []image.Rectangle{image.Rect(0, 0, 3, 3)}, 1<<20); len(over) != 0 {
		t.Errorf("drawn over a dialog: %.80q", over)
	}
}
