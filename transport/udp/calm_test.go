package udp

import (
	"testing"
	"time"
)

// long is a packet of a handshake between the connection's names at both ends.
func long(to, from string, size int) []byte {
	b := append([]byte{0xc0, 0, 0, 0, 1, byte(len(to))}, to...)
	b = append(append(b, byte(len(from))), from...)
	return append(b, make([]byte, size-len(b))...)
}

func TestAFlightIsNotSentAgainAtOnce(t *testing.T) {
	var c Calm
	at := func(ms int) time.Time { return time.Unix(100, 0).Add(time.Duration(ms) * time.Millisecond) }
	hello, answer := long("random", "me", 1200), long("me", "you", 50)
	for _, s := range []struct {
		ms   int
		pass bool
	}{{0, true}, {1, true}, {200, false}, {600, false}, {1400, true}, {1401, true}, {3000, true}} {
		if got := c.Pass(hello, at(s.ms)); got != s.pass {
			t.Errorf("after %d ms: passes %v", s.ms, got)
		}
	}
	if !c.Pass(long("another", "me", 1200), at(3100)) {
		t.Error("another connection has to wait")
	}
	finished := long("you", "me", 1200)
	if !c.Pass(finished, at(3200)) || c.Pass(finished, at(3400)) {
		t.Error("the next flight, and the same again")
	}
	c.Heard(answer)
	if !c.Pass(finished, at(3450)) {
		t.Error("the other end has said something since")
	}
	for _, small := range [][]byte{long("you", "me", 60), {0x40, 1, 2}, {0xc0}, nil} {
		if !c.Pass(small, at(3500)) {
			t.Errorf("% x has to wait", small)
		}
		c.Heard(small)
	}
}

func TestCalmForgetsRatherThanGrows(t *testing.T) {
	var c Calm
	for i := range 3 * maxCalm {
		c.Pass(long(string([]byte{byte(i), byte(i >> 8)}), "me", 1200), time.Unix(100, 0))
		if len(c.of) > maxCalm {
			t.Fatal(len(c.of))
		}
	}
}

func FuzzConnIDs(f *testing.F) {
	f.Add(long("to", "from", 30))
	f.Fuzz(func(_ *testing.T, b []byte) { connIDs(b) })
}
