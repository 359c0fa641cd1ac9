package probe

import (
	"context"
	"strings"

	"assist/diag"
)

func memory(ctx context.Context, m *Machine, s *section) {
	text, err := m.read("/proc/meminfo")
	if err != nil {
		s.missing("memory", err)
		return
	}
	k := parseKeys(text, ":")
	total, avail := k["MemTotal"], k["MemAvailable"]
	s.num("total", total, diag.Bytes)
	s.num("used", total-avail, diag.Bytes)
	s.num("free", k["MemFree"], diag.Bytes)
	s.num("shared", k["Shmem"], diag.Bytes)
	s.num("buffers and cache", k["Buffers"]+k["Cached"]+k["SReclaimable"], diag.Bytes)
	s.num("available", avail, diag.Bytes)
	s.num("use", percent(total-avail, total), diag.Percent)
	s.num("waits to be written", k["Dirty"]+k["Writeback"], diag.Bytes)
	s.num("promised to programs", k["Committed_AS"], diag.Bytes)
	s.num("of the kernel", k["Slab"]+k["KernelStack"]+k["PageTables"], diag.Bytes)
	if k["HugePages_Total"] > 0 {
		s.num("huge pages", k["HugePages_Total"], diag.Count)
	}
	s.find(diag.MemoryLeft(uint64(total), uint64(avail)))
	m.swap(ctx, s, k["SwapTotal"], k["SwapTotal"]-k["SwapFree"])
	m.bitErrors(s)
}

// swap says how full swap is, and whether memory moves there and back just now.
func (m *Machine) swap(ctx context.Context, s *section, total, used float64) {
	s.num("swap total", total, diag.Bytes)
	s.num("swap used", used, diag.Bytes)
	for _, line := range m.lines("/proc/swaps")[min(1, len(m.lines("/proc/swaps"))):] {
		if f := strings.Fields(line); len(f) >= 4 {
			s.text("swap on "+f[0], f[1]+", "+diag.Size(1024*decimal(f[2]))+", used "+diag.Size(1024*decimal(f[3])))
		}
	}
	before := m.counters()
	if !sleep(ctx, window) {
		return
	}
	after := m.counters()
	moving := (after["pswpin"] + after["pswpout"] - before["pswpin"] - before["pswpout"]) / window.Seconds()
	s.find(diag.SwapUse(uint64(total), uint64(used), moving))
	s.num("programs ended for want of memory", after["oom_kill"], diag.Count)
	s.find(diag.Killed(uint64(after["oom_kill"])))
}

// counters is /proc/vmstat.
func (m *Machine) counters() map[string]float64 {
	text, _ := m.read("/proc/vmstat")
	return parseKeys(text, " ")
}

// bitErrors reads what memory with error correction has counted.
func (m *Machine) bitErrors(s *section) {
	var mended, lost float64
	modules := m.glob("/sys/devices/system/edac/mc/mc*")
	for _, mc := range modules {
		ce, _ := m.number(mc + "/ce_count")
		ue, _ := m.number(mc + "/ue_count")
		mended, lost = mended+ce, lost+ue
	}
	if len(modules) > 0 {
		s.num("bit errors mended", mended, diag.Count)
		s.num("bit errors lost", lost, diag.Count)
	}
}

// parseKeys reads lines of a name and a number; numbers in kB become bytes.
func parseKeys(text, sep string) map[string]float64 {
	out := map[string]float64{}
	for _, line := range splitLines(text) {
		k, v, ok := strings.Cut(line, sep)
		f := strings.Fields(v)
		if !ok || len(f) == 0 {
			continue
		}
		n := decimal(f[0])
		if len(f) > 1 && f[1] == "kB" {
			n *= 1024
		}
		out[k] = n
	}
	return out
}
