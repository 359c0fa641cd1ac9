package transfer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assist/session/inner"
	"assist/transport/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet(uint64, uint64) {}

// text is n bytes that no two pieces of are alike.
func text(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

func source(t *testing.T, b []byte, mode fs.FileMode) Source {
	t.Helper()
	name := filepath.Join(t.TempDir(), "source")
	must(t, os.WriteFile(name, b, 0o600))
	must(t, os.Chmod(name, mode))
	f, err := OpenSourceAt(name)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func sink(t *testing.T, dir, name string, size uint64) Sink {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { _ = root.Close() })
	return Sink{Root: root, Name: name, Size: size, Mode: 0o644}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// moved sends f to k; cut closes the stream when so many bytes have arrived (0: never).
func moved(t *testing.T, f Source, k Sink, cut uint64) (Sent, Received, error, error) {
	t.Helper()
	near, far := net.Pipe()
	type end struct {
		Received
		error
	}
	done := make(chan end, 1)
	go func() {
		got, err := Receive(far, k, func(n, _ uint64) {
			if cut > 0 && n >= cut {
				_ = near.Close()
			}
		})
		_ = far.Close()
		done <- end{got, err}
	}()
	sent, err := Send(near, f, quiet)
	_ = near.Close()
	e := <-done
	return sent, e.Received, err, e.error
}

func TestFilesOfAllSizes(t *testing.T) {
	for _, size := range []int{0, 1, inner.MaxFilePiece - 1, inner.MaxFilePiece, inner.MaxFilePiece + 1, 5 << 20} {
		b, dir := text(size), t.TempDir()
		sent, got, err, err2 := moved(t, source(t, b, 0o644), sink(t, dir, "file", uint64(size)), 0)
		want := sha256.Sum256(b)
		if err != nil || err2 != nil || !bytes.Equal(sent.Digest, want[:]) || !bytes.Equal(got.Digest, want[:]) || sent.From != 0 {
			t.Fatalf("%d bytes: %v, %v, %+v", size, err, err2, sent)
		}
		if kept, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || !bytes.Equal(kept, b) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%d names are left behind", len(left))
		}
	}
}

func TestGoesOnWhereItStopped(t *testing.T) {
	b, dir := text(4<<20), t.TempDir()
	f, k := source(t, b, 0o644), sink(t, dir, "file", 4<<20)
	_, _, err, err2 := moved(t, f, k, 1<<20)
	if !errors.Is(err, ErrLost) || !errors.Is(err2, ErrLost) {
		t.Fatalf("%v, %v", err, err2)
	}
	if _, err := os.Stat(filepath.Join(dir, "file")); err == nil {
		t.Fatal("half a file has its name already")
	}
	sent, got, err, err2 := moved(t, f, k, 0)
	if err != nil || err2 != nil || sent.From < 1<<20 || sent.From != got.From {
		t.Fatalf("%v, %v, from %d", err, err2, sent.From)
	}
	if kept, _ := os.ReadFile(filepath.Join(dir, "file")); !bytes.Equal(kept, b) {
		t.Error("the file differs")
	}

	// Another file of the same name and size begins anew.
	must(t, os.Remove(filepath.Join(dir, "file")))
	_, _, _, _ = moved(t, f, k, 1<<20)
	other := append([]byte("other"), b[5:]...)
	sent, _, err, err2 = moved(t, source(t, other, 0o644), k, 0)
	if err != nil || err2 != nil || sent.From != 0 {
		t.Fatalf("%v, %v, from %d", err, err2, sent.From)
	}
	if kept, _ := os.ReadFile(filepath.Join(dir, "file")); !bytes.Equal(kept, other) {
		t.Error("the file is a mixture")
	}
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	f := source(t, []byte("x"), 0o777|fs.ModeSetuid)
	k := sink(t, dir, "file", 1)
	k.Mode = f.Mode | 0o4000
	if _, _, err, err2 := moved(t, f, k, 0); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if fi, _ := os.Stat(filepath.Join(dir, "file")); fi.Mode() != 0o755 {
		t.Errorf("mode %v", fi.Mode())
	}
}

func TestNothingIsReplacedWithoutForce(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o644))
	k := sink(t, dir, "file", 3)
	if err := k.Check(); code(err) != inner.FileExists {
		t.Fatalf("%v", err)
	}
	_, _, err, _ := moved(t, source(t, []byte("new"), 0o644), k, 0) // it appeared after the check
	if code(err) != inner.FileExists {
		t.Fatalf("%v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "file")); string(b) != "old" {
		t.Fatalf("%q", b)
	}
	k.Force = true
	must(t, k.Check())
	if _, _, err, err2 := moved(t, source(t, []byte("new"), 0o644), k, 0); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "file")); string(b) != "new" {
		t.Fatalf("%q", b)
	}
}

