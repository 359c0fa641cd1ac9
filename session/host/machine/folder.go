package machine

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"assist/chat"
	"assist/session/host"
	"assist/transport"
)

// ErrNotEnrolled says that there is no enrolment in the folder.
var ErrNotEnrolled = errors.New("this machine is not enrolled")

// The files of a folder. All of them are readable by their owner only.
const (
	enrolFile    = "machine.json"
	keyFile      = "machine.key"
	passwordFile = "password"
	oneTimeFile  = "onetime.json"
	sessionFile  = "session.json"
	maxFile      = 4 << 20 // bytes
)

// resumeWithin is how long a kept session can be gone on with: the relay gives it up then, too.
const resumeWithin = 10 * time.Minute

// Folder is where a machine keeps what it is.
type Folder struct{ Dir string }

// Enrolment is what the relay and the machine agreed on.
type Enrolment struct {
	Relay    string        `json:"relay"`
	RelayKey transport.Pin `json:"relay_key,omitempty"` // empty: its certificate is one that the system trusts
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Org      string        `json:"org"`
	OrgTitle string        `json:"org_title"`
	OrgKey   transport.Pin `json:"org_key"` // vouches for the devices of the organisation's agents
	Enrolled time.Time     `json:"enrolled"`
}

func (e Enrolment) relay() transport.Relay { return transport.Relay{Addr: e.Relay, Pin: e.RelayKey} }

// Load reads what the machine is.
func (f Folder) Load() (Enrolment, transport.Identity, error) {
	var e Enrolment
	err := f.readJSON(enrolFile, &e)
	if errors.Is(err, fs.ErrNotExist) {
		return e, transport.Identity{}, ErrNotEnrolled
	}
	if err != nil {
		return e, transport.Identity{}, err
	}
	id, err := f.identity()
	if errors.Is(err, fs.ErrNotExist) {
		return e, id, ErrNotEnrolled
	}
	return e, id, err
}

// identity reads the machine's key.
func (f Folder) identity() (transport.Identity, error) {
	b, err := f.read(keyFile)
	if err != nil {
		return transport.Identity{}, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return transport.Identity{}, fmt.Errorf("%s: not a PEM file", f.path(keyFile))
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return transport.Identity{}, fmt.Errorf("%s: %w", f.path(keyFile), err)
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return transport.Identity{}, fmt.Errorf("%s: not an Ed25519 key", f.path(keyFile))
	}
	return transport.IdentityFromKey(key)
}

// makeIdentity is the machine's key, made if there is none.
func (f Folder) makeIdentity() (transport.Identity, error) {
	id, err := f.identity()
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	if id, err = transport.NewIdentity(); err != nil {
		return id, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		return id, fmt.Errorf("encode key: %w", err)
	}
	return id, f.write(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// session is the one that an earlier process kept, if it can be gone on with.
func (f Folder) session(number [16]byte) *host.Saved {
	var s host.Saved
	if err := f.readJSON(sessionFile, &s); err != nil || s.Session != number || s.Over || time.Since(s.Kept) > resumeWithin {
		return nil
	}
	return &s
}

// over says whether a session has ended here.
func (f Folder) over(number [16]byte) bool {
	var s host.Saved
	return f.readJSON(sessionFile, &s) == nil && s.Session == number && s.Over
}

// clear takes away everything but the policy.
func (f Folder) clear() error {
	var errs []error
	for _, name := range []string{keyFile, enrolFile, passwordFile, oneTimeFile, sessionFile} {
		if err := os.Remove(f.path(name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (f Folder) path(name string) string { return filepath.Join(f.Dir, name) }

// read takes a file that only its owner can read.
func (f Folder) read(name string) ([]byte, error) {
	file, err := os.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others can read it (mode %04o, 0600 is wanted)", f.path(name), st.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(file, maxFile))
}

func (f Folder) readJSON(name string, into any) error {
	b, err := f.read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", f.path(name), err)
	}
	return nil
}

func (f Folder) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path(name), err)
	}
	return f.write(name, append(b, '\n'))
}

// write replaces a file, whole or not at all, readable by its owner only.
func (f Folder) write(name string, b []byte) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.Dir, "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone already when all went well
	_, err = tmp.Write(b)
	if err = errors.Join(err, giveToOwner(tmp, f.Dir), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.path(name), err)
	}
	return os.Rename(tmp.Name(), f.path(name))
}

func printable(s string) string { return chat.Name(s) }
