package inner

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"testing"

	"assist/session"
	"assist/transport/wire"

	"google.golang.org/protobuf/proto"
)

var exporter = fixedExporter(bytes.Repeat([]byte{3}, 32))

type received struct {
	g     Greeting
	words []string
	err   error
}

// host answers one console on the other end of a pipe.
func host(t *testing.T) (net.Conn, <-chan received) {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan received, 1)
	go func() {
		g, words, err := Receive(b, exporter, Doorplate{HostName: "pc\x1b[31m", Customer: "Ada", OS: "Debian"})
		done <- received{g, words, err}
		b.Close()
	}()
	t.Cleanup(func() { a.Close() })
	return a, done
}

func TestHandshakeGivesBothTheSameWords(t *testing.T) {
	conn, done := host(t)
	d, err := Greet(conn, exporter, Greeting{Badge: "b", Want: session.View | session.Control, ResumeAfter: 7, Device: "lap\u202etop"})
	got := <-done
	if err != nil || got.err != nil {
		t.Fatal(err, got.err)
	}
	if len(d.Words) != 3 || !slices.Equal(d.Words, got.words) {
		t.Errorf("console has %v, host has %v", d.Words, got.words)
	}
	if d.Customer != "Ada" || bytes.ContainsRune([]byte(d.HostName), 0x1b) {
		t.Errorf("doorplate %+v", d)
	}
	if got.g.Want != session.View|session.Control || got.g.ResumeAfter != 7 || got.g.KnownKey || bytes.ContainsRune([]byte(got.g.Device), 0x202e) {
		t.Errorf("greeting %+v", got.g)
	}
}

func TestNoWordsWhenTheKeyIsKnown(t *testing.T) {
	conn, done := host(t)
	d, err := Greet(conn, exporter, Greeting{Badge: "b", KnownKey: true})
	got := <-done
	if err != nil || got.err != nil || d.Words != nil || got.words != nil || !got.g.KnownKey {
		t.Errorf("%v %v %+v", d, err, got)
	}
}

// The class of the bzrtp bug: a commitment that is received but not checked lets the one in between choose its nonce last.
func TestHostRefusesARevealThatDoesNotFit(t *testing.T) {
	for what, nonce := range map[string][]byte{"another nonce": NewNonce(), "no nonce": nil} {
		conn, done := host(t)
		hello := &ConsoleHello{MinVersion: 1, MaxVersion: 1, Badge: "b", Commit: Commit(NewNonce())}
		send(t, conn, &ToHost{Kind: &ToHost_Hello{hello}})
		if m := receive(t, conn); len(m.GetHello().GetNonce()) != nonceLen {
			t.Fatalf("host answered %v", m)
		}
		send(t, conn, &ToHost{Kind: &ToHost_Reveal{&Reveal{Nonce: nonce}}})
		if m := receive(t, conn); m.GetRefused().GetCode() != RefusedReveal {
			t.Errorf("%s: host answered %v", what, m)
		}
		if got := <-done; !errors.Is(got.err, ErrReveal) || got.words != nil {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

func TestVersionsSayWhichSideIsOld(t *testing.T) {
	for _, c := range []struct{ min, max, code uint32 }{
		{wire.MaxVersion + 1, wire.MaxVersion + 2, RefusedTooNew},
		{0, 0, RefusedBadRequest},
		{2, 1, RefusedBadRequest},
	} {
		conn, done := host(t)
		send(t, conn, &ToHost{Kind: &ToHost_Hello{&ConsoleHello{MinVersion: c.min, MaxVersion: c.max}}})
		if m := receive(t, conn); m.GetRefused().GetCode() != c.code {
			t.Errorf("versions %d to %d: %v", c.min, c.max, m)
		}
		if got := <-done; got.err == nil {
			t.Errorf("versions %d to %d: no error", c.min, c.max)
		}
	}
}

func TestConsoleRefusesAVersionItDidNotOffer(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		var m ToHost
		wire.ReadMsg(b, wire.LimitPreAuth, &m)
		wire.WriteMsg(b, &ToConsole{Kind: &ToConsole_Hello{&HostHello{Version: wire.MaxVersion + 1, Nonce: NewNonce()}}})
		b.Close()
	}()
	if _, err := Greet(a, exporter, Greeting{}); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestGreetTellsARefusal(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		var m ToHost
		wire.ReadMsg(b, wire.LimitPreAuth, &m)
		WriteRefused(b, RefusedBadge, "badge\x1b expired")
		b.Close()
	}()
	_, err := Greet(a, exporter, Greeting{})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != RefusedBadge || bytes.ContainsRune([]byte(refused.Text), 0x1b) {
		t.Errorf("%#v", err)
	}
}

func TestOversizedBadgeAndCommitment(t *testing.T) {
	for _, h := range []*ConsoleHello{
		{MinVersion: 1, MaxVersion: 1, Badge: string(bytes.Repeat([]byte("x"), maxBadge+1))},
		{MinVersion: 1, MaxVersion: 1, Commit: []byte{1}},
	} {
		conn, done := host(t)
		send(t, conn, &ToHost{Kind: &ToHost_Hello{h}})
		if m := receive(t, conn); m.GetRefused() == nil {
			t.Errorf("host answered %v", m)
		}
		if got := <-done; !errors.Is(got.err, ErrMalformed) {
			t.Error(got.err)
		}
	}
}

func send(t *testing.T, c net.Conn, m proto.Message) {
	t.Helper()
	if err := wire.WriteMsg(c, m); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c net.Conn) *ToConsole {
	t.Helper()
	m, err := ReadToConsole(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
