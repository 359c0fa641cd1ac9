package inner

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"testing"
)

func TestPictureStreamBytes(t *testing.T) {
	b := AppendPictureHead(nil, PictureHead{Viewport: 300, Shrink: 2, Separate: true})
	b = AppendPicture(b, []byte("abc"))
	b = AppendPicture(b, nil)
	if got := hex.EncodeToString(b); got != "ac020201"+"03616263"+"00" {
		t.Fatal(got)
	}
	r := bufio.NewReader(bytes.NewReader(b))
	if v, err := ReadPictureHead(r); v != (PictureHead{300, 2, true}) || err != nil {
		t.Fatal(v, err)
	}
	for _, want := range []string{"abc", ""} {
		if m, err := ReadPicture(r, 10, nil); string(m) != want || err != nil {
			t.Fatalf("%q %v", m, err)
		}
	}
	if _, err := ReadPicture(r, 10, nil); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestPictureIsReadIntoTheSameMemory(t *testing.T) {
	b := AppendPicture(AppendPicture(nil, bytes.Repeat([]byte{1}, 200<<10)), bytes.Repeat([]byte{2}, 100<<10))
	r := bufio.NewReader(bytes.NewReader(b))
	first := must(ReadPicture(r, MaxPicture, nil))
	second := must(ReadPicture(r, MaxPicture, first))
	if len(second) != 100<<10 || second[len(second)-1] != 2 || &first[0] != &second[0] {
		t.Errorf("%d bytes, same memory %v", len(second), &first[0] == &second[0])
	}
}

func TestPictureLimits(t *testing.T) {
	long := bufio.NewReader(bytes.NewReader(AppendPicture(nil, make([]byte, 11))))
	if _, err := ReadPicture(long, 10, nil); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	huge := bufio.NewReader(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}))
	if _, err := ReadPicture(huge, 1<<30, nil); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	short := bufio.NewReader(bytes.NewReader([]byte{5, 1}))
	if _, err := ReadPicture(short, 10, nil); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	head := bufio.NewReader(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0}))
	if _, err := ReadPictureHead(head); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// A length alone must not cost memory (threats A18).
func TestAnnouncedLengthCostsOneStep(t *testing.T) {
	cut := AppendPicture(nil, make([]byte, MaxPicture))[:8]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := ReadPicture(bufio.NewReaderSize(bytes.NewReader(cut), 16), MaxPicture, nil); err == nil {
			t.Fatal("a cut picture was read")
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / 100; got > 3*step {
		t.Errorf("%d bytes of memory for 8 that came", got)
	}
}
