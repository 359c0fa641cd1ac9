package tui

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assist/diag"
	"assist/session/console"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

// ill is a machine with something wrong; more changes it for a second report.
func ill(more func(*diag.Report)) diag.Report {
	r := diag.Report{
		At: began.Add(10 * time.Minute), Host: "web-01\x1b[2J", Took: 900 * time.Millisecond,
		Categories: []diag.Category{
			{ID: diag.Identity, Items: []diag.Item{{Name: "system", Value: "Debian GNU/Linux 12 (bookworm)"}, {Name: "uptime", Number: 93784, Unit: diag.Seconds}}},
			{ID: diag.Memory, Items: []diag.Item{{Name: "total", Number: 8 << 30, Unit: diag.Bytes}, {Name: "available", Number: 300 << 20, Unit: diag.Bytes}}},
			{ID: diag.Disks, Items: []diag.Item{
				{Name: "file systems"},
				{Name: "/", Value: "ext4 on /dev/vda", Depth: 1},
				{Name: "use", Number: 98.5, Unit: diag.Percent, Depth: 2},
				{Name: "/srv \u202e", Value: "xfs on /dev/vdb", Depth: 1},
				{Name: "use", Number: 12.5, Unit: diag.Percent, Depth: 2},
			}},
			{ID: diag.Services, Items: []diag.Item{{Name: "failed", Number: 1, Unit: diag.Count}, {Name: "failed units"}, {Name: "web.service", Value: "failed: it ended with status 7", Depth: 1}}},
			{ID: diag.Containers, Notes: []string{"containers: no docker, podman or lxc here"}},
		},
		Findings: []diag.Finding{
			diag.Space("/", 985<<30, 15<<30), diag.Space("/srv", 10, 70), diag.MemoryLeft(8<<30, 300<<20), diag.Failed("web.service", "failed: it ended with status 7"),
			diag.Killed(2), diag.Updates(12, 3, began, began.Add(time.Hour)), diag.Clock(true, "chronyd", 0.01),
			diag.Certificate("/etc/ssl/shop.pem", "shop.example", began.Add(-time.Hour), began),
		},
	}
	if more != nil {
		more(&r)
	}
	r.Order()
	return r
}

func examined(f *fake) {
	u := &console.Checkup{Reports: []diag.Report{ill(nil), ill(func(r *diag.Report) {
		r.At = r.At.Add(20 * time.Minute)
		r.Findings[3] = diag.Finding{ID: "service.failed", Category: diag.Services, Evidence: "no unit has failed"}
		r.Categories[1].Items[0].Number = 16 << 30
	})}}
	for i := range 30 {
		x := float64(i)
		u.Live = append(u.Live, diag.Sample{At: began, Load: x / 10, CPU: x * 3, Memory: 96, DiskRead: x * 1e5, DiskWrite: float64(i%5) * 1e6, NetIn: 1200, NetOut: 300})
	}
	u.Events = []diag.Event{
		{At: began, Priority: 3, Unit: "web.service", Text: "cannot write\x1b]0;x\x07: No space left on device"},
		{At: began.Add(time.Second), Priority: 4, Unit: "kernel", Text: "EXT4-fs warning"},
	}
	u.EventQuery, u.EventsFrom = diag.EventQuery{Most: diag.Warning}, "the journal"
	f.state.Checkup = u
}

func TestDiagnosticsAsDrawings(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		for _, scene := range []struct {
			name string
			keys []string
		}{
			{"findings", []string{"d", "tab"}},
			{"category", []string{"d", "down", "down", "down", "down", "down", "tab", "down", "down"}},
			{"changes", []string{"d", "x"}},
			{"events", []string{"d", "e"}},
			{"save", []string{"d", "w"}},
		} {
			name := fmt.Sprintf("diag-%s-%dx%d", scene.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := newDesk(t, size[0], size[1], examined)
				d.press(scene.keys...)
				if strings.ContainsAny(d.text(), "\x07\u202e\u009b") {
					t.Error("something of the other side is not inert")
				}
				compare(t, filepath.Join("testdata", name+".golden"), d.text()+"\n")
			})
		}
	}
}

