package sessiontest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/agent"
	"assist/session/agent/work"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/session/transfer"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

const mayFile = session.View | session.File

func fileHost(r *Relay, allow session.Grants, change func(*host.Config)) (*Host, string) {
	dir := must1(filepath.EvalSymlinks(r.t.TempDir()))
	return r.NewHost(func(c *host.Config) {
		c.Files = dir
		if allow != 0 {
			c.Answer = &host.AutoAnswer{Allow: allow}
		}
		if change != nil {
			change(c)
		}
	}), dir
}

// written is a file of a test.
func written(t *testing.T, name string, b []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(name, b, 0o600))
	return name
}

func put(t *testing.T, c *Console, src, dst string, force bool, progress transfer.Progress) (work.Moved, error) {
	t.Helper()
	return putTo(t, c, src, work.Place{Path: dst, Force: force}, progress)
}

func putTo(t *testing.T, c *Console, src string, to work.Place, progress transfer.Progress) (work.Moved, error) {
	t.Helper()
	f, err := transfer.OpenSourceAt(src)
	must(t, err)
	defer f.Close()
	s, err := c.Open(t.Context(), wire.StreamFile)
	if err != nil {
		return work.Moved{}, err
	}
	return work.Put(t.Context(), s, f, to, progress)
}

func get(t *testing.T, c *Console, src, dir string) (work.Moved, error) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	s, err := c.Open(t.Context(), wire.StreamFile)
	must(t, err)
	return work.Get(t.Context(), s, src, func(o *inner.FileOffer) (transfer.Sink, error) {
		sink := transfer.Sink{Root: root, Name: "got", Size: o.Size, Mode: o.Mode, Force: true}
		return sink, sink.Check()
	}, func(uint64, uint64) {})
}

func quiet(uint64, uint64) {}

func fileCode(err error) uint32 {
	var no *inner.FileRefusedError
	if errors.As(err, &no) {
		return no.Code
	}
	return 0
}

func TestFilesThereAndBack(t *testing.T) {
	r := NewRelay(t)
	h, dir := fileHost(r, mayFile, nil)
	c := worker(t, r, h, "anna@acme", mayFile)
	must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	for name, b := range map[string][]byte{"empty": nil, "small": []byte("hello"), "large": bytes.Repeat([]byte("0123456789abcde\n"), 1<<18)} {
		moved, err := put(t, c, written(t, name, b), "sub/", false, quiet)
		want := sha256.Sum256(b)
		if err != nil || moved.Path != "sub/"+name || !bytes.Equal(moved.Digest, want[:]) {
			t.Fatalf("%s: %+v, %v", name, moved, err)
		}
		if there, err := os.ReadFile(filepath.Join(dir, "sub", name)); err != nil || !bytes.Equal(there, b) {
			t.Errorf("%s: %v", name, err)
		}
		back := t.TempDir()
		if moved, err = get(t, c, filepath.Join(dir, "sub", name), back); err != nil || !bytes.Equal(moved.Digest, want[:]) {
			t.Errorf("%s: %+v, %v", name, moved, err)
		}
		if here, err := os.ReadFile(filepath.Join(back, "got")); err != nil || !bytes.Equal(here, b) {
			t.Errorf("%s back: %v", name, err)
		}
	}
	if _, err := put(t, c, written(t, "small", nil), "sub", false, quiet); fileCode(err) != inner.FileExists {
		t.Errorf("replaced without force: %v", err)
	}
	if _, err := put(t, c, written(t, "small", []byte("new")), "sub", true, quiet); err != nil {
		t.Error(err)
	}
}

