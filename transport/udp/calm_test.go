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

func at(ms int) time.Time { return time.Unix(100, 0).Add(time.Duration(ms) * time.Millisecond) }

// step is a packet that is heard or wants to pass.
type step struct {
	ms    int
	heard bool
	b     []byte
	pass  bool
}

func TestAFlightIsNotSentAgainAtOnce(t *testing.T) {
	const me, you, any = "me", "you", "random"
	hello, finished := long(any, me, 1200), long(you, me, 1200)
	ack, answer := long(me, you, 50), long(me, you, 1200)
	heardHello, heardHelloAgain, heardFinished := long(any, you, 1200), long(any, you, 1200), long(me, you, 1200)
	for name, steps := range map[string][]step{
		"who dials hears nothing": {
			{0, false, hello, true}, {1, false, hello, true}, {200, false, hello, false}, {600, false, hello, false}, {1400, false, hello, true}, {1401, false, hello, true}, {3000, false, hello, true},
		},
		"on a usual line": {{0, false, hello, true}, {50, true, ack, false}, {200, false, finished, true}, {230, true, answer, false}, {400, false, finished, true}},
		"on a thin line": {
			{0, false, hello, true},
			{650, true, ack, false},
			{1400, false, finished, false},
			{1900, true, answer, false},
			{1900, false, finished, true},
			{3300, false, finished, false},
			{4600, false, finished, true},
		},
		"who is dialled, on a thin line": {
			{0, true, heardHello, false},
			{1, false, answerTo(you), true},
			{200, false, answerTo(you), false},
			{1300, true, heardFinished, false},
			{1400, false, answerTo(you), false},
			{3000, false, answerTo(you), false},
			{5300, false, answerTo(you), true},
		},
		"who is dialled, and hears nothing": {{0, true, heardHello, false}, {1, false, answerTo(you), true}, {1400, false, answerTo(you), false}, {3100, false, answerTo(you), true}},
		"who is dialled, and its answer was lost": {
			{0, true, heardHello, false}, {1, false, answerTo(you), true}, {200, true, heardHelloAgain, false}, {201, false, answerTo(you), true}, {250, false, answerTo(you), true}, {400, false, answerTo(you), false},
		},
	} {
		var c Calm
		for _, s := range steps {
			if s.heard {
				c.Heard(s.b, at(s.ms))
			} else if got := c.Pass(s.b, at(s.ms)); got != s.pass {
				t.Errorf("%s: after %d ms passes %v", name, s.ms, got)
			}
		}
	}
	var c Calm
	c.Pass(hello, at(0))
	if !c.Pass(long(any, "another", 1200), at(200)) {
		t.Error("another connection has to wait")
	}
	for _, small := range [][]byte{ack, {0x40, 1, 2}, {0xc0}, nil} {
		if !c.Pass(small, at(300)) {
			t.Errorf("% x has to wait", small)
		}
		c.Heard(small, at(300))
	}
}

func answerTo(dialled string) []byte { return long(dialled, "me", 1200) }

func TestCalmForgetsRatherThanGrows(t *testing.T) {
	var c Calm
	for i := range 3 * maxCalm {
		b := long("me", string([]byte{byte(i), byte(i >> 8)}), 1200)
		c.Heard(b, at(0))
		c.Pass(b, at(0))
		if len(c.of) > maxCalm {
			t.Fatal(len(c.of))
		}
	}
}

func FuzzConnIDs(f *testing.F) {
	f.Add(long("to", "from", 30))
	f.Fuzz(func(_ *testing.T, b []byte) { connIDs(b) })
}
