package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

var (
	secret = bytes.Repeat([]byte{0x5a}, SecretLen)
	token  = [TokenLen]byte(bytes.Repeat([]byte{0x77}, TokenLen))
)

const channel = 0x0102030405060708

// Made with Python's hmac module, so that both sides of the format are not the same code.
const (
	bindMAC      = "6aa3c1c0f076cae1cb901853544a6499"
	ackMAC       = "d9fdaf5528b36a8bb4963aa1674312c0"
	challengeMAC = "9c4bb7ceb422d58361da08ea5fc035b5"
	rebindMAC    = "0c5833f30d1eafbeef4a93f969f736e6"
)

func TestPacketsHaveExactlyTheseBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"forward", Forward{channel, 0xabcd}.Append(nil), "10 0102030405060708 abcd"},
		{
			"bind", Bind{channel, 9, token}.Append(nil, secret),
			"11 0102030405060708 0000000000000009 77777777777777777777777777777777 0000 " + bindMAC,
		},
		{
			"bind ack", BindAck{channel, 9, netip.MustParseAddrPort("192.0.2.7:443")}.Append(nil, secret),
			"12 0102030405060708 0000000000000009 00000000000000000000ffffc0000207 01bb " + ackMAC,
		},
		{
			"challenge", Challenge{channel, 9, token}.Append(nil, secret),
			"13 0102030405060708 0000000000000009 77777777777777777777777777777777 " + challengeMAC,
		},
		{"rebind", Rebind{channel}.Append(nil, secret), "14 0102030405060708 " + rebindMAC},
		{"unknown", Unknown{channel}.Append(nil), "15 0102030405060708"},
	} {
		if got, want := hex.EncodeToString(c.got), strings.ReplaceAll(c.want, " ", ""); got != want {
			t.Errorf("%s is\n%s, want\n%s", c.name, got, want)
		}
	}
}

func TestPacketsComeBack(t *testing.T) {
	prefix := []byte("before")
	at := netip.MustParseAddrPort("[2001:db8::1]:1234")
	for _, c := range []struct {
		name   string
		packet []byte
		same   func([]byte) bool
	}{
		{"bind", Bind{channel, 1 << 60, token}.Append(prefix, secret), func(b []byte) bool {
			p, err := ParseBind(b)
			return err == nil && p == Bind{channel, 1 << 60, token}
		}},
		{"bind ack", BindAck{channel, 2, at}.Append(prefix, secret), func(b []byte) bool {
			p, err := ParseBindAck(b)
			return err == nil && p == BindAck{channel, 2, at}
		}},
		{"challenge", Challenge{channel, 3, token}.Append(prefix, secret), func(b []byte) bool {
			p, err := ParseChallenge(b)
			return err == nil && p == Challenge{channel, 3, token}
		}},
		{"rebind", Rebind{channel}.Append(prefix, secret), func(b []byte) bool {
			p, err := ParseRebind(b)
			return err == nil && p == Rebind{channel}
		}},
	} {
		b := c.packet[len(prefix):]
		if !c.same(b) {
			t.Errorf("%s does not come back", c.name)
		}
		if !Authentic(b, secret) {
			t.Errorf("%s: own MAC refused", c.name)
		}
		for i := range b {
			forged := bytes.Clone(b)
			forged[i] ^= 1
			if Authentic(forged, secret) {
				t.Errorf("%s: accepted with byte %d changed", c.name, i)
			}
		}
		if Authentic(b, bytes.Repeat([]byte{1}, SecretLen)) {
			t.Errorf("%s: accepted under another secret", c.name)
		}
	}
}

func TestAnswersAreNeverLonger(t *testing.T) {
	if bindAckLen > bindLen || challengeLen > bindLen {
		t.Errorf("a bind has %d bytes, its answers %d and %d", bindLen, bindAckLen, challengeLen)
	}
	if rebindLen > HintLen || unknownLen > HintLen {
		t.Errorf("hints have %d and %d bytes, HintLen is %d", rebindLen, unknownLen, HintLen)
	}
}

func TestForwardNeedsAPacketBehindIt(t *testing.T) {
	b := Forward{channel, 1}.Append(nil)
	if _, err := ParseForward(b); err == nil {
		t.Error("an empty forwarded packet was accepted")
	}
	f, err := ParseForward(append(b, 0x40))
	if err != nil || f != (Forward{channel, 1}) {
		t.Errorf("got %v, %v", f, err)
	}
}

func FuzzParsePacket(f *testing.F) {
	f.Add(Bind{channel, 1, token}.Append(nil, secret))
	f.Add(BindAck{channel, 1, netip.MustParseAddrPort("192.0.2.7:443")}.Append(nil, secret))
	f.Add(Challenge{channel, 1, token}.Append(nil, secret))
	f.Add(Rebind{channel}.Append(nil, secret))
	f.Add(Unknown{channel}.Append(nil))
	f.Add(append(Forward{channel, 1}.Append(nil), 0x40))
	f.Fuzz(func(t *testing.T, b []byte) {
		// What parses has one form only: written again it is the same packet, but for MACs of other secrets.
		check := func(kind string, err error, again []byte) {
			if err != nil {
				return
			}
			n := len(again)
			if kind != "unknown" {
				n -= macLen
			}
			if len(again) != len(b) || !bytes.Equal(again[:n], b[:n]) {
				t.Errorf("%s %x is written again as %x", kind, b, again)
			}
		}
		bind, err := ParseBind(b)
		check("bind", err, bind.Append(nil, secret))
		challenge, err := ParseChallenge(b)
		check("challenge", err, challenge.Append(nil, secret))
		rebind, err := ParseRebind(b)
		check("rebind", err, rebind.Append(nil, secret))
		unknown, err := ParseUnknown(b)
		check("unknown", err, unknown.Append(nil))
		if ack, err := ParseBindAck(b); err == nil && ack.Observed.Addr().Is4In6() {
			t.Errorf("observed address %v is mapped", ack.Observed)
		}
		if h, err := ParseForward(b); err == nil && !bytes.HasPrefix(b, h.Append(nil)) {
			t.Errorf("forward %x is written again as %x", b, h.Append(nil))
		}
		if c, err := ChannelOf(b); err == nil && len(b) > unknownLen && b[0] == TypeForward {
			if h, err := ParseForward(b); err == nil && h.Channel != c {
				t.Errorf("channel %x, header says %x", c, h.Channel)
			}
		}
		Authentic(b, secret)
	})
}
