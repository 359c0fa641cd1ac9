package account

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
)

const (
	keyringSwitch = "ASSIST_KEYRING" // "off": use the file
	keyringWithin = 2 * time.Second  // a locked keyring may ask somebody who is not there
	service       = "assist"
	secretsFile   = "secrets.json"
)

// secret is what nobody else may have.
type secret struct {
	Key   []byte `json:"key"` // seed of the device key
	Token string `json:"token"`
}

// ErrExposed says that others can read the file of secrets.
var ErrExposed = errors.New("others can read it")

// secrets keeps one secret a relay.
type secrets struct {
	path string
	mark string // tells this user's folders from others' in the same keyring
	warn io.Writer
	ring bool // the keyring has not failed yet
}

func newSecrets(state string, warn io.Writer) *secrets {
	sum := sha256.Sum256([]byte(state))
	return &secrets{
		path: filepath.Join(state, secretsFile), mark: fmt.Sprintf(" (%x)", sum[:4]),
		warn: warn, ring: os.Getenv(keyringSwitch) != "off" && keyringThere(),
	}
}

// keyringThere is false where asking would start a message bus (dbus-launch) only to find no keyring on it.
func keyringThere() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus"))
	return os.Getenv("XDG_RUNTIME_DIR") != "" && err == nil
}

// get returns the secret for addr, or fs.ErrNotExist.
func (s *secrets) get(addr string) (out secret, err error) {
	all, err := s.file()
	if err != nil {
		return secret{}, err
	}
	if kept, ok := all[addr]; ok {
		return kept, nil
	}
	var text string
	err = s.try(func() (err error) { text, err = keyring.Get(service, addr+s.mark); return err })
	if err != nil {
		return secret{}, fs.ErrNotExist
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return secret{}, fmt.Errorf("read keyring: %w", err)
	}
	return out, nil
}

// put keeps the secret for addr in the keyring, else in the file.
func (s *secrets) put(addr string, v secret) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	all, err := s.file()
	if err != nil {
		return err
	}
	if s.try(func() error { return keyring.Set(service, addr+s.mark, string(text)) }) == nil {
		if _, old := all[addr]; !old {
			return nil
		}
		delete(all, addr)
		return writeJSON(s.path, all)
	}
	if all == nil {
		all = map[string]secret{}
		fmt.Fprintf(s.warn, "no keyring here: the login is kept in %s, which only you can read\n", s.path)
	}
	all[addr] = v
	return writeJSON(s.path, all)
}

func (s *secrets) drop(addr string) error {
	_ = s.try(func() error { return keyring.Delete(service, addr+s.mark) }) // it may not be there
	all, err := s.file()
	if _, ok := all[addr]; err != nil || !ok {
		return err
	}
	delete(all, addr)
	return writeJSON(s.path, all)
}

// file reads the file of secrets; nil when there is none.
func (s *secrets) file() (map[string]secret, error) {
	st, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w (mode %04o, 0600 is wanted)", s.path, ErrExposed, st.Mode().Perm())
	}
	all := map[string]secret{}
	return all, readJSON(s.path, &all)
}

// try asks the keyring, for a short time. After it has failed to answer it is not asked again. A call that hangs is left behind.
func (s *secrets) try(f func() error) error {
	if !s.ring {
		return errors.New("no keyring")
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, keyring.ErrNotFound) {
			s.ring = false
		}
		return err
	case <-time.After(keyringWithin):
		s.ring = false
		return errors.New("the keyring does not answer")
	}
}
