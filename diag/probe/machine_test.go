package probe

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"assist/diag"
)

func TestEveryCategoryIsFilledOrSaysWhyNot(t *testing.T) {
	r := (&Machine{}).Report(t.Context(), nil)
	if len(r.Categories) != len(diag.All()) {
		t.Errorf("%d categories", len(r.Categories))
	}
	for i, c := range r.Categories {
		if c.ID != diag.All()[i] || c.Title == "" || len(c.Items) == 0 && len(c.Notes) == 0 {
			t.Errorf("%+v", c)
		}
	}
	for _, f := range r.Findings {
		if f.ID == "" || f.Evidence == "" || f.Severity > diag.OK && f.Advice == "" || !f.Category.Known() {
			t.Errorf("%+v", f)
		}
	}
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := diag.ParseReport(b); err != nil {
		t.Errorf("a real report is refused: %v", err)
	}
}

func TestOnlyWhatWasAskedFor(t *testing.T) {
	r := (&Machine{}).Report(t.Context(), []diag.ID{diag.Memory, diag.Identity})
	if len(r.Categories) != 2 || r.Categories[0].ID != diag.Identity {
		t.Errorf("%+v", r.Categories)
	}
}

func TestAHangingDeviceDoesNotHoldUpTheReport(t *testing.T) {
	const hangs = diag.Crashes
	was := readers[hangs]
	defer func() { readers[hangs] = was }()
	release := make(chan struct{})
	readers[hangs] = func(_ context.Context, _ *Machine, s *section) {
		<-release
		s.text("late", "yes")
	}
	m := &Machine{}
	r := m.Report(t.Context(), []diag.ID{hangs, diag.Memory})
	c, _ := r.Category(hangs)
	if mem, _ := r.Category(diag.Memory); len(mem.Items) == 0 || len(c.Items) != 0 || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "not read within") {
		t.Errorf("%+v", r)
	}
	r = m.Report(t.Context(), []diag.ID{hangs})
	if c, _ := r.Category(hangs); len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "still waits") {
		t.Errorf("a second one was begun: %+v", c)
	}
	close(release)
	for !m.begin(hangs) {
		time.Sleep(time.Millisecond)
	}
	m.end(hangs)
}

// A process can call itself anything.
func TestHostileProcessNamesAreInert(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("names are read from /proc")
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep here")
	}
	const name = "\x1b]0;x\x07\u202e\u009b"
	path := t.TempDir() + "/" + name
	if err := os.Symlink(sleep, path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	text := ""
	for range 5 { // the tree is bounded, and the child may not have taken its name yet
		r := (&Machine{}).Report(t.Context(), []diag.ID{diag.Processes})
		text = r.Text() + r.Markdown() + r.JSON()
		if strings.Contains(text, "␛]0;x␇") {
			break
		}
	}
	if !strings.Contains(text, "␛]0;x␇") {
		t.Errorf("the process is not there")
	}
	if strings.ContainsAny(text, "\x1b\x07\u202e\u009b") {
		t.Error("its name is not inert")
	}
}

func TestLiveValues(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []diag.Sample
	err := (&Machine{}).Live(ctx, func(s diag.Sample) error {
		if got = append(got, s); len(got) == 2 {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %d samples", err, len(got))
	}
	for _, s := range got {
		if s.CPU < 0 || s.CPU > 100 || s.Memory <= 0 || s.Memory > 100 || s.At.IsZero() {
			t.Errorf("%+v", s)
		}
	}
}

func TestBetween(t *testing.T) {
	at := time.Unix(1700000000, 0)
	a := tally{at: at, busy: 10, all: 100, read: 1000, received: 5000}
	b := tally{at: at.Add(2 * time.Second), load: 1.5, busy: 60, all: 200, read: 3000, received: 0}
	if s := between(a, b); s.CPU != 50 || s.DiskRead != 1000 || s.NetIn != 0 || s.Load != 1.5 {
		t.Errorf("%+v", s)
	}
}
