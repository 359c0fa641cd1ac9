package probe

import (
	"context"
	"path/filepath"
	"strings"

	"assist/diag"
)

func processors(ctx context.Context, m *Machine, s *section) {
	cpuBasics(ctx, s)
	s.text("governor", m.word("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
	cpuUse(ctx, s)
	m.temperatures(s)
	m.weaknesses(s)
}

// temperatures reads the sensors of hwmon, and the thermal zones where there are none.
func (m *Machine) temperatures(s *section) {
	found := 0
	add := func(name string, milli, crit float64) {
		if milli < 1000 || milli > 150000 { // a sensor that is not connected
			return
		}
		found++
		s.num("temperature "+name, milli/1000, diag.Celsius)
		s.find(diag.Hot(name, milli/1000, crit/1000))
	}
	for _, in := range m.glob("/sys/class/hwmon/hwmon*/temp*_input") {
		base := strings.TrimSuffix(in, "_input")
		name := m.word(filepath.Dir(in) + "/name")
		if label := m.word(base + "_label"); label != "" {
			name += " " + label
		}
		v, _ := m.number(in)
		crit, _ := m.number(base + "_crit")
		add(name, v, crit)
	}
	if found == 0 {
		for _, in := range m.glob("/sys/class/thermal/thermal_zone*/temp") {
			v, _ := m.number(in)
			add(m.word(filepath.Dir(in)+"/type"), v, 0)
		}
	}
	if found == 0 {
		s.note("temperatures: no sensor here")
	}
}

// weaknesses lists the flaws of the processor that nothing covers.
func (m *Machine) weaknesses(s *section) {
	const dir = "/sys/devices/system/cpu/vulnerabilities"
	var open []string
	names := m.list(dir)
	for _, name := range names {
		if strings.HasPrefix(m.word(dir+"/"+name), "Vulnerable") {
			open = append(open, name)
		}
	}
	switch {
	case len(names) == 0:
		s.note("flaws of the processor: the kernel does not list them")
	case len(open) == 0:
		s.text("flaws of the processor", "all that the kernel knows are covered")
	default:
		s.text("flaws of the processor", "not covered: "+strings.Join(open, ", "))
	}
}
