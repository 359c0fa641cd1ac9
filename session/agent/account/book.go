// Package account is what a console keeps between its runs: which relays are known and by which key, and for each relay the
// login: the device key and the token that is worth something only with it.
//
// Pins are in known_relays in the user's configuration, who is logged in where in logins.json in the user's state. The secrets
// are in the system's keyring, or, where there is none, in secrets.json beside it, readable by the user only. Every file is
// replaced whole, so that a reader never sees half of one; of two programs that log in at the same instant the later wins. The
// folders are looked up at every Open (XDG_CONFIG_HOME, XDG_STATE_HOME), so that several agents can share a machine. A relay
// whose key has changed is never taken over by itself.
package account

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/adrg/xdg"

	"assist/transport"
)

// ErrNone says that there is no login, at this relay or at all.
var ErrNone = errors.New("not logged in")

const (
	folder     = "assist"
	loginsFile = "logins.json"
	maxFile    = 1 << 20
)

// Login is a login at one relay.
type Login struct {
	Relay    transport.Relay
	User     string // NAME@ORG
	Token    string // empty: only the device key is here
	Expires  time.Time
	Identity transport.Identity // the device: the outer connection and the link are made with it
	Fleet    []transport.Relay  // the relays that this one named as those of its fleet
}

// Book is one user's logins and known relays.
type Book struct {
	config, state string
	secrets       *secrets
}

// Open finds the user's folders. warn gets a sentence when secrets go into a file for want of a keyring.
func Open(warn io.Writer) *Book {
	xdg.Reload()
	state := filepath.Join(xdg.StateHome, folder)
	return &Book{config: filepath.Join(xdg.ConfigHome, folder), state: state, secrets: newSecrets(state, warn)}
}

// loginLine is a login without its secrets.
type loginLine struct {
	Relay   string    `json:"relay"`
	User    string    `json:"user"`
	Expires time.Time `json:"expires"`
	Fleet   []sibling `json:"fleet,omitempty"`
}

// sibling is a relay of the same fleet. Without a key its certificate has to be one that the system trusts.
type sibling struct {
	Addr string        `json:"addr"`
	Key  transport.Pin `json:"key,omitempty"`
}

type loginsJSON struct {
	Default string      `json:"default"`
	Logins  []loginLine `json:"logins"`
}

func (b *Book) logins() (loginsJSON, error) {
	var all loginsJSON
	err := readJSON(filepath.Join(b.state, loginsFile), &all)
	if errors.Is(err, fs.ErrNotExist) {
		return loginsJSON{}, nil
	}
	return all, err
}

func (all loginsJSON) find(addr string) int {
	return slices.IndexFunc(all.Logins, func(l loginLine) bool { return l.Relay == addr })
}

// Relays lists the addresses of the relays with a login, the default first.
func (b *Book) Relays() ([]string, error) {
	all, err := b.logins()
	var out []string
	for _, l := range all.Logins {
		if l.Relay == all.Default {
			out = slices.Insert(out, 0, l.Relay)
		} else {
			out = append(out, l.Relay)
		}
	}
	return out, err
}

// Login returns the login at a relay; an empty address means the default one. ErrNone when there is none.
func (b *Book) Login(addr string) (Login, error) {
	all, err := b.logins()
	if err != nil {
		return Login{}, err
	}
	if addr == "" {
		addr = all.Default
	}
	i := all.find(addr)
	if i < 0 {
		return Login{}, ErrNone
	}
	s, err := b.secrets.get(addr)
	if errors.Is(err, fs.ErrNotExist) {
		return Login{}, ErrNone
	}
	if err != nil {
		return Login{}, err
	}
	pin, err := b.Pin(addr)
	if err != nil {
		return Login{}, err
	}
	id, err := s.identity()
	line := all.Logins[i]
	l := Login{Relay: transport.Relay{Addr: addr, Pin: pin}, User: line.User, Token: s.Token, Expires: line.Expires, Identity: id}
	for _, r := range line.Fleet {
		l.Fleet = append(l.Fleet, transport.Relay{Addr: r.Addr, Pin: r.Key})
	}
	return l, err
}

// Keep remembers a login, its relay's pin if it has one, and makes the relay the default.
func (b *Book) Keep(l Login) error {
	if l.Relay.Pin != "" {
		if err := b.Trust(l.Relay.Addr, l.Relay.Pin); err != nil {
			return err
		}
	}
	if err := b.secrets.put(l.Relay.Addr, secret{Key: l.Identity.Key.Seed(), Token: l.Token}); err != nil {
		return err
	}
	all, err := b.logins()
	if err != nil {
		return err
	}
	line := loginLine{Relay: l.Relay.Addr, User: l.User, Expires: l.Expires}
	for _, r := range l.Fleet {
		line.Fleet = append(line.Fleet, sibling{r.Addr, r.Pin})
	}
	if i := all.find(l.Relay.Addr); i >= 0 {
		all.Logins[i] = line
	} else {
		all.Logins = append(all.Logins, line)
	}
	all.Default = l.Relay.Addr
	return writeJSON(filepath.Join(b.state, loginsFile), all)
}

// Forget drops a login with its device key. The pin stays: the relay is still the same one.
func (b *Book) Forget(addr string) error {
	all, err := b.logins()
	if err != nil {
		return err
	}
	all.Logins = slices.DeleteFunc(all.Logins, func(l loginLine) bool { return l.Relay == addr })
	if all.Default == addr {
		all.Default = ""
		if n := len(all.Logins); n > 0 {
			all.Default = all.Logins[n-1].Relay
		}
	}
	return errors.Join(b.secrets.drop(addr), writeJSON(filepath.Join(b.state, loginsFile), all))
}

// Device is the device key for a relay: that of the login there, or a new one.
func (b *Book) Device(addr string) (transport.Identity, error) {
	l, err := b.Login(addr)
	if errors.Is(err, ErrNone) {
		return transport.NewIdentity()
	}
	return l.Identity, err
}

func (s secret) identity() (transport.Identity, error) {
	if len(s.Key) != ed25519.SeedSize {
		return transport.Identity{}, errors.New("the device key that is kept is damaged: log in again after assist logout")
	}
	return transport.IdentityFromKey(ed25519.NewKeyFromSeed(s.Key))
}

func readJSON(path string, into any) error {
	b, err := readFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return replace(path, append(b, '\n'))
}

// replace writes a file that only the user can read, whole or not at all.
func replace(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// lines splits a text file, without comments and empty lines.
func lines(b []byte) (out []string) {
	for l := range strings.Lines(string(b)) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}
