package sessiontest

import (
	"slices"
	"testing"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// rogue is a console without manners: it has an account and a badge, and sends what it likes.
type rogue struct {
	link    *transport.Link
	control transport.Stream
	words   []string
}

// call is introduced to the host like a console and returns the link and the badge.
func (r *Relay) call(t testing.TB, a Agent, h *Host) (*transport.Link, string) {
	t.Helper()
	o := r.Dial(a.Identity)
	t.Cleanup(o.Close)
	replies, err := o.Subscribe(t.Context(), &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Token: a.Token, Code: h.Code}}})
	must(t, err)
	reply, err := replies.Next()
	must(t, err)
	v, err := o.Open(reply.GetJoined().GetChannel())
	must(t, err)
	link, err := v.Dial(t.Context(), 0, a.Identity, func(transport.Fingerprint) error { return nil })
	must(t, err)
	return link, reply.GetJoined().GetBadge()
}

// rogue knocks.
func (r *Relay) rogue(t testing.TB, a Agent, h *Host) *rogue {
	t.Helper()
	link, badge := r.call(t, a, h)
	s, err := link.OpenStream(t.Context(), wire.StreamControl)
	must(t, err)
	plate, err := inner.Greet(s, link, inner.Greeting{Badge: badge, Want: session.AllGrants})
	must(t, err)
	return &rogue{link: link, control: s, words: plate.Words}
}

// hear waits for a message that ok accepts.
func (x *rogue) hear(t testing.TB, what string, ok func(*inner.ToConsole) bool) *inner.ToConsole {
	t.Helper()
	must(t, x.control.SetReadDeadline(time.Now().Add(patience)))
	for {
		m, err := inner.ReadToConsole(x.control)
		if err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(m) {
			return m
		}
	}
}

func (x *rogue) welcome(t testing.TB) {
	t.Helper()
	x.hear(t, "welcome", func(m *inner.ToConsole) bool { return m.GetWelcome() != nil })
}

func (x *rogue) say(t testing.TB, m *inner.ToHost) {
	t.Helper()
	must(t, wire.WriteMsg(x.control, m))
}

func (x *rogue) input(t testing.TB, evs ...screen.Input) {
	t.Helper()
	b, _ := inner.AppendInputs(nil, evs[0].Seq, evs)
	must(t, x.link.SendDatagram(t.Context(), wire.DatagramInput, b))
}

// echo waits until the host has answered twice over: what was sent before on other streams had the time to be read.
func (x *rogue) echo(t testing.TB) {
	t.Helper()
	for us := range int64(20) {
		time.Sleep(5 * time.Millisecond)
		x.say(t, &inner.ToHost{Kind: &inner.ToHost_Ping{Ping: &inner.Ping{UnixUs: us + 1}}})
		x.hear(t, "pong", func(m *inner.ToConsole) bool { return m.GetPong().GetUnixUs() == us+1 })
	}
}

// sameWords says whether both have three words and the same.
func sameWords(a, b []string) bool { return len(a) == 3 && slices.Equal(a, b) }
