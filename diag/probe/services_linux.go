package probe

import (
	"context"
	"errors"
	"os"
	"strings"

	"assist/diag"
)

// maxRestarts is how often a unit may have started by itself before somebody should look.
const maxRestarts = 3

var errNoSystemd = errors.New("systemd does not run here")

// systemd says whether it is what runs this machine: sd_booted(3).
func (m *Machine) systemd() bool {
	fi, err := os.Stat(m.at("/run/systemd/system"))
	return err == nil && fi.IsDir()
}

// unit is what `systemctl show` says of one.
type unit map[string]string

func services(ctx context.Context, m *Machine, s *section) {
	if !m.systemd() {
		m.otherInit(s)
		return
	}
	text, err := ask(ctx, "systemctl", "show", "*", "--no-pager", "--all", "--property=Id,Description,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,StateChangeTimestamp")
	units := parseUnits(text)
	if len(units) == 0 {
		s.missing("units", errors.Join(err, errors.New("systemctl told of no unit")))
		return
	}
	s.units(units)
	masked, err := ask(ctx, "systemctl", "list-unit-files", "--state=masked", "--no-legend", "--plain", "--no-pager")
	if err != nil && !quiet(err) {
		s.missing("masked units", err)
	}
	s.under("masked", "", func() {
		for _, line := range splitLines(masked) {
			if f := strings.Fields(line); len(f) > 0 {
				s.text(f[0], "cannot be started")
			}
		}
	})
	s.under("running services", "", func() {
		for _, u := range units {
			if strings.HasSuffix(u["Id"], ".service") && u["SubState"] == "running" {
				s.text(u["Id"], u["Description"])
			}
		}
	})
}

// units says which units do not run as they should.
func (s *section) units(units []unit) {
	count := map[string]float64{}
	var failed, again []unit
	for _, u := range units {
		if u["LoadState"] == "loaded" {
			count[u["ActiveState"]]++
		}
		if u["ActiveState"] == "failed" {
			failed = append(failed, u)
		}
		if u["SubState"] == "auto-restart" || whole(u["NRestarts"]) >= maxRestarts {
			again = append(again, u)
		}
	}
	for _, state := range []string{"active", "inactive", "activating", "deactivating", "failed"} {
		s.num(state, count[state], diag.Count)
	}
	s.under("failed units", "", func() {
		for _, u := range failed {
			why := "failed: " + u["Result"]
			if u["Result"] == "exit-code" {
				why = "failed: it ended with status " + u["ExecMainStatus"]
			}
			if at := u["StateChangeTimestamp"]; at != "" {
				why += ", " + at
			}
			s.text(u["Id"], why)
			s.find(diag.Failed(u["Id"], why))
		}
	})
	s.under("restarted by themselves", "", func() {
		for _, u := range again {
			s.num(u["Id"], float64(whole(u["NRestarts"])), diag.Count)
			s.find(diag.Restarting(u["Id"], whole(u["NRestarts"]), u["SubState"] == "auto-restart"))
		}
	})
	if len(failed) == 0 {
		s.find(diag.Finding{ID: "service.failed", Category: diag.Services, Evidence: "no unit has failed"})
	}
}

// parseUnits reads blocks of NAME=VALUE with empty lines between them.
func parseUnits(text string) (out []unit) {
	for _, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		u := unit{}
		for _, line := range splitLines(block) {
			if k, v, ok := strings.Cut(line, "="); ok {
				u[k] = v
			}
		}
		if u["Id"] != "" {
			out = append(out, u)
		}
	}
	return out
}

// otherInit says what is known of services where something else starts them.
func (m *Machine) otherInit(s *section) {
	s.note("units: " + errNoSystemd.Error())
	s.text("started by", m.word("/proc/1/comm"))
	s.under("scripts in /etc/init.d", "", func() {
		for _, name := range m.list("/etc/init.d") {
			if name != "README" && !strings.HasPrefix(name, ".") {
				s.text(name, "there")
			}
		}
	})
	s.under("runit and s6", "", func() {
		for _, dir := range []string{"/etc/service", "/var/service", "/run/service"} {
			for _, name := range m.list(dir) {
				s.text(name, strings.TrimSpace(m.word(dir+"/"+name+"/supervise/stat")+" in "+dir))
			}
		}
	})
}