// TestFileThatWasKeptIsNotSentAgain: who has not heard that a file was kept sends it again, and hears it then; another file of that name and
// size is refused.
func TestFileThatWasKeptIsNotSentAgain(t *testing.T) {
	r := NewRelay(t)
	h, dir := fileHost(r, mayFile, nil)
	c := worker(t, r, h, "anna@acme", mayFile)
	again := work.Place{Path: ".", Again: true}
	for i := range uint64(2) {
		if moved, err := putTo(t, c, written(t, "x", []byte("hello")), again, quiet); err != nil || moved.From != 5*i || moved.Path != "x" {
			t.Errorf("%+v, %v", moved, err)
		}
	}
	if _, err := putTo(t, c, written(t, "x", []byte("other")), again, quiet); fileCode(err) != inner.FileExists {
		t.Errorf("another file: %v", err)
	}
	if there, err := os.ReadFile(filepath.Join(dir, "x")); err != nil || string(there) != "hello" {
		t.Errorf("%q, %v", there, err)
	}
	if _, err := put(t, c, written(t, "x", []byte("hello")), ".", false, quiet); fileCode(err) != inner.FileExists {
		t.Errorf("it was not lost: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "x"), []byte("changed there"), 0o600))
	if _, err := putTo(t, c, written(t, "x", []byte("hello")), again, quiet); fileCode(err) != inner.FileExists {
		t.Errorf("it has changed since: %v", err)
	}
}

// TestFilesStayInTheirFolder: hostile paths from a console with every grant but run.
func TestFilesStayInTheirFolder(t *testing.T) {
	r := NewRelay(t)
	h, dir := fileHost(r, session.AllGrants&^session.Run, func(c *host.Config) { c.MaxFile = 1000 })
	c := worker(t, r, h, "eve@evil", mayFile)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, ".netrc"), []byte("secret"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(dir, "away")))
	src := written(t, "x", []byte("x"))
	for dst, code := range map[string]uint32{
		"../x": inner.FileBadName, "/etc/x": inner.FileBadName, "a/../../x": inner.FileBadName, "away/x": inner.FileBadName, "a\x1b[2Jb": inner.FileBadName,
		".bashrc": inner.FileNotGiven, "sub/x": inner.FileMissing, "sub/": inner.FileMissing, strings.Repeat("a", 300): inner.FileBadName,
		filepath.Join(outside, "x"): inner.FileBadName, "x" + strings.Repeat("/x", 3000): inner.FileBadName, "CON\\x": inner.FileBadName,
	} {
		if _, err := put(t, c, src, dst, true, quiet); fileCode(err) != code {
			t.Errorf("put %.60q: %v", dst, err)
		}
		if _, err := get(t, c, dst, t.TempDir()); fileCode(err) == 0 {
			t.Errorf("get %.60q: %v", dst, err)
		}
	}
	for _, src := range []string{"away/secret", ".netrc", filepath.Join(outside, "secret"), ".", "/etc/passwd", "../" + filepath.Base(outside) + "/secret"} {
		if _, err := get(t, c, src, t.TempDir()); fileCode(err) == 0 {
			t.Errorf("get %q: %v", src, err)
		}
	}
	if _, err := put(t, c, written(t, "big", make([]byte, 1001)), ".", false, quiet); fileCode(err) != inner.FileTooLarge {
		t.Errorf("too large: %v", err)
	}
	for folder, want := range map[string]int{outside: 1, dir: 2} {
		if all, _ := os.ReadDir(folder); len(all) != want {
			t.Errorf("%s has %d names now: %v", folder, len(all), all)
		}
	}
}

func TestCustomerIsAskedForEachFile(t *testing.T) {
	r := NewRelay(t)
	h, dir := fileHost(r, 0, nil)
	conf := r.Config(r.NewAgent("anna@acme"), h.Code)
	conf.Want = mayFile
	c := Run(t, agent.Join(conf))
	h.Customer.Allow("anna@acme", mayFile)
	c.Phase(console.In)
	result := make(chan error, 1)
	src := written(t, "report.pdf", []byte("hello"))
	go func() {
		_, err := put(t, c, src, ".", false, quiet)
		result <- err
	}()
	q := h.Customer.Asked("anna@acme")
	if q.What != "send you the file report.pdf (5 bytes)" || q.Detail != "it is saved as "+filepath.Join(dir, "report.pdf") || q.Grants != session.File {
		t.Errorf("%+v", q)
	}
	h.Customer.Answer(q, q.Grants)
	must(t, <-result)
	go func() {
		_, err := get(t, c, "report.pdf", t.TempDir())
		result <- err
	}()
	q = h.Customer.Asked("anna@acme")
	if q.What != "take a copy of your file report.pdf (5 bytes)" || q.Detail != "it is "+filepath.Join(dir, "report.pdf") {
		t.Errorf("%+v", q)
	}
	h.Customer.Answer(q, 0)
	if err := <-result; fileCode(err) != inner.FileSaidNo {
		t.Errorf("refused: %v", err)
	}
}

