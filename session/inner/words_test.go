package inner

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// fixedExporter stands for a TLS connection: the same bytes on both ends.
type fixedExporter []byte

func (f fixedExporter) Exporter(string, []byte, int) ([]byte, error) { return f, nil }

func TestWordsAreEqualOnBothEndsOfOneConnectionOnly(t *testing.T) {
	na, nh := NewNonce(), NewNonce()
	one, other := fixedExporter(bytes.Repeat([]byte{1}, 32)), fixedExporter(bytes.Repeat([]byte{2}, 32))
	a, err := Words(one, na, nh)
	if err != nil || len(a) != 3 {
		t.Fatal(a, err)
	}
	b, _ := Words(one, na, nh)
	if !slices.Equal(a, b) {
		t.Errorf("%v and %v on one connection", a, b)
	}
	for what, e := range map[string][]string{
		"another connection": must(Words(other, na, nh)),
		"swapped nonces":     must(Words(one, nh, na)),
		"another nonce":      must(Words(one, NewNonce(), nh)),
	} {
		if slices.Equal(a, e) {
			t.Errorf("%s gives the same words %v", what, a)
		}
	}
}

// The derivation is part of the protocol: a change of it must be a change of the version.
func TestWordsAreFixed(t *testing.T) {
	got := must(Words(fixedExporter(bytes.Repeat([]byte{7}, 32)), bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)))
	want := []string{"film", "gesture", "swallow"} // computed apart, by the text of RFC 5869
	if !slices.Equal(got, want) {
		t.Errorf("words %q, want %q", got, want)
	}
}

func TestWordsNeedWholeNonces(t *testing.T) {
	if _, err := Words(fixedExporter{1}, NewNonce(), nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("without the host's nonce: %v", err)
	}
}

func TestRevealIsChecked(t *testing.T) {
	n := NewNonce()
	if err := CheckReveal(Commit(n), n); err != nil {
		t.Error(err)
	}
	for what, bad := range map[string][]byte{"other": NewNonce(), "none": nil, "short": n[:31], "long": append(slices.Clone(n), 0)} {
		if err := CheckReveal(Commit(n), bad); !errors.Is(err, ErrReveal) {
			t.Errorf("%s nonce: %v", what, err)
		}
	}
	if err := CheckReveal(nil, n); !errors.Is(err, ErrReveal) {
		t.Errorf("no commitment: %v", err)
	}
	if err := CheckReveal(Commit(nil), nil); !errors.Is(err, ErrReveal) {
		t.Errorf("commitment to nothing: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