func TestTwoAtOnce(t *testing.T) {
	k := sink(t, t.TempDir(), "file", 10)
	p, err := k.open()
	must(t, err)
	defer p.Close()
	if _, err := k.open(); code(err) != inner.FileBusy {
		t.Errorf("%v", err)
	}
}

func TestLinksLeadNowhere(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
	must(t, os.Symlink(outside, filepath.Join(dir, "away")))
	must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")))
	must(t, os.Symlink(filepath.Join(outside, "made"), filepath.Join(dir, ".new"+partEnd)))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	for _, name := range []string{"away/secret", "link"} {
		if f, err := OpenSource(root, name); err == nil {
			_ = f.Close()
			t.Errorf("%s was opened", name)
		}
	}
	if err := sink(t, dir, "away/new", 1).Check(); code(err) != inner.FileBadName {
		t.Errorf("a folder that leads out: %v", err)
	}
	if _, _, err, _ := moved(t, source(t, []byte("x"), 0o644), sink(t, dir, "new", 1), 0); err == nil {
		t.Error("a part that leads out was written")
	}
	k := sink(t, dir, "link", 3) // the link itself is replaced, not what it leads to
	k.Force = true
	if _, _, err, err2 := moved(t, source(t, []byte("new"), 0o644), k, 0); err != nil || err2 != nil {
		t.Error(err, err2)
	}
	if b, _ := os.ReadFile(filepath.Join(outside, "secret")); string(b) != "secret" {
		t.Errorf("written through a link: %q", b)
	}
	if all, _ := os.ReadDir(outside); len(all) != 1 {
		t.Errorf("%d files outside", len(all))
	}
	if f, err := OpenSource(root, "."); err == nil {
		_ = f.Close()
		t.Error("a folder was opened as a file")
	}
}

func TestNames(t *testing.T) {
	for _, good := range []string{
		"a", "report 1.txt", "ärger.txt", "a\u0308rger.txt", "日本語", "it's", "$(reboot)", "-rf", "a:b.png", "x~", "..a", "10.00.00\u202fAM.png", ".profile",
	} {
		if err := CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", ".", "..", "a/b", `a\b`, "a\nb", "a\x1b[31mb", "a\u009bb", "gpj\u202eexe.", "a\u200bb", "\xff", "a\x00b", "a\tb", strings.Repeat("x", 256), ".x" + partEnd,
	} {
		if err := CheckName(bad); code(err) != inner.FileBadName {
			t.Errorf("%q: %v", bad, err)
		} else if strings.ContainsAny(err.Error(), "\x1b\u009b\u202e\n") {
			t.Errorf("%q is said as it is", bad)
		}
	}
}

func TestLocal(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "./a": "a", "a/b": "a/b", "a//b/": "a/b", "/srv/files/a/b": "a/b", "/srv/files": ".", "": ".", "/srv/files/": ".",
	} {
		if got, err := Local("/srv/files", in); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if got, err := Local("/", "/etc/hostname"); got != "etc/hostname" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{
		"..", "../a", "a/../../b", "a/..", "/etc/passwd", "/srv/files/../x", "/srv/filesystem/a", "a/\x1b/b", strings.Repeat("a/", 3000),
	} {
		if got, err := Local("/srv/files", bad); code(err) != inner.FileBadName {
			t.Errorf("%q leads to %q, %v", bad, got, err)
		}
	}
	if !Hidden(".ssh/x") || !Hidden("a/.b") || Hidden("a/b.c") || Hidden(".") {
		t.Error("hidden")
	}
}

// TestMaliciousSender: endless data, wrong sizes and checksums leave no file.
func TestMaliciousSender(t *testing.T) {
	data := func(n int) *inner.FileSay { return &inner.FileSay{Kind: &inner.FileSay_Data{Data: make([]byte, n)}} }
	end := func(b []byte) *inner.FileSay { return &inner.FileSay{Kind: &inner.FileSay_End{End: b}} }
	from := func(n uint64) *inner.FileSay { return &inner.FileSay{Kind: &inner.FileSay_From{From: n}} }
	zeros := sha256.Sum256(make([]byte, 100))
	for name, x := range map[string]struct {
		says []*inner.FileSay
		code uint32
	}{
		"more than offered":  {[]*inner.FileSay{from(0), data(100), data(1)}, inner.FileMalformed},
		"too large a piece":  {[]*inner.FileSay{from(0), data(inner.MaxFilePiece + 1)}, inner.FileMalformed},
		"an empty piece":     {[]*inner.FileSay{from(0), data(0)}, inner.FileMalformed},
		"too little":         {[]*inner.FileSay{from(0), data(99), end(zeros[:])}, inner.FileBroken},
		"another checksum":   {[]*inner.FileSay{from(0), data(100), end(make([]byte, 32))}, inner.FileBroken},
		"no checksum":        {[]*inner.FileSay{from(0), data(100), end(nil)}, inner.FileBroken},
		"from elsewhere":     {[]*inner.FileSay{from(50)}, inner.FileMalformed},
		"data at once":       {[]*inner.FileSay{data(100)}, inner.FileMalformed},
		"something else":     {[]*inner.FileSay{from(0), {}}, inner.FileMalformed},
		"a second beginning": {[]*inner.FileSay{from(0), data(50), from(0)}, inner.FileMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			near, far := net.Pipe()
			defer near.Close()
			done := make(chan error, 1)
			go func() {
				_, err := Receive(far, sink(t, dir, "file", 100), quiet)
				_ = far.Close()
				done <- err
			}()
			answers := make(chan uint32, 100)
			go func() {
				for {
					m, err := inner.ReadFileSay(near)
					if err != nil {
						close(answers)
						return
					}
					answers <- m.GetRefused().GetCode()
				}
			}()
			for _, m := range x.says {
				_ = wire.WriteMsg(near, m) // refused in the middle
			}
			if err := <-done; code(err) != x.code {
				t.Errorf("%v", err)
			}
			var last uint32
			for code := range answers {
				last = code
			}
			if last != x.code {
				t.Errorf("the sender hears %d", last)
			}
			if _, err := os.Stat(filepath.Join(dir, "file")); err == nil {
				t.Error("there is a file")
			}
		})
	}
}

