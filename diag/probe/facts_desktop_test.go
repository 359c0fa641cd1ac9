//go:build desktop && linux

package probe

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"assist/diag"
)

// prints is what a program of the system prints, in plain English.
func prints(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := tool(name)
	if err != nil {
		t.Skip(name + " is not here to compare with")
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s %v: %v", name, args, err)
	}
	return string(out)
}

func readNow(t *testing.T, id diag.ID) diag.Category {
	t.Helper()
	r := (&Machine{}).Report(t.Context(), []diag.ID{id})
	c, ok := r.Category(id)
	if !ok {
		t.Fatal("no category")
	}
	return c
}

// near says whether two numbers are the same but for what happened between two looks.
func near(a, b, part, least float64) bool { return math.Abs(a-b) <= max(least, part*max(a, b)) }

func TestSameAsUname(t *testing.T) {
	c := readNow(t, diag.Identity)
	f := strings.Fields(prints(t, "uname", "-s", "-n", "-r"))
	if k, _ := c.Find("kernel"); k.Value != f[0]+" "+f[2] {
		t.Errorf("kernel %q, uname says %q", k.Value, f)
	}
	if h, _ := c.Find("host"); h.Value != f[1] {
		t.Errorf("host %q, uname says %q", h.Value, f[1])
	}
}

func TestSameAsDf(t *testing.T) {
	c := readNow(t, diag.Disks)
	for _, what := range []struct {
		args []string
		size string
		used string
	}{{[]string{"-P", "-B1", "-a"}, "size", "used"}, {[]string{"-P", "-i", "-a"}, "inodes", "inodes used"}} {
		compared := 0
		for _, line := range splitLines(prints(t, "df", what.args...))[1:] {
			f := strings.Fields(line)
			if len(f) != 6 || f[1] == "0" || f[1] == "-" {
				continue
			}
			if _, there := c.Find("file systems", f[5]); !there {
				continue // one that is not of anybody's files, or shown once already
			}
			compared++
			size, _ := c.Find("file systems", f[5], what.size)
			used, _ := c.Find("file systems", f[5], what.used)
			if size.Number != decimal(f[1]) || !near(used.Number, decimal(f[2]), 0.01, 64<<20) {
				t.Errorf("%s: %s %v, %s %v; df says %v", f[5], what.size, size.Number, what.used, used.Number, f)
			}
		}
		if _, root := c.Find("file systems", "/"); compared == 0 || !root {
			t.Errorf("df %v: nothing to compare with", what.args)
		}
	}
}

func TestSameAsFree(t *testing.T) {
	c := readNow(t, diag.Memory)
	lines := splitLines(prints(t, "free", "-b", "-w"))
	mem := strings.Fields(lines[1])
	for i, name := range map[int]string{1: "total", 3: "free", 7: "available"} {
		it, _ := c.Find(name)
		if !near(it.Number, decimal(mem[i]), 0.15, 512<<20) || i == 1 && it.Number != decimal(mem[i]) {
			t.Errorf("%s %v, free says %s", name, it.Number, mem[i])
		}
	}
	swap := strings.Fields(lines[2])
	if it, _ := c.Find("swap total"); it.Number != decimal(swap[1]) {
		t.Errorf("swap %v, free says %s", it.Number, swap[1])
	}
}

func TestSameAsSs(t *testing.T) {
	var want []string
	for _, line := range splitLines(prints(t, "ss", "-tlnH")) {
		if f := strings.Fields(line); len(f) >= 4 {
			want = append(want, f[3][strings.LastIndexByte(f[3], ':')+1:])
		}
	}
	c := readNow(t, diag.Network)
	var got []string
	for _, i := range c.Items {
		if addr, ok := strings.CutPrefix(i.Name, "tcp "); ok {
			got = append(got, addr[strings.LastIndexByte(addr, ':')+1:])
		}
	}
	missing := 0
	for _, port := range want {
		if !slices.Contains(got, port) {
			missing++
		}
	}
	if missing > len(want)/10 { // others begin and end to listen meanwhile
		t.Errorf("listening on %v, ss says %v", got, want)
	}
}

