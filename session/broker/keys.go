package broker

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Keys are the relay's own secrets. They live in its data folder, apart from the database.
type Keys struct {
	Badge ed25519.PrivateKey // signs badges
	Code  [32]byte           // names codes in the database
	Reset [32]byte           // of QUIC's stateless resets (RFC 9000, 10.3), kept over restarts
}

const (
	keyFolder = "keys"
	orgFolder = "orgs"
)

// LoadKeys reads the keys in the data folder dir and makes those that are not there yet, readable by their owner only.
func LoadKeys(dir string) (Keys, error) {
	dir = filepath.Join(dir, keyFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Keys{}, fmt.Errorf("key folder: %w", err)
	}
	var k Keys
	var err error
	if k.Badge, err = signingKey(filepath.Join(dir, "badge.key")); err != nil {
		return Keys{}, err
	}
	if k.Code, err = secret(filepath.Join(dir, "code.key")); err != nil {
		return Keys{}, err
	}
	k.Reset, err = secret(filepath.Join(dir, "reset.key"))
	return k, err
}

// RelayID names the relay of a data folder among others. It stands outside of the keys, which all relays of a fleet share.
func RelayID(dir string) (string, error) {
	seed, err := secret(filepath.Join(dir, "relay.id"))
	return hex.EncodeToString(seed[:8]), err
}

// OrgKey reads the signing key of an organisation from the data folder. It is fs.ErrNotExist when its owner keeps it elsewhere:
// then agents of it get no device certificate here.
func OrgKey(dir, org string) (ed25519.PrivateKey, error) {
	if err := CheckName(org); err != nil {
		return nil, err
	}
	return readSigningKey(filepath.Join(dir, orgFolder, org+".key"))
}

func newOrgKey(dir, org string) (ed25519.PrivateKey, error) {
	if err := os.MkdirAll(filepath.Join(dir, orgFolder), 0o700); err != nil {
		return nil, fmt.Errorf("key folder: %w", err)
	}
	return signingKey(filepath.Join(dir, orgFolder, org+".key"))
}

func signingKey(path string) (ed25519.PrivateKey, error) {
	key, err := readSigningKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	_, key, err = ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if err = writeOnce(path, "PRIVATE KEY", der); errors.Is(err, fs.ErrExist) { // another relay that shares the folder was quicker
		return readSigningKey(path)
	}
	return key, err
}

func readSigningKey(path string) (ed25519.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key %s: not an Ed25519 key", path)
	}
	return key, nil
}

func secret(path string) (out [32]byte, err error) {
	b, err := readPEM(path, "ASSIST SECRET")
	if errors.Is(err, fs.ErrNotExist) {
		b = make([]byte, len(out))
		rand.Read(b)
		if err = writeOnce(path, "ASSIST SECRET", b); errors.Is(err, fs.ErrExist) { // as above
			b, err = readPEM(path, "ASSIST SECRET")
		}
	}
	if err == nil && copy(out[:], b) != len(out) {
		err = fmt.Errorf("key %s: too short", path)
	}
	return out, err
}

func readPEM(path, kind string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("key %s: not PEM of type %q", path, kind)
	}
	return block.Bytes, nil
}

// writeOnce makes a file that must not exist yet, whole or not at all.
func writeOnce(path, kind string, der []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	defer os.Remove(f.Name())
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails when it exists
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}
