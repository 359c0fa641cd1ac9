package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assist/diag"
)

func packages(ctx context.Context, m *Machine, s *section) {
	known := false
	for _, p := range []struct {
		file string
		read func(context.Context, *Machine, *section) (waiting, error)
	}{
		{"/var/lib/dpkg/status", dpkg},
		{"/lib/apk/db/installed", apk},
		{"/var/lib/pacman/local", pacman},
		{"/var/lib/rpm", rpm},
		{"/usr/lib/sysimage/rpm", rpm},
	} {
		if _, err := os.Stat(m.at(p.file)); err != nil || known {
			continue
		}
		known = true
		w, err := p.read(ctx, m, s)
		if err != nil {
			s.missing("waiting updates", err)
			continue
		}
		s.updates(w)
	}
	if !known {
		s.note("packages: no package system that is known here (dpkg, rpm, apk, pacman)")
	}
	why := m.restartDue()
	s.text("restart needed", map[bool]string{true: "no", false: strings.Join(why, "; ")}[len(why) == 0])
	s.find(diag.Reboot(why))
}

// waiting is the updates that a package system knows of.
type waiting struct {
	names    []string // with the version to come
	security int
	listed   time.Time // when the lists were fetched; zero: it does not say
}

func (s *section) updates(w waiting) {
	s.num("waiting updates", float64(len(w.names)), diag.Count)
	if w.security > 0 {
		s.num("of them for security", float64(w.security), diag.Count)
	}
	if !w.listed.IsZero() {
		s.text("lists fetched", diag.Ago(s.now, w.listed))
	}
	s.under("updates", "", func() {
		for _, n := range w.names[:min(len(w.names), 100)] {
			name, version, _ := strings.Cut(n, " ")
			s.text(name, version)
		}
	})
	s.find(diag.Updates(len(w.names), w.security, w.listed, s.now))
}

// dpkg compares what is installed with the lists that apt has fetched, which is what `apt list --upgradable` does, without
// its solver. Suites that are not installed from by themselves (backports) are left out.
func dpkg(ctx context.Context, m *Machine, s *section) (w waiting, err error) {
	f, err := os.Open(m.at("/var/lib/dpkg/status"))
	if err != nil {
		return w, err
	}
	defer f.Close()
	have, broken := map[string]string{}, []string(nil)
	err = stanzas(f, func(p map[string]string) {
		switch st := p["Status"]; {
		case strings.HasSuffix(st, " installed"):
			have[p["Package"]+":"+p["Architecture"]] = p["Version"]
		case !strings.HasSuffix(st, " config-files") && !strings.HasSuffix(st, " not-installed"):
			broken = append(broken, p["Package"]+" ("+st+")")
		}
	})
	if err != nil {
		return w, err
	}
	s.num("installed", float64(len(have)), diag.Count)
	for _, b := range broken {
		s.find(diag.Finding{ID: "packages.broken", Category: diag.Packages, Subject: b, Severity: diag.Warn, Evidence: "it is only half installed", Advice: "dpkg --configure -a, then apt-get -f install"})
	}
	lists := m.glob("/var/lib/apt/lists/*_Packages*")
	if len(lists) == 0 {
		return w, errors.New("apt has fetched no lists (apt-get update)")
	}
	newer, secure := map[string]string{}, map[string]bool{}
	for _, list := range lists {
		if m.byHand(list) {
			continue
		}
		if fi, err := os.Stat(m.at(list)); err == nil && fi.ModTime().After(w.listed) {
			w.listed = fi.ModTime()
		}
		err = errors.Join(err, m.newer(ctx, list, have, func(name, version string) {
			if newer[name] == "" || compareDebian(version, newer[name]) > 0 {
				newer[name] = version
			}
			secure[name] = secure[name] || strings.Contains(list, "security")
		}))
	}
	if fi, err := os.Stat(m.at("/var/lib/apt/periodic/update-success-stamp")); err == nil && fi.ModTime().After(w.listed) {
		w.listed = fi.ModTime()
	}
	for name, version := range newer {
		short, _, _ := strings.Cut(name, ":")
		w.names = append(w.names, short+" "+version)
		if secure[name] {
			w.security++
		}
	}
	slices.Sort(w.names)
	return w, err
}

// byHand says whether a list belongs to a suite from which nothing is installed unless it is asked for.
func (m *Machine) byHand(list string) bool {
	suite, _, ok := strings.Cut(list, "_dists_")
	if !ok {
		return false
	}
	rest := strings.SplitN(strings.TrimPrefix(list, suite+"_dists_"), "_", 2)
	for _, name := range []string{"_InRelease", "_Release"} {
		f, err := os.Open(m.at(suite + "_dists_" + rest[0] + name))
		if err != nil {
			continue
		}
		defer f.Close()
		head, _ := io.ReadAll(io.LimitReader(f, 4<<10))
		return strings.Contains(string(head), "\nNotAutomatic: yes")
	}
	return false
}

// newer tells of packages in a list that are newer than those installed.
func (m *Machine) newer(ctx context.Context, list string, have map[string]string, tell func(name, version string)) error {
	each := func(p map[string]string) {
		name := p["Package"] + ":" + p["Architecture"]
		if v, installed := have[name]; installed && compareDebian(p["Version"], v) > 0 {
			tell(name, p["Version"])
		}
	}
	if strings.HasSuffix(list, "_Packages") {
		f, err := os.Open(m.at(list))
		if err != nil {
			return err
		}
		defer f.Close()
		return stanzas(f, each)
	}
	cmd, err := command(ctx, "/usr/lib/apt/apt-helper", "cat-file", m.at(list)) // the lists are kept compressed
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = stanzas(out, each)
	if ctx.Err() != nil {
		err = fmt.Errorf("%s could not be read in time", filepath.Base(list))
	}
	return errors.Join(err, cmd.Wait())
}

// wanted are the fields of a stanza that are kept.
var wanted = map[string]bool{"Package": true, "Version": true, "Architecture": true, "Status": true}

// stanzas reads deb822 paragraphs: deb-control(5).
func stanzas(r io.Reader, each func(map[string]string)) error {
	lines := bufio.NewReaderSize(r, 256<<10)
	p := map[string]string{}
	done := func() {
		if p["Package"] != "" {
			each(p)
		}
		clear(p)
	}
	for {
		line, err := lines.ReadSlice('\n')
		for err == bufio.ErrBufferFull { // a field of a quarter of a megabyte is none of ours
			_, err = lines.ReadSlice('\n')
		}
		if len(line) > 1 && line[0] != ' ' && line[0] >= 'A' && line[0] <= 'V' {
			if i := slices.Index(line[:min(len(line), 16)], ':'); i > 0 && wanted[string(line[:i])] {
				p[string(line[:i])] = strings.TrimSpace(string(line[i+1:]))
			}
		}
		if len(line) == 1 {
			done()
		}
		if err != nil {
			done()
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}
