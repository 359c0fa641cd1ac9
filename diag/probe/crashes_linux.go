package probe

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"assist/diag"
)

// dumpPlaces is where systems keep what is left of a crash.
var dumpPlaces = []struct{ dir, what string }{
	{"/var/lib/systemd/coredump", "core dumps of systemd"},
	{"/var/crash", "crashes kept by apport or kdump"},
	{"/var/spool/abrt", "crashes kept by abrt"},
	{"/sys/fs/pstore", "what the kernel kept of a panic"},
	{"/var/lib/systemd/pstore", "what the kernel kept of a panic"},
}

func crashes(_ context.Context, m *Machine, s *section) {
	s.text("core pattern", m.word("/proc/sys/kernel/core_pattern"))
	recent, newest, newestAt := 0, "", time.Time{}
	for _, p := range dumpPlaces {
		entries, err := os.ReadDir(m.at(p.dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			s.missing(p.dir, err)
			continue
		}
		type dump struct {
			name string
			at   time.Time
			size int64
		}
		var all []dump
		for _, e := range entries[:min(len(entries), maxListed)] {
			fi, err := e.Info()
			if err != nil || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".lock") {
				continue
			}
			all = append(all, dump{e.Name(), fi.ModTime(), fi.Size()})
			if s.now.Sub(fi.ModTime()) < 7*24*time.Hour {
				recent++
			}
			if fi.ModTime().After(newestAt) {
				newest, newestAt = e.Name(), fi.ModTime()
			}
		}
		slices.SortFunc(all, func(a, b dump) int { return b.at.Compare(a.at) })
		s.under(p.dir, p.what+": "+itoa(len(all)), func() {
			for _, d := range all[:min(len(all), 20)] {
				s.text(d.name, d.at.Format("2006-01-02 15:04")+", "+diag.Size(float64(d.size)))
			}
		})
	}
	s.num("in the last week", float64(recent), diag.Count)
	s.find(diag.Dumps(recent, newest))
}