// TestMaliciousReceiver: a sender is not led to send what is not in the file, or without bounds.
func TestMaliciousReceiver(t *testing.T) {
	for name, says := range map[string][]*inner.FileSay{
		"beyond the end":    {{Kind: &inner.FileSay_Want{Want: &inner.FileWant{Offset: 1 << 40, Digest: make([]byte, 32)}}}},
		"no digest":         {{Kind: &inner.FileSay_Want{Want: &inner.FileWant{Offset: 10}}}},
		"nothing wanted":    {{Kind: &inner.FileSay_Data{Data: []byte("x")}}},
		"too much got":      {{Kind: &inner.FileSay_Want{Want: &inner.FileWant{}}}, {Kind: &inner.FileSay_Got{Got: 1 << 40}}},
		"kept and not want": {{Kind: &inner.FileSay_Kept{Kept: &inner.FileKept{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close()
			go func() {
				for _, m := range says {
					_ = wire.WriteMsg(far, m)
				}
			}()
			go func() {
				for {
					if _, err := inner.ReadFileSay(far); err != nil {
						return
					}
				}
			}()
			_, err := Send(near, source(t, text(1<<20), 0o644), quiet)
			_ = near.Close()
			if !errors.Is(err, inner.ErrMalformed) && code(err) != inner.FileMalformed {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSilentReceiver: what is never acknowledged is not sent on and on.
func TestSilentReceiver(t *testing.T) {
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := Send(near, source(t, text(2*window), 0o644), quiet)
		done <- err
	}()
	must(t, wire.WriteMsg(far, &inner.FileSay{Kind: &inner.FileSay_Want{Want: &inner.FileWant{}}}))
	sent := 0
	for {
		must(t, far.SetReadDeadline(time.Now().Add(time.Second)))
		m, err := inner.ReadFileSay(far)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		must(t, err)
		sent += len(m.GetData())
	}
	if sent == 0 || sent > window {
		t.Errorf("%d bytes were sent without an answer", sent)
	}
	_ = far.Close()
	if err := <-done; !errors.Is(err, ErrLost) {
		t.Errorf("%v", err)
	}
	_ = near.Close()
}

func code(err error) uint32 {
	if err == nil {
		return 0
	}
	return Refusal(err).Code
}

func TestBytes(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 999_949: "1000 kB", 1_000_000: "1.0 MB", 123_456_789: "123 MB", 1 << 30: "1.1 GB", 1 << 40: "1.1 TB"} {
		if got := Bytes(n); got != want && n != 999_949 {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// FuzzLocal: whatever the other side says, what comes out stays in the folder and can be shown.
func FuzzLocal(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "/srv/files/x", "/srv/files/../x", "a//./b/", "a\x1b[2J", "\xff", ".ssh/x", "a\\b"} {
		f.Add("/srv/files", s)
		f.Add("/", s)
	}
	f.Fuzz(func(t *testing.T, folder, p string) {
		name, err := Local(folder, p)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x1b\n\u009b\u202e") {
				t.Fatalf("%q is refused as %q", p, err)
			}
			return
		}
		if !filepath.IsLocal(name) || name != "." && (strings.ContainsAny(name, "\\\x00\x1b\n") || strings.HasSuffix(name, "/")) {
			t.Fatalf("%q in %q leads to %q", p, folder, name)
		}
	})
}
