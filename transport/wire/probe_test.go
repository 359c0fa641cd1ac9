package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"testing"
)

var (
	v4 = netip.MustParseAddrPort("192.0.2.1:443")
	v6 = netip.MustParseAddrPort("[2001:db8::1]:8443")
)

func TestProbeAndAckAreOfOneLength(t *testing.T) {
	secret := bytes.Repeat([]byte{1}, SecretLen)
	q := Probe{Tag: 1, Counter: 2}.Append(nil, secret)
	a := ProbeAck{Tag: 3, Counter: 2, Observed: v4}.Append(nil, secret)
	if len(q) != probeLen || len(a) != probeLen || q[0] >= FirstQUIC || a[0] >= FirstQUIC {
		t.Fatalf("%x %x", q, a)
	}
	if p, err := ParseProbe(q); err != nil || p != (Probe{1, 2}) || !Authentic(q, secret) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := ParseProbeAck(a); err != nil || p != (ProbeAck{3, 2, v4}) || !Authentic(a, secret) {
		t.Errorf("%+v, %v", p, err)
	}
	q[20] = 1
	for _, b := range [][]byte{nil, q, q[:50], a[:50], append(a, 0)} {
		if _, err := ParseProbe(b); err == nil {
			t.Errorf("probe %x", b)
		}
	}
	if _, err := ParseProbeAck(q); err == nil {
		t.Error("a probe is an ack")
	}
}

func TestWhereabouts(t *testing.T) {
	w := Whereabouts{Seq: 300, Heard: 1, Tag: 7, At: []netip.AddrPort{v4, v6}}
	b := w.Append(nil)
	want := "ac0201" + "0000000000000007" + "00000000000000000000ffffc0000201" + "01bb" + "20010db8000000000000000000000001" + "20fb"
	if hex.EncodeToString(b) != want {
		t.Errorf("%x", b)
	}
	if got, err := ParseWhereabouts(b); err != nil || got.Seq != 300 || got.Heard != 1 || got.Tag != 7 || !slices.Equal(got.At, w.At) {
		t.Errorf("%+v, %v", got, err)
	}
	w.At = slices.Repeat(w.At, 9)
	if got, err := ParseWhereabouts(w.Append(nil)); err != nil || len(got.At) != MaxAddresses {
		t.Errorf("%d addresses, %v", len(got.At), err)
	}
	long := append(b, make([]byte, 18*MaxAddresses)...)
	for _, b := range [][]byte{nil, {0}, b[:9], b[:20], long, bytes.Repeat([]byte{0xff}, 40)} {
		if _, err := ParseWhereabouts(b); err == nil {
			t.Errorf("%x", b)
		}
	}
}

func TestWhereIsNeverShorterThanItsAnswer(t *testing.T) {
	for _, n := range []int{0, 27, 1200} {
		q := AppendWhere(nil, 9, n)
		nonce, err := ParseWhere(q)
		if a := AppendHere(nil, nonce, v6); err != nil || nonce != 9 || len(q) < len(a) || len(q) != max(n, len(a)) {
			t.Errorf("%d: %d bytes, %v", n, len(q), err)
		}
	}
	if nonce, at, err := ParseHere(AppendHere(nil, 9, v4)); err != nil || nonce != 9 || at != v4 {
		t.Errorf("%d %v %v", nonce, at, err)
	}
	if _, err := ParseWhere(AppendWhere(nil, 1, 0)[:26]); err == nil {
		t.Error("a short question")
	}
}

func TestTaken(t *testing.T) {
	if seq, err := ParseTaken(AppendTaken(nil, 1<<40)); err != nil || seq != 1<<40 {
		t.Errorf("%d, %v", seq, err)
	}
	for _, b := range [][]byte{nil, {0x80}, {1, 1}} {
		if _, err := ParseTaken(b); err == nil {
			t.Errorf("%x", b)
		}
	}
}