func TestDiagnosticsAskForWhatIsMissing(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("d")
	d.did("FollowLive{true} PullReport{[]}")
	d.sees("The machine has not been read yet", "DIAGNOSTICS")
	d.s.change(func() {
		d.s.state.Checkup = &console.Checkup{Pulling: true, Doing: "the customer looks at what would be sent"}
	})
	d.news()
	d.sees("the customer looks at what would be sent")
	d.press("r", "esc")
	d.did("PullReport{[]} FollowLive{false}")
	if d.m.mode != status.Browse {
		t.Error("it is still open")
	}
	d.s.change(func() {
		d.s.state.Checkup = &console.Checkup{Why: "the customer said no", LiveWhy: "the customer said no"}
	})
	d.news()
	d.press("d")
	d.did("FollowLive{true} PullReport{[]}")
	d.sees("the customer said no")
}

func TestDiagnosticsFilterCopyAndSave(t *testing.T) {
	d := newDesk(t, 120, 40, examined)
	copied, saved := "", ""
	d.m.opt.Copy = func(text string) (string, error) { copied = text; return "tmux", nil }
	d.m.opt.Save = func(name string, b []byte) (string, error) {
		saved = name + "\n" + string(b)
		return "/home/bob/" + name, nil
	}
	run := func(key string) {
		_, cmd := d.m.Update(pressed(key))
		all(cmd, func(msg tea.Msg) {
			if _, ok := msg.(sharedMsg); ok {
				d.send(msg)
			}
		})
	}
	d.press("d", "/")
	d.press(strings.Split("memory", "")...)
	d.press("enter")
	d.sees("memory.available", "memory.killed")
	d.seesNot("disk.space")
	d.press("down")
	run("y")
	if !strings.Contains(copied, "memory.") || strings.Contains(copied, "disk.space") {
		t.Errorf("copied %q", copied)
	}
	run("Y")
	if !strings.Contains(copied, "BAD   certificate.expiry") || !strings.Contains(copied, "Disks and space") {
		t.Errorf("copied %q", copied)
	}
	d.sees("copied: tmux")
	d.press("w", "ctrl+u")
	d.press(strings.Split("x.json", "")...)
	run("enter")
	if !strings.HasPrefix(saved, "x.json\n{\n") {
		t.Errorf("saved %.40q", saved)
	}
	d.sees("saved to /home/bob/x.json")
	d.m.opt.Save = func(string, []byte) (string, error) { return "", errors.New("file exists") }
	d.press("w")
	run("enter")
	d.sees("not done: file exists")
}

// all runs a command and those that it is made of, but for timers.
func all(cmd tea.Cmd, each func(tea.Msg)) {
	if cmd == nil {
		return
	}
	done := make(chan tea.Msg, 1)
	go func() { done <- cmd() }()
	select {
	case msg := <-done:
		if batch, ok := msg.(tea.BatchMsg); ok {
			for _, c := range batch {
				all(c, each)
			}
			return
		}
		each(msg)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestEventLogOfTheMachine(t *testing.T) {
	d := newDesk(t, 80, 24, examined)
	d.press("d")
	d.did("FollowLive{true}")
	d.press("e")
	if q := d.s.did; len(q) != 1 || q[0].(console.FollowEvents).Query.Most != diag.Warning {
		t.Fatalf("%+v", q)
	}
	d.s.did = nil
	d.press("u")
	d.press(strings.Split("ssh.service", "")...)
	d.press("enter")
	if q := d.s.did; len(q) != 1 || q[0].(console.FollowEvents).Query.Unit != "ssh.service" {
		t.Fatalf("%+v", q)
	}
	d.s.did = nil
	d.press("p")
	if q := d.s.did; len(q) != 1 || q[0].(console.FollowEvents).Query.Most != 6 {
		t.Fatalf("%+v", q)
	}
	d.s.change(func() {
		u := *d.s.state.Checkup
		u.Following = true
		u.Events = append(u.Events, diag.Event{At: began, Priority: 3, Unit: "ssh.service", Text: "the newest"})
		d.s.state.Checkup = &u
	})
	d.news()
	d.sees("the newest")
	d.s.did = nil
	d.press("esc")
	d.did("FollowLive{false} FollowEvents{<nil>}")
}
