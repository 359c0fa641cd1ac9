package broker

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestKeysStayAndArePrivate(t *testing.T) {
	dir := t.TempDir()
	first, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Badge.Equal(second.Badge) || first.Code != second.Code || first.Reset != second.Reset {
		t.Error("keys change at a restart")
	}
	if first.Code == first.Reset || first.Code == [32]byte{} {
		t.Error("secrets are not random")
	}
	a, err := SelfSigned(dir, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := SelfSigned(dir, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	if string(a.Leaf.RawSubjectPublicKeyInfo) != string(b.Leaf.RawSubjectPublicKeyInfo) {
		t.Error("the relay's key changes at a restart")
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err == nil && path != dir && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDamagedKeysAreNotReplaced(t *testing.T) {
	dir := t.TempDir()
	if _, err := LoadKeys(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"badge.key", "code.key", "reset.key"} {
		path := filepath.Join(dir, keyFolder, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:20], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(dir); err == nil {
			t.Errorf("%s: a damaged key is taken", name)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOrgKeyHasNoWayOut(t *testing.T) {
	dir := t.TempDir()
	for _, org := range []string{"..", "../keys/badge", "", "/etc/passwd"} {
		if _, err := OrgKey(dir, org); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", org, err)
		}
	}
	if _, err := OrgKey(dir, "acme"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is not there: %v", err)
	}
}

func TestSelfSignedCertificate(t *testing.T) {
	c, err := SelfSigned(t.TempDir(), []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"}); err != nil {
		t.Error(err)
	}
}

// Relays that start at once on one folder of keys, as those of a compose file do, have the same ones.
func TestKeysMadeAtOnceAreTheSame(t *testing.T) {
	dir := t.TempDir()
	const relays = 16
	keys, errs := make([]Keys, relays), make([]error, relays)
	var loading sync.WaitGroup
	for i := range relays {
		loading.Go(func() { keys[i], errs[i] = LoadKeys(dir) })
	}
	loading.Wait()
	for i := range relays {
		if errs[i] != nil || !keys[i].Badge.Equal(keys[0].Badge) || keys[i].Code != keys[0].Code || keys[i].Reset != keys[0].Reset {
			t.Errorf("relay %d has other keys, or none: %v", i, errs[i])
		}
	}
}
