package account

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"assist/transport"
)

const (
	pinA = transport.Pin("1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	pinB = transport.Pin("1.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
)

// book opens a fresh user's book; ring says whether there is a keyring (a pretended one).
func book(t *testing.T, ring bool) (*Book, *bytes.Buffer) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	t.Setenv(keyringSwitch, "off")
	if ring {
		keyring.MockInit()
		t.Setenv(keyringSwitch, "")
	}
	var words bytes.Buffer
	return Open(&words), &words
}

func login(t *testing.T, addr, token string) Login {
	t.Helper()
	id, err := transport.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return Login{
		Relay: transport.Relay{Addr: addr, Pin: pinA}, User: "eve@acme", Token: token, Expires: time.Unix(1e9, 0).UTC(), Identity: id,
		Fleet: []transport.Relay{{Addr: "other:1", Pin: pinA}, {Addr: "third:1"}},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoginsComeBack(t *testing.T) {
	for _, ring := range []bool{false, true} {
		b, words := book(t, ring)
		if _, err := b.Login(""); !errors.Is(err, ErrNone) {
			t.Errorf("fresh: %v", err)
		}
		first, second := login(t, "a:1", "token a"), login(t, "b:2", "token b")
		must(t, b.Keep(first))
		must(t, b.Keep(second))
		b = Open(words)
		for addr, want := range map[string]Login{"": second, "a:1": first, "b:2": second} {
			got, err := b.Login(addr)
			must(t, err)
			if got.Relay != want.Relay || got.User != want.User || got.Token != want.Token || !got.Expires.Equal(want.Expires) ||
				got.Identity.Fingerprint != want.Identity.Fingerprint {
				t.Errorf("login %q: got %+v", addr, got)
			}
		}
		must(t, b.Forget("b:2"))
		if got, err := b.Login(""); err != nil || got.Relay.Addr != "a:1" {
			t.Errorf("after forgetting the default: %+v %v", got.Relay, err)
		}
		if _, err := b.Login("b:2"); !errors.Is(err, ErrNone) {
			t.Errorf("forgotten: %v", err)
		}
		if pin, err := b.Pin("b:2"); pin != pinA || err != nil {
			t.Errorf("the pin is forgotten with the login: %q %v", pin, err)
		}
		if n := strings.Count(words.String(), "no keyring"); (n == 1) == ring || n > 1 {
			t.Errorf("keyring %v: said %q", ring, words)
		}
		if _, err := os.Stat(b.secrets.path); (err == nil) == ring {
			t.Errorf("keyring %v: file of secrets: %v", ring, err)
		}
	}
}

func TestTwoUsersShareAKeyring(t *testing.T) {
	b, words := book(t, true)
	must(t, b.Keep(login(t, "a:1", "first")))
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	other := Open(words)
	must(t, other.Keep(login(t, "a:1", "second")))
	if got, err := b.Login("a:1"); err != nil || got.Token != "first" {
		t.Errorf("another user's login: %q %v", got.Token, err)
	}
}

func TestBrokenKeyringMeansFile(t *testing.T) {
	b, words := book(t, true)
	keyring.MockInitWithError(errors.New("locked"))
	must(t, b.Keep(login(t, "a:1", "token")))
	got, err := Open(words).Login("a:1")
	if err != nil || got.Token != "token" {
		t.Errorf("got %q %v", got.Token, err)
	}
	if !strings.Contains(words.String(), "no keyring") {
		t.Errorf("said %q", words)
	}
}

func TestSecretsArePrivate(t *testing.T) {
	b, _ := book(t, false)
	must(t, b.Keep(login(t, "a:1", "token")))
	st, err := os.Stat(b.secrets.path)
	must(t, err)
	if st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	must(t, os.Chmod(b.secrets.path, 0o644))
	if _, err := b.Login("a:1"); !errors.Is(err, ErrExposed) {
		t.Errorf("a file that others can read is used: %v", err)
	}
}

func TestDeviceKeyStaysWithTheLogin(t *testing.T) {
	b, _ := book(t, false)
	l := login(t, "a:1", "token")
	must(t, b.Keep(l))
	same, err := b.Device("a:1")
	must(t, err)
	other, err := b.Device("b:2")
	must(t, err)
	if same.Fingerprint != l.Identity.Fingerprint || other.Fingerprint == same.Fingerprint {
		t.Error("a relay has the device key of its own login, and no other")
	}
}

func TestPins(t *testing.T) {
	b, _ := book(t, false)
	must(t, b.Trust("a:1", pinA))
	must(t, b.Trust("b:2", pinA))
	must(t, b.Trust("a:1", pinB))
	for addr, want := range map[string]transport.Pin{"a:1": pinB, "b:2": pinA, "c:3": ""} {
		if got, err := b.Pin(addr); got != want || err != nil {
			t.Errorf("%s: %q %v", addr, got, err)
		}
	}
	must(t, os.WriteFile(filepath.Join(b.config, pinsFile), []byte("a:1 1.short\n"), 0o600))
	if _, err := b.Pin("b:2"); !errors.Is(err, transport.ErrPin) {
		t.Errorf("a damaged file is read as if nothing were pinned: %v", err)
	}
}

func TestMachinesArePinnedByRelay(t *testing.T) {
	b, _ := book(t, false)
	here, there := b.Machines("a:1"), b.Machines("b:2")
	must(t, here.KeepMachine("web-01@acme", pinA))
	must(t, there.KeepMachine("web-01@acme", pinB))
	must(t, here.KeepMachine("db@acme", pinB))
	for _, c := range []struct {
		at     Machines
		handle string
		want   transport.Pin
	}{{here, "web-01@acme", pinA}, {there, "web-01@acme", pinB}, {here, "db@acme", pinB}, {there, "db@acme", ""}} {
		if got, err := c.at.MachinePin(c.handle); got != c.want || err != nil {
			t.Errorf("%s at %s: %q %v", c.handle, c.at.relay, got, err)
		}
	}
	must(t, here.ForgetMachine("web-01@acme"))
	if got, err := here.MachinePin("web-01@acme"); got != "" || err != nil {
		t.Errorf("forgotten: %q %v", got, err)
	}
	if err := here.ForgetMachine("web-01@acme"); !errors.Is(err, ErrNone) {
		t.Errorf("forgotten twice: %v", err)
	}
	must(t, os.WriteFile(here.path, []byte("web-01@acme a:1\n"), 0o600))
	if _, err := here.MachinePin("db@acme"); err == nil {
		t.Error("a damaged file is read as if nothing were pinned")
	}
}

func TestAddr(t *testing.T) {
	for in, want := range map[string]string{
		"Relay.example": "relay.example:8443", "relay.example:9": "relay.example:9", "127.0.0.1": "127.0.0.1:8443",
		"::1": "[::1]:8443", "[::1]": "[::1]:8443", "[::1]:9": "[::1]:9",
		"https://relay.example": "relay.example:443", "https://relay.example:8443/j/12345678": "relay.example:8443",
		"": "", "a b": "", "a:0": "", "a:70000": "", "user@host": "", ":8443": "", "http://x": "",
	} {
		if got, err := Addr(in); got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestRecentSessionsAreKeptForAWhile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	b := Open(io.Discard)
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for i := range keepRecent + 5 {
		if err := b.Remember(now, Recent{Code: fmt.Sprintf("%08d", i), Relay: "r:1", Began: now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Remember(now, Recent{Code: "00000020", Relay: "r:1", Began: now, Over: true}); err != nil {
		t.Fatal(err)
	}
	all, err := b.Recent(now)
	if err != nil || len(all) != keepRecent || all[0].Code != "00000020" || !all[0].Over || all[1].Code != "00000024" {
		t.Fatalf("%v %+v", err, all)
	}
	if all, err = b.Recent(now.Add(forgetFrom + 1)); err != nil || len(all) != 0 {
		t.Errorf("%v %+v", err, all)
	}
	if fi, err := os.Stat(filepath.Join(dir, "assist", recentFile)); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi, err)
	}
}
