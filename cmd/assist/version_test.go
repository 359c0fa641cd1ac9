package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"assist/screen/capture"
	"assist/session/agent"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/relay"
	"assist/transport/wire"
	"assist/tui"
)

// strange answers every Hello with a problem, as a relay of another time does.
type strange struct{ code uint32 }

func (s strange) ServeOuter(ctx context.Context, c *relay.Conn) {
	stream, err := c.Accept(ctx)
	if err != nil {
		return
	}
	defer stream.Close()
	if wire.ReadMsg(stream, wire.LimitPreAuth, &wire.Hello{}) == nil {
		_ = wire.WriteMsg(stream, &wire.HelloReply{Problem: &wire.Problem{Code: s.code, Text: "no common version"}})
	}
	<-c.Context().Done()
}

func TestRelayOfAnotherVersion(t *testing.T) {
	for code, want := range map[uint32]string{
		wire.CodeTooOld: "assist: this program is too old for the relay\nhint: install a newer assist here\n",
		wire.CodeTooNew: "assist: the relay is too old for this program\nhint: ask the relay's owner to update it, or use an older assist here\n",
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			id, err := transport.NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			server, err := relay.Listen(relay.Config{
				Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{id.Cert}}, Handler: strange{code},
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- server.Run(ctx) }()
			defer func() { cancel(); <-done }()

			t.Setenv("XDG_CONFIG_HOME", t.TempDir())
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			t.Setenv("ASSIST_KEYRING", "off")
			got, words := runVerb(t, "secret", "login", server.Addr().String(), "--user", "eve@acme", "--password-stdin",
				"--relay-key", string(id.Fingerprint.Pin()))
			if got != exitFailed || words != want {
				t.Errorf("exit code %d, %q; want %d, %q", got, words, exitFailed, want)
			}
		})
	}
}

// runVerb runs the program in this process.
func runVerb(t *testing.T, stdin string, args ...string) (code int, words string) {
	t.Helper()
	cmd := root()
	var out, errs bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err := cmd.ExecuteContext(t.Context())
	if err == nil {
		return exitOK, errs.String()
	}
	code = report(&errs, err)
	return code, errs.String()
}

// TestEverySentence holds what a person reads, and the number that a script gets, for what keeps a session from beginning.
func TestEverySentence(t *testing.T) {
	wrong := func(err error) error { return fmt.Errorf("join: %w", err) }
	problem := func(code uint32) error { return wrong(&transport.ProblemError{Code: code, Text: "x"}) }
	refused := func(code uint32) error { return wrong(&inner.RefusedError{Code: code, Text: "it has expired"}) }
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{problem(wire.CodeUnknownCode), exitCode, "this code is unknown or has expired"},
		{problem(wire.CodeBadLogin), exitLogin, "wrong account or password"},
		{problem(wire.CodeLoginNeeded), exitLogin, "you are not logged in at this relay"},
		{problem(wire.CodeTooOld), exitFailed, "this program is too old for the relay"},
		{problem(wire.CodeHostGone), exitCode, "the customer's machine is not connected now"},
		{wrong(&transport.RelayUnreachableError{Addr: "relay.example:8443", Err: transport.ErrSilent}), exitRelay, "no relay answers at relay.example:8443"},
		{wrong(&transport.RelayKeyError{Want: "1.a", Got: "1.b"}), exitRelay, "this is NOT the relay that was known"},
		{wrong(&agent.HostKeyError{Want: "1.a", Got: "1.b", From: "the link"}), exitFailed, "this is NOT the host that was expected"},
		{refused(inner.RefusedByCustomer), exitRefused, "the customer said no"},
		{refused(inner.RefusedNoAnswer), exitRefused, "the customer did not answer"},
		{refused(inner.RefusedBadge), exitFailed, "the host does not accept your badge: it has expired"},
		{refused(inner.RefusedTooOld), exitFailed, "this program is too old for the customer's host"},
		{refused(inner.RefusedTooNew), exitFailed, "the customer's host is too old for this program"},
		{wrong(&capture.NoDisplayError{Display: ":9", Reason: "it does not answer", Hint: "start X"}), exitFailed, "display :9: it does not answer"},
		{wrong(&tui.NoTerminalError{What: "standard input"}), exitUsage, "standard input is not a terminal"},
	} {
		text, hint, code := explain(&begunError{c.err})
		if !strings.HasPrefix(text, c.says) || code != c.code || hint == "" {
			t.Errorf("%v: %q, hint %q, exit code %d; want %q and %d", c.err, text, hint, code, c.says, c.code)
		}
	}
}
