package probe

import (
	"context"
	"os"
	"slices"
	"strings"

	"assist/diag"
)

// apk is Alpine's.
func apk(ctx context.Context, m *Machine, s *section) (w waiting, err error) {
	n := 0
	for _, line := range m.lines("/lib/apk/db/installed") {
		if strings.HasPrefix(line, "P:") {
			n++
		}
	}
	s.num("installed", float64(n), diag.Count)
	text, err := ask(ctx, "apk", "version", "--no-network", "-l", "<")
	for _, line := range splitLines(text) {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "<" {
			w.names = append(w.names, f[0]+" "+f[2])
		}
	}
	return w, err
}

// pacman is Arch's. It compares with the lists that were fetched last.
func pacman(ctx context.Context, m *Machine, s *section) (w waiting, err error) {
	s.num("installed", float64(len(m.list("/var/lib/pacman/local"))), diag.Count)
	for _, db := range m.glob("/var/lib/pacman/sync/*.db") {
		if fi, err := os.Stat(m.at(db)); err == nil && fi.ModTime().After(w.listed) {
			w.listed = fi.ModTime()
		}
	}
	text, err := ask(ctx, "pacman", "-Qu")
	for _, line := range splitLines(text) { // name old -> new
		if f := strings.Fields(line); len(f) >= 4 && f[2] == "->" {
			w.names = append(w.names, f[0]+" "+f[3])
		}
	}
	if text == "" { // it exits with 1 when nothing waits
		err = nil
	}
	return w, err
}

// rpm is that of Fedora, Red Hat and SUSE, asked by dnf from what it has fetched already.
func rpm(ctx context.Context, _ *Machine, s *section) (w waiting, err error) {
	if text, err := ask(ctx, "rpm", "-qa", "--qf", "%{NAME}\n"); err == nil {
		s.num("installed", float64(len(splitLines(text))), diag.Count)
	} else {
		s.missing("installed", err)
	}
	text, err := ask(ctx, "dnf", "-q", "-C", "check-update") // 100: updates wait
	w.names = parseDnf(text)
	if len(w.names) > 0 {
		err = nil
	}
	if advice, failed := ask(ctx, "dnf", "-q", "-C", "updateinfo", "list", "--security"); failed == nil {
		w.security = min(len(splitLines(advice)), len(w.names))
	}
	return w, err
}

// parseDnf reads lines of "name.arch version repository"; what comes after an empty line obsoletes.
func parseDnf(text string) (out []string) {
	for _, line := range splitLines(strings.TrimLeft(text, "\n")) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "Obsoleting") {
			break
		}
		if len(f) == 3 && !strings.HasPrefix(line, " ") {
			name, _, _ := strings.Cut(f[0], ".")
			out = append(out, name+" "+f[1])
		}
	}
	return out
}

// restartDue lists why the machine should be restarted.
func (m *Machine) restartDue() (why []string) {
	for _, flag := range []string{"/run/reboot-required", "/var/run/reboot-required"} {
		if _, err := os.Stat(m.at(flag)); err == nil {
			pkgs := m.lines(flag + ".pkgs")
			slices.Sort(pkgs)
			reason := "an update asks for it"
			if pkgs = slices.Compact(pkgs); len(pkgs) > 0 {
				reason = "updates of " + strings.Join(pkgs[:min(len(pkgs), 8)], ", ") + " ask for it"
			}
			why = append(why, reason)
			break
		}
	}
	if newest := m.newestKernel(); newest != "" {
		if runs := m.word("/proc/sys/kernel/osrelease"); compareDebian(newest, runs) > 0 {
			why = append(why, "kernel "+newest+" is installed, "+runs+" runs")
		}
	}
	return why
}

// newestKernel is the newest in /lib/modules of the kind that runs, empty where that does not hold the one that runs.
func (m *Machine) newestKernel() (newest string) {
	runs := m.word("/proc/sys/kernel/osrelease")
	kind := runs[strings.LastIndexByte(runs, '-')+1:]
	all := m.list("/lib/modules")
	if !slices.Contains(all, runs) {
		return ""
	}
	for _, v := range all {
		if v[strings.LastIndexByte(v, '-')+1:] == kind && (newest == "" || compareDebian(v, newest) > 0) {
			newest = v
		}
	}
	return newest
}