func TestSameAsSystemctl(t *testing.T) {
	m := &Machine{}
	c := readNow(t, diag.Services)
	if !m.systemd() {
		out, _ := exec.Command("systemctl", "is-system-running").CombinedOutput()
		if len(c.Notes) == 0 || !strings.Contains(c.Notes[0], "systemd does not run here") || strings.HasPrefix(string(out), "running") {
			t.Errorf("%v; systemctl says %s", c.Notes, out)
		}
		return
	}
	want := 0
	for _, line := range splitLines(prints(t, "systemctl", "list-units", "--failed", "--all", "--no-legend", "--plain")) {
		name := strings.Fields(line)[0]
		want++
		if _, ok := c.Find("failed units", name); !ok {
			t.Errorf("%s is not among the failed units", name)
		}
	}
	if n, _ := c.Find("failed"); n.Number != float64(want) {
		t.Errorf("%v failed, systemctl says %d", n.Number, want)
	}
}

func TestSameAsJournalctl(t *testing.T) {
	m := &Machine{}
	if !m.journal() {
		how, err := m.Events(t.Context(), diag.EventQuery{Most: diag.Debug, Last: 5}, func(diag.Event) error { return nil })
		if !strings.Contains(how, "no journal here") {
			t.Errorf("%q, %v", how, err)
		}
		t.Skip("no journal is kept here; the kernel's own log is compared with dmesg")
	}
	var got []string
	if _, err := m.Events(t.Context(), diag.EventQuery{Most: diag.Warning, Last: 20}, func(e diag.Event) error {
		got = append(got, e.Text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := splitLines(prints(t, "journalctl", "-q", "--no-pager", "-o", "cat", "-n", "20", "-p", "warning"))
	if len(got) > 0 && len(want) > 0 && !slices.Contains(want, got[0]) && !slices.Contains(got, want[0]) {
		t.Errorf("%q\n%q", got, want)
	}
}

func TestSameAsDmesg(t *testing.T) {
	want := splitLines(prints(t, "dmesg", "--level", "warn", "--notime"))
	var got []string
	if err := (&Machine{}).kmsg(t.Context(), diag.EventQuery{Most: diag.Warning, Last: diag.MaxEvents}, func(e diag.Event) error {
		got = append(got, e.Text)
		return nil
	}); err != nil {
		t.Skip("the kernel's log cannot be read: ", err)
	}
	for _, line := range want[max(0, len(want)-20):] {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.TrimSpace(s) == strings.TrimSpace(line) }) {
			t.Errorf("dmesg has %q", line)
		}
	}
}

func TestSameAsApt(t *testing.T) {
	want := 0
	for _, line := range splitLines(prints(t, "apt", "list", "--upgradable")) {
		if strings.Contains(line, "[upgradable") {
			want++
		}
	}
	c := readNow(t, diag.Packages)
	it, ok := c.Find("waiting updates")
	if !ok {
		t.Fatalf("%v", c.Notes)
	}
	if !near(it.Number, float64(want), 0.05, 2) { // phased updates and pins are apt's own
		t.Errorf("%v updates, apt says %d", it.Number, want)
	}
}

// The cost, as a person would see it. Nothing is asserted about time: machines are shared. `make bench-diag` prints it.
func TestBenchReportAndLive(t *testing.T) {
	m := &Machine{}
	begun, cpu := time.Now(), cpuTime(t)
	r := m.Report(t.Context(), nil)
	fmt.Printf("report: %.2f s, %.2f s of CPU, %d categories, %d findings; slowest:", time.Since(begun).Seconds(), (cpuTime(t) - cpu).Seconds(), len(r.Categories), len(r.Findings))
	all := slices.Clone(r.Categories)
	slices.SortFunc(all, func(a, b diag.Category) int { return b.Took - a.Took })
	for _, c := range all[:4] {
		fmt.Printf(" %s %d ms,", c.ID, c.Took)
	}
	fmt.Println()
	const n = 10
	begun, cpu = time.Now(), cpuTime(t)
	left := n
	_ = m.Live(t.Context(), func(diag.Sample) error {
		if left--; left == 0 {
			return os.ErrClosed
		}
		return nil
	})
	spent := cpuTime(t) - cpu
	fmt.Printf("live values: %.2f ms of CPU a second, %.3f %% of a core (target 2 %%)\n", float64(spent.Microseconds())/1000/n, 100*spent.Seconds()/time.Since(begun).Seconds())
}

// cpuTime is what this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
