//go:build desktop && linux

package probe

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assist/diag"
)

// needRoot skips what only root can seed.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can seed this")
	}
}

func must(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := tool(name)
	if err != nil {
		t.Skip(err)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Skipf("this kernel or machine cannot: %s %v: %v %s", name, args, err, out)
	}
}

func findings(r diag.Report, id, subject string) []diag.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f diag.Finding) bool {
		return f.ID != id || subject != "" && f.Subject != subject
	})
}

func TestAFullDiskIsFound(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	image, at := filepath.Join(dir, "image"), filepath.Join(dir, "full \x1b[31m")
	if err := os.WriteFile(image, make([]byte, 16<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, "mkfs.ext4", "-q", "-F", image)
	must(t, "mount", "-o", "loop", image, at)
	defer func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	}()
	f, err := os.Create(filepath.Join(at, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	_, full := io.Copy(f, io.LimitReader(zeros{}, 64<<20))
	f.Close()
	if full == nil {
		t.Fatal("the disk took everything")
	}
	r := (&Machine{}).Report(t.Context(), []diag.ID{diag.Disks})
	var got []diag.Finding
	for _, f := range findings(r, "disk.space", "") {
		if strings.Contains(f.Subject, dir) {
			got = append(got, f)
		}
	}
	if len(got) != 1 || got[0].Severity != diag.Bad || !strings.HasSuffix(got[0].Subject, "/full ␛[31m") {
		t.Errorf("%+v", got)
	}
	if strings.Contains(r.Text(), "\x1b") {
		t.Error("the name of the folder is not inert")
	}
	c, _ := r.Category(diag.Disks)
	found := false
	for _, i := range c.Items {
		found = found || i.Name == "backed by" && strings.Contains(i.Value, image)
	}
	if !found {
		t.Error("the loop device is not listed")
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestAZombieIsFound(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", "sleep 0.05 & exec sleep 30") // the child ends, and sleep collects nobody
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	for end := time.Now().Add(10 * time.Second); ; {
		r := (&Machine{}).Report(t.Context(), []diag.ID{diag.Processes})
		got := findings(r, "process.zombies", "")
		if len(got) == 1 && got[0].Severity > diag.OK && strings.Contains(got[0].Evidence, fmt.Sprintf("sleep (%d)", cmd.Process.Pid)) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", got)
		}
	}
}

func TestAnExpiredCertificateIsFound(t *testing.T) {
	needRoot(t)
	path := fmt.Sprintf("/etc/ssl/assist-test-%d.pem", os.Getpid())
	if err := os.WriteFile(path, []byte(certificate(t, "old.example", time.Now().Add(-72*time.Hour))), 0o600); err != nil {
		t.Skip(err)
	}
	defer os.Remove(path)
	r := (&Machine{}).Report(t.Context(), []diag.ID{diag.Security})
	if got := findings(r, "certificate.expiry", path); len(got) != 1 || got[0].Severity != diag.Bad || !strings.Contains(got[0].Evidence, "old.example has expired") {
		t.Errorf("%+v", got)
	}
}

// inside is what runs in namespaces of its own: a systemd that knows two units only, on a root that cannot be written.
const inside = `set -e
mount --make-rprivate /
mount -o remount,bind,ro /
for d in /run /tmp /var/tmp /var/log; do mount -t tmpfs tmpfs $d; done
if touch /etc/.assist 2>/dev/null || touch /var/lib/.assist 2>/dev/null; then echo "the root can still be written"; exit 1; fi
mkdir -p /run/lock /run/systemd /run/units /run/none
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
unit() { printf '[Unit]\nDefaultDependencies=no\n%b' "$2" > /run/units/$1; }
unit t.target 'Wants=assist-bad.service assist-flap.service\n'
unit assist-bad.service '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"\n'
unit assist-flap.service 'StartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=50ms\n'
/lib/systemd/systemd-journald > /dev/null 2>&1 &
for i in 1 2 3 4 5 6 7 8 9 10; do [ -S /run/systemd/journal/stdout ] && break; sleep 0.1; done
printf 'seeded \033[31m line\n' | systemd-cat -t seed -p err || true
export container=lxc SYSTEMD_UNIT_PATH=/run/units SYSTEMD_GENERATOR_PATH=/run/none
exec /lib/systemd/systemd --system --unit=t.target --log-target=console --show-status=0`

// A systemd of the test's own, because the one of this machine, if there is one, is not ours to break.
func TestAFailedUnitIsFound(t *testing.T) {
	needRoot(t)
	if os.Getenv("ASSIST_INSIDE") != "" {
		fmt.Println((&Machine{}).Report(t.Context(), []diag.ID{diag.Services, diag.Events}).JSON())
		out, err := exec.Command("journalctl", "-q", "--no-pager", "-o", "cat", "-p", "warning").Output()
		fmt.Printf("journalctl: %q %v\n", out, err)
		return
	}
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil {
		t.Skip("systemd is not installed here")
	}
	cleanCgroups(t)
	cmd := exec.Command("unshare", "-p", "-f", "-m", "-C", "-u", "-i", "-n", "--mount-proc", "--kill-child", "/bin/sh", "-c", inside)
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &words, &words
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // and by --kill-child all that is inside
		_ = cmd.Wait()
	}()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	var out, journal []byte
	var r diag.Report
	read := func() bool { // what is printed inside
		out, journal, _ = bytes.Cut(out, []byte("journalctl: "))
		from, to := bytes.IndexByte(out, '{'), bytes.LastIndexByte(out, '}')
		if from < 0 || to < from {
			return false
		}
		var err error
		if r, err = diag.ParseReport(out[from : to+1]); err != nil {
			t.Fatal(err)
		}
		return true
	}
	begun := false
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		init := strings.TrimSpace((&Machine{}).word(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid)))
		if init == "" {
			continue
		}
		look := exec.Command("nsenter", "-t", init, "-p", "-m", "-C", "-u", "-i", "-n", "/proc/self/fd/3", "-test.run=^TestAFailedUnitIsFound$")
		look.Env, look.ExtraFiles = append(os.Environ(), "ASSIST_INSIDE=1"), []*os.File{self}
		if out, err = look.Output(); err != nil {
			continue
		}
		if begun = read(); begun && len(findings(r, "service.failed", "assist-bad.service"))+len(findings(r, "service.restarting", "assist-flap.service")) == 2 {
			break
		}
	}
	if !begun {
		t.Skipf("systemd does not run in namespaces here: %v %s %s", err, out, words.String())
	}
	if got := findings(r, "service.failed", "assist-bad.service"); len(got) != 1 || got[0].Severity != diag.Bad || !strings.Contains(got[0].Evidence, "status 7") {
		t.Errorf("%+v", r.Findings)
	}
	events, _ := r.Category(diag.Events)
	if !bytes.Contains(journal, []byte("seeded")) {
		t.Logf("no journal inside: %s, %+v", journal, events)
	} else if n, _ := events.Find("errors in the last day"); !strings.Contains(events.Text(), "error seed: seeded ␛[31m line") || n.Number < 1 {
		t.Errorf("journalctl has it, the report does not: %s", events.Text())
	}
	if got := findings(r, "service.restarting", "assist-flap.service"); len(got) != 1 {
		t.Errorf("%+v", r.Findings)
	}
}

// cleanCgroups removes, at the end, the groups that the systemd inside has made.
func cleanCgroups(t *testing.T) {
	t.Helper()
	_, own, _ := strings.Cut((&Machine{}).word("/proc/self/cgroup")+"\n", "0::")
	own, _, _ = strings.Cut(own, "\n")
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		dir := filepath.Join(root, own)
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
			continue
		}
		before := map[string]bool{}
		for _, d := range (&Machine{}).list(dir) {
			before[d] = true
		}
		t.Cleanup(func() {
			time.Sleep(200 * time.Millisecond)
			for _, d := range (&Machine{}).list(dir) {
				path := filepath.Join(dir, d)
				if fi, err := os.Stat(path); err != nil || !fi.IsDir() || before[d] {
					continue
				}
				var all []string
				_ = filepath.WalkDir(path, func(p string, e os.DirEntry, err error) error {
					if err == nil && e.IsDir() {
						all = append(all, p)
					}
					return nil
				})
				for _, p := range slices.Backward(all) {
					_ = os.Remove(p) // rmdir: only of groups without processes
				}
			}
		})
		return
	}
}