// TestFileEndsWithItsLease: when the customer takes the grant back in the middle, nothing more is written and no file appears.
func TestFileEndsWithItsLease(t *testing.T) {
	r := NewRelay(t)
	h, dir := fileHost(r, mayFile, nil)
	c := worker(t, r, h, "anna@acme", mayFile)
	_, err := put(t, c, written(t, "big", make([]byte, 64<<20)), ".", false, func(got, _ uint64) {
		if got > 1<<20 && got < 2<<20 {
			h.Customer.Do(host.Revoke{Member: session.Nobody, Grants: session.File})
		}
	})
	if err == nil {
		t.Fatal("the file was sent to its end")
	}
	if _, err := os.Stat(filepath.Join(dir, "big")); err == nil {
		t.Error("there is a file")
	}
	c.Wait("the grant to be gone", func(st console.State) bool {
		m, _ := st.Roster.Member(st.Self)
		return !m.Grants.Has(session.File)
	})
	if _, err := put(t, c, written(t, "small", nil), ".", false, quiet); fileCode(err) != inner.FileNotGiven {
		t.Errorf("without the grant: %v", err)
	}
}

// TestFileGoesOnAfterACut cuts the path in the middle of a file, on virtual time.
func TestFileGoesOnAfterACut(t *testing.T) {
	b := bytes.Repeat([]byte("0123456789abcde\n"), 1<<18)
	src, dir := written(t, "large", b), t.TempDir()
	Sim(t, 7, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) {
			c.Files, c.Answer = dir, &host.AutoAnswer{Allow: mayFile}
		})
		conf, path := r.Behind(r.NewAgent("anna@acme"), h.Code, transporttest.Conditions{Delay: 10 * time.Millisecond})
		conf.Want = mayFile
		c := Run(t, agent.Join(conf))
		c.Phase(console.In)
		must(t, c.Obtain(t.Context(), mayFile))
		cut := false
		_, err := put(t, c, src, ".", false, func(got, _ uint64) {
			if !cut && got > 1<<20 {
				cut = true
				path.Set(transporttest.Conditions{Down: true})
			}
		})
		if !errors.Is(err, transfer.ErrLost) {
			t.Fatalf("the path was cut: %v", err)
		}
		path.Set(transporttest.Conditions{Delay: 10 * time.Millisecond})
		var moved work.Moved
		for err != nil {
			time.Sleep(time.Second)
			moved, err = put(t, c, src, ".", false, quiet)
		}
		if err != nil || moved.From < 1<<20 {
			t.Fatalf("%+v, %v", moved, err)
		}
	})
	if there, err := os.ReadFile(filepath.Join(dir, "large")); err != nil || !bytes.Equal(there, b) {
		t.Errorf("the file differs: %v", err)
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("%d names are left", len(all))
	}
}

// TestTooManyFiles: of five streams of one console that keep their word back, one is sent away and takes nothing.
func TestTooManyFiles(t *testing.T) {
	r := NewRelay(t)
	h, _ := fileHost(r, mayFile, nil)
	c := worker(t, r, h, "eve@evil", mayFile)
	codes := make(chan uint32, 5)
	for range 5 {
		s, err := c.Open(t.Context(), wire.StreamFile)
		must(t, err)
		must(t, wire.WriteMsg(s, &inner.FileSay{Kind: &inner.FileSay_Open{Open: &inner.FileOpen{Put: true, Path: "."}}}))
		go func() {
			m, _ := inner.ReadFileSay(s)
			codes <- m.GetRefused().GetCode()
		}()
	}
	if first := <-codes; first != inner.FileTooMany {
		t.Errorf("the first answer is %d", first)
	}
}

// TestFileThatIsTakenIsTold: a console reads a file and never says that it has it; everybody reads of it all the same.
func TestFileThatIsTakenIsTold(t *testing.T) {
	r := NewRelay(t)
	h, dir := fileHost(r, mayFile, nil)
	must(t, os.WriteFile(filepath.Join(dir, "accounts.csv"), []byte("hello"), 0o600))
	c := worker(t, r, h, "eve@evil", mayFile)
	s, err := c.Open(t.Context(), wire.StreamFile)
	must(t, err)
	nothing := sha256.Sum256(nil)
	must(t, wire.WriteMsg(s, &inner.FileSay{Kind: &inner.FileSay_Open{Open: &inner.FileOpen{Path: "accounts.csv"}}}))
	must(t, wire.WriteMsg(s, &inner.FileSay{Kind: &inner.FileSay_Want{Want: &inner.FileWant{Digest: nothing[:]}}}))
	for got := ""; got != "hello"; {
		m, err := inner.ReadFileSay(s)
		must(t, err)
		got += string(m.GetData())
	}
	s.CancelWrite(0)
	s.CancelRead(0)
	Until(t, "the word of it", c.Changed(), func() bool {
		return slices.ContainsFunc(c.Log(0), func(e chat.Entry) bool { return e.Text == "has taken 5 bytes of the file accounts.csv (5 bytes)" })
	})
}
