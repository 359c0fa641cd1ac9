package probe

import (
	"context"
	"strings"
)

// tally reads five small files of /proc.
func (m *Machine) tally(context.Context) (tally, error) {
	t := tally{at: m.now()}
	stat, err := m.read("/proc/stat")
	if err != nil {
		return t, err
	}
	line, _, _ := strings.Cut(stat, "\n")
	for i, f := range strings.Fields(line) {
		n := decimal(f)
		switch {
		case i == 0 || i > 8: // guests are counted as user already
		case i == 4 || i == 5: // idle, and waiting for disks
			t.all += n
		default:
			t.all, t.busy = t.all+n, t.busy+n
		}
	}
	if f := strings.Fields(m.word("/proc/loadavg")); len(f) > 0 {
		t.load = decimal(f[0])
	}
	mem := parseKeys(m.word("/proc/meminfo"), ":")
	t.memory = percent(mem["MemTotal"]-mem["MemAvailable"], mem["MemTotal"])
	t.swap = percent(mem["SwapTotal"]-mem["SwapFree"], mem["SwapTotal"])
	t.read, t.written = diskBytes(m.lines("/proc/diskstats"))
	t.received, t.transmitted = netBytes(m.lines("/proc/net/dev"))
	return t, nil
}

// diskBytes adds up whole disks: Documentation/admin-guide/iostats.rst. Partitions and what lies on other disks count once.
func diskBytes(lines []string) (read, written float64) {
	last := ""
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 10 {
			continue
		}
		name := f[2]
		if part := last != "" && strings.HasPrefix(name, last) && name != last; part {
			continue
		}
		last = name
		if strings.HasPrefix(name, "loop") || strings.HasPrefix(name, "ram") || strings.HasPrefix(name, "dm-") || strings.HasPrefix(name, "md") {
			continue
		}
		read, written = read+512*decimal(f[5]), written+512*decimal(f[9])
	}
	return read, written
}

func netBytes(lines []string) (received, sent float64) {
	for _, line := range lines {
		name, rest, ok := strings.Cut(line, ":")
		f := strings.Fields(rest)
		if !ok || len(f) < 9 || strings.TrimSpace(name) == "lo" {
			continue
		}
		received, sent = received+decimal(f[0]), sent+decimal(f[8])
	}
	return received, sent
}
