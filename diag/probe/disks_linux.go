package probe

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"assist/diag"
)

// statfsLimit is how long one file system may take to say how full it is; network ones may hang for ever.
const statfsLimit = 800 * time.Millisecond

func disks(ctx context.Context, m *Machine, s *section) {
	m.drives(ctx, s)
	s.under("file systems", "", func() { m.fileSystems(s) })
}

// drives lists the block devices and what they say of their health.
func (m *Machine) drives(ctx context.Context, s *section) {
	var names []string
	for _, name := range m.list("/sys/block") {
		size, _ := m.number("/sys/block/" + name + "/size")
		if size > 0 && !strings.HasPrefix(name, "ram") && (!strings.HasPrefix(name, "loop") || m.word("/sys/block/"+name+"/loop/backing_file") != "") {
			names = append(names, name)
		}
	}
	health, why := smart(ctx, names)
	for _, name := range names {
		dir := "/sys/block/" + name
		size, _ := m.number(dir + "/size")
		s.under(name, strings.Join(strings.Fields(m.word(dir+"/device/vendor")+" "+m.word(dir+"/device/model")), " "), func() {
			s.num("size", 512*size, diag.Bytes) // sectors of 512 bytes, whatever the device uses
			s.text("kind", kindOf(m.word(dir+"/queue/rotational"), name))
			s.text("backed by", m.word(dir+"/loop/backing_file"))
			if m.word(dir+"/ro") == "1" {
				s.text("writable", "no")
			}
			m.traffic(s, dir)
			if h, ok := health[name]; ok {
				s.text("health", map[bool]string{true: "passed", false: "FAILING"}[h.Passed])
				s.num("temperature", h.Celsius, diag.Celsius)
				s.find(diag.Health(h))
			} else if virtual(name) {
				s.text("health", "a virtual drive has none to tell")
			}
		})
	}
	if why != nil && len(health) == 0 {
		s.missing("SMART", why)
	}
}

func kindOf(rotational, name string) string {
	switch {
	case virtual(name):
		return "virtual"
	case rotational == "1":
		return "hard disk"
	case rotational == "0":
		return "solid state"
	}
	return ""
}

func virtual(name string) bool {
	for _, p := range []string{"vd", "xvd", "loop", "zram", "dm-", "md", "nbd", "rbd"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// traffic says what was read and written since the start: Documentation/block/stat.rst.
func (m *Machine) traffic(s *section, dir string) {
	if f := strings.Fields(m.word(dir + "/stat")); len(f) >= 11 {
		s.num("read", 512*decimal(f[2]), diag.Bytes)
		s.num("written", 512*decimal(f[6]), diag.Bytes)
		s.num("busy", decimal(f[9])/1000, diag.Seconds)
	}
}

// mount is one line of /proc/self/mountinfo: proc(5).
type mount struct {
	device  string // major:minor
	root    string
	point   string
	options string
	kind    string
	source  string
	super   string
}

func (m *Machine) mounts() ([]mount, error) {
	text, err := m.read("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMounts(text), nil
}

func parseMounts(text string) (out []mount) {
	for _, line := range splitLines(text) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 {
			continue
		}
		out = append(out, mount{
			device: l[2], root: unoctal(l[3]), point: unoctal(l[4]), options: l[5], kind: r[0], source: unoctal(r[1]), super: r[2],
		})
	}
	return out
}

// unoctal undoes how the kernel writes spaces and the like: \040.
func unoctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			var c int
			if _, err := fmt.Sscanf(s[i+1:i+4], "%3o", &c); err == nil && c < 256 {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// pseudo are kinds of file systems that hold no files of anybody.
var pseudo = map[string]bool{}

func init() {
	for _, k := range strings.Fields("proc sysfs devtmpfs devpts cgroup cgroup2 securityfs pstore bpf tracefs debugfs configfs mqueue hugetlbfs " +
		"fusectl autofs binfmt_misc efivarfs rpc_pipefs nsfs selinuxfs squashfs fuse.portal fuse.gvfsd-fuse ramfs") {
		pseudo[k] = true
	}
}

// fileSystems says how full each file system is, once each.
func (m *Machine) fileSystems(s *section) {
	all, err := m.mounts()
	if err != nil {
		s.missing("file systems", err)
		return
	}
	seen, top := map[string]bool{}, map[string]int{}
	for i, f := range all {
		top[f.point] = i // what was mounted there before is covered
	}
	for i, f := range all {
		if pseudo[f.kind] || seen[f.device] || top[f.point] != i {
			continue
		}
		seen[f.device] = true
		st, err := statfs(m.at(f.point))
		switch {
		case err != nil:
			s.missing(f.point, err)
		case st.Blocks > 0:
			p := spaceOf(st)
			p.fixed = strings.HasPrefix(f.options, "ro") || strings.HasPrefix(f.super, "ro")
			s.space(f.point, f.kind+" on "+f.source, p)
		}
	}
}

// spaceOf counts as df(1) does.
func spaceOf(st unix.Statfs_t) space {
	b := uint64(st.Frsize)
	if b == 0 {
		b = uint64(st.Bsize)
	}
	return space{
		total: st.Blocks * b, used: (st.Blocks - st.Bfree) * b, avail: st.Bavail * b,
		inodes: st.Files, inodesUsed: st.Files - min(st.Ffree, st.Files),
	}
}

var errHangs = errors.New("it does not answer")

// statfs asks a file system, but not for ever. One that hangs keeps a thread until it answers.
func statfs(point string) (unix.Statfs_t, error) {
	type answer struct {
		st  unix.Statfs_t
		err error
	}
	got := make(chan answer, 1)
	go func() {
		var a answer
		a.err = unix.Statfs(point, &a.st)
		got <- a
	}()
	select {
	case a := <-got:
		return a.st, a.err
	case <-time.After(statfsLimit):
		return unix.Statfs_t{}, errHangs
	}
}

func mounts(_ context.Context, m *Machine, s *section) {
	all, err := m.mounts()
	if err != nil {
		s.missing("mounts", err)
		return
	}
	for _, f := range all {
		what := f.kind + " on " + f.source + ", " + f.options
		if f.root != "/" {
			what += ", from " + f.root
		}
		s.text(f.point, what)
		if strings.HasPrefix(f.options, "rw") && strings.HasPrefix(f.super, "ro") && !pseudo[f.kind] {
			s.find(diag.Finding{
				ID: "mount.readonly", Category: diag.Mounts, Subject: f.point, Severity: diag.Bad,
				Evidence: "meant to be written, but the file system has become read-only", Advice: "the event log says which error made it so; save what is on it",
			})
		}
	}
	for _, dir := range m.glob("/sys/fs/ext4/*/errors_count") {
		n, _ := m.number(dir)
		s.find(diag.ReadOnly(filepath.Base(filepath.Dir(dir)), uint64(n)))
	}
}
