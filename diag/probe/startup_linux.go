package probe

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

func startup(ctx context.Context, m *Machine, s *section) {
	if m.systemd() {
		m.enabled(ctx, s)
		m.timers(ctx, s)
	} else {
		s.note("enabled units and timers: " + errNoSystemd.Error())
	}
	m.cron(s)
	s.under("started with the desktop", "", func() {
		for _, dir := range m.autostart() {
			for _, name := range m.list(dir) {
				if strings.HasSuffix(name, ".desktop") {
					s.text(strings.TrimSuffix(name, ".desktop"), dir)
				}
			}
		}
	})
	s.under("started by rc scripts", "", func() {
		for _, link := range m.glob("/etc/rc[2S].d/S*") {
			s.text(filepath.Base(link), filepath.Dir(link))
		}
		if m.word("/etc/rc.local") != "" {
			s.text("rc.local", "/etc")
		}
	})
}

func (m *Machine) enabled(ctx context.Context, s *section) {
	text, err := ask(ctx, "systemctl", "list-unit-files", "--state=enabled", "--no-legend", "--plain", "--no-pager")
	if err != nil && !quiet(err) {
		s.missing("enabled units", err)
	}
	s.under("enabled units", "", func() {
		for _, line := range splitLines(text) {
			if f := strings.Fields(line); len(f) > 0 {
				s.text(f[0], "enabled")
			}
		}
	})
}

func (m *Machine) timers(ctx context.Context, s *section) {
	text, err := ask(ctx, "systemctl", "show", "*.timer", "--no-pager", "--property=Id,Unit,ActiveState,NextElapseUSecRealtime,LastTriggerUSec")
	if err != nil && !quiet(err) {
		s.missing("timers", err)
	}
	s.under("timers", "", func() {
		for _, u := range parseUnits(text) {
			next, last := u["NextElapseUSecRealtime"], u["LastTriggerUSec"]
			if next == "" {
				next = "not set"
			}
			if last == "" {
				last = "never"
			}
			s.text(u["Id"], u["ActiveState"]+", starts "+u["Unit"]+", next "+next+", last "+last)
		}
	})
}

// cron lists the jobs by file and time. What they run is left out: those lines hold passwords.
func (m *Machine) cron(s *section) {
	s.under("cron", "", func() {
		tables := append([]string{"/etc/crontab"}, m.glob("/etc/cron.d/*")...)
		const people = "/var/spool/cron/crontabs"
		if _, err := os.ReadDir(m.at(people)); err != nil && !os.IsNotExist(err) {
			s.missing("cron tables of users", err)
		}
		tables = append(tables, m.glob(people+"/*")...)
		for _, path := range tables {
			if n := jobs(m.lines(path)); n > 0 {
				s.text(path, itoa(n)+" jobs")
			}
		}
		for _, when := range []string{"hourly", "daily", "weekly", "monthly"} {
			var names []string
			for _, name := range m.list("/etc/cron." + when) {
				if !strings.HasPrefix(name, ".") {
					names = append(names, name)
				}
			}
			s.text("/etc/cron."+when, strings.Join(names, ", "))
		}
	})
}

// jobs counts the lines of a table that start something.
func jobs(lines []string) (n int) {
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line != "" && strings.IndexByte("0123456789*@", line[0]) >= 0 && len(strings.Fields(line)) > 1 {
			n++
		}
	}
	return n
}

func (m *Machine) autostart() []string {
	dirs := []string{"/etc/xdg/autostart"}
	if home, err := os.UserHomeDir(); err == nil && m.Root == "" {
		dirs = append(dirs, filepath.Join(home, ".config", "autostart"))
	}
	return dirs
}
