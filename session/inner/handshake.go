package inner

import (
	"errors"
	"fmt"
	"io"

	"assist/chat"
	"assist/session"
	"assist/transport/wire"
)

// Greeting is what a console says of itself. Before the host has checked the badge nothing of it is known to be true.
type Greeting struct {
	Badge       string
	Want        session.Grants
	ResumeAfter chat.Seq // newest entry the console has, for a rejoin
	Software    string
	Device      string // a name a person recognises
	KnownKey    bool   // the host's key came with a URL, a pin or an earlier link: no words are made
}

// Doorplate is what a host says of itself, and what the handshake found.
type Doorplate struct {
	Software string
	HostName string
	Customer string // how the person at the machine is called
	OS       string
	Words    []string // the three words; nil when the console knew the host's key
}

// Greet is the console's side of the handshake: hello, the host's answer, the reveal. A host that refuses is *RefusedError.
// Then the console waits for Waiting, Welcome or Refused (ReadToConsole).
func Greet(rw io.ReadWriter, e Exporter, g Greeting) (Doorplate, error) {
	hello := &ConsoleHello{
		MinVersion: wire.MinVersion, MaxVersion: wire.MaxVersion, Software: g.Software, Badge: g.Badge, Device: g.Device,
		Want: uint32(g.Want), ResumeAfter: uint64(g.ResumeAfter),
	}
	nonce := NewNonce()
	if !g.KnownKey {
		hello.Commit = Commit(nonce)
	}
	if err := wire.WriteMsg(rw, &ToHost{Kind: &ToHost_Hello{hello}}); err != nil {
		return Doorplate{}, fmt.Errorf("greet host: %w", err)
	}
	var m ToConsole
	if err := wire.ReadMsg(rw, wire.LimitPreAuth, &m); err != nil {
		return Doorplate{}, fmt.Errorf("read host's hello: %w", err)
	}
	if r := m.GetRefused(); r != nil {
		return Doorplate{}, ParseRefused(r)
	}
	h := m.GetHello()
	switch {
	case h == nil:
		return Doorplate{}, malformed("host answered the hello with something else")
	case h.Version < wire.MinVersion || h.Version > wire.MaxVersion:
		return Doorplate{}, malformed("host chose version %d", h.Version)
	}
	d := Doorplate{Software: chat.Name(h.Software), HostName: chat.Name(h.HostName), Customer: chat.Name(h.Customer), OS: chat.Name(h.Os)}
	if g.KnownKey {
		return d, nil
	}
	var err error
	if d.Words, err = Words(e, nonce, h.Nonce); err != nil {
		return Doorplate{}, err
	}
	if err := wire.WriteMsg(rw, &ToHost{Kind: &ToHost_Reveal{&Reveal{Nonce: nonce}}}); err != nil {
		return Doorplate{}, fmt.Errorf("reveal nonce: %w", err)
	}
	return d, nil
}

// Receive is the host's side of the handshake; plate is what it says of itself. It refuses a console of another version and
// a reveal that does not fit (ErrReveal), and says so to the console. The words are nil when the console knows the key.
func Receive(rw io.ReadWriter, e Exporter, plate Doorplate) (Greeting, []string, error) {
	var m ToHost
	if err := wire.ReadMsg(rw, wire.LimitPreAuth, &m); err != nil {
		return Greeting{}, nil, fmt.Errorf("read console's hello: %w", err)
	}
	h := m.GetHello()
	if h == nil {
		return Greeting{}, nil, refuse(rw, RefusedBadRequest, malformed("console began with something else than hello"))
	}
	if err := checkVersions(h); err != nil {
		return Greeting{}, nil, refuse(rw, err.Code, err)
	}
	if len(h.Badge) > maxBadge || len(h.Commit) != 0 && len(h.Commit) != commitLen {
		return Greeting{}, nil, refuse(rw, RefusedBadRequest, malformed("badge of %d bytes, commitment of %d", len(h.Badge), len(h.Commit)))
	}
	g := Greeting{
		Badge: h.Badge, Want: ParseGrants(h.Want), ResumeAfter: chat.Seq(h.ResumeAfter), Software: chat.Name(h.Software),
		Device: chat.Name(h.Device), KnownKey: len(h.Commit) == 0,
	}
	hello := &HostHello{
		Version: min(h.MaxVersion, wire.MaxVersion), Software: plate.Software, HostName: plate.HostName, Customer: plate.Customer, Os: plate.OS,
	}
	if !g.KnownKey {
		hello.Nonce = NewNonce()
	}
	if err := wire.WriteMsg(rw, &ToConsole{Kind: &ToConsole_Hello{hello}}); err != nil {
		return Greeting{}, nil, fmt.Errorf("answer hello: %w", err)
	}
	if g.KnownKey {
		return g, nil, nil
	}
	words, err := receiveReveal(rw, e, h.Commit, hello.Nonce)
	return g, words, err
}

func receiveReveal(rw io.ReadWriter, e Exporter, commit, own []byte) ([]string, error) {
	var m ToHost
	if err := wire.ReadMsg(rw, wire.LimitPreAuth, &m); err != nil {
		return nil, fmt.Errorf("read reveal: %w", err)
	}
	nonce := m.GetReveal().GetNonce()
	if err := CheckReveal(commit, nonce); err != nil {
		return nil, refuse(rw, RefusedReveal, err)
	}
	return Words(e, nonce, own)
}

// checkVersions says which side is too old, or nil.
func checkVersions(h *ConsoleHello) *RefusedError {
	switch {
	case h.MinVersion == 0 || h.MaxVersion < h.MinVersion:
		return &RefusedError{Code: RefusedBadRequest, Text: "the console names no version"}
	case h.MaxVersion < wire.MinVersion:
		return &RefusedError{Code: RefusedTooOld, Text: "the agent's assist is too old for this host"}
	case h.MinVersion > wire.MaxVersion:
		return &RefusedError{Code: RefusedTooNew, Text: "this host's assist is too old for the agent's"}
	}
	return nil
}

// refuse tells the other side why and gives back err; that the telling may fail changes nothing.
func refuse(w io.Writer, code uint32, err error) error {
	text := err.Error()
	var r *RefusedError
	if errors.As(err, &r) {
		text = r.Text
	}
	_ = WriteRefused(w, code, text)
	return err
}

// WriteRefused tells a console that it is not let in.
func WriteRefused(w io.Writer, code uint32, text string) error {
	return wire.WriteMsg(w, &ToConsole{Kind: &ToConsole_Refused{&Refused{Code: code, Text: text}}})
}

// ParseRefused is the refusal as an error.
func ParseRefused(r *Refused) *RefusedError {
	return &RefusedError{Code: r.GetCode(), Text: chat.Line(r.GetText())}
}

// ReadToHost reads one command of a console that has passed the handshake.
func ReadToHost(r io.Reader) (*ToHost, error) {
	m := new(ToHost)
	return m, wire.ReadMsg(r, wire.LimitControl, m)
}

// ReadToConsole reads one message of the host after the handshake. Its limit is that of Welcome, because any roster can be
// as long as the one in it.
func ReadToConsole(r io.Reader) (*ToConsole, error) {
	m := new(ToConsole)
	return m, wire.ReadMsg(r, wire.LimitWelcome, m)
}
