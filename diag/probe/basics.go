package probe

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/net"

	"assist/diag"
)

// This file holds what gopsutil tells on every system.

func identityBasics(ctx context.Context, s *section) {
	sys := System()
	s.text("host", sys.Host)
	s.text("system", sys.OS)
	s.text("kernel", sys.Kernel)
	s.text("architecture", sys.Arch)
	info, err := host.InfoWithContext(ctx)
	if err != nil {
		s.missing("uptime", err)
		return
	}
	if sys.Kernel == "" {
		s.text("kernel", info.KernelVersion)
	}
	s.num("uptime", float64(info.Uptime), diag.Seconds)
	s.text("started", stamp(int64(info.BootTime)))
	s.num("processes", float64(info.Procs), diag.Count)
}

func identityUsers(ctx context.Context, s *section) {
	users, err := host.UsersWithContext(ctx)
	if err != nil {
		s.missing("users who are logged in", err)
		return
	}
	if len(users) == 0 {
		s.text("users logged in", "nobody")
		return
	}
	s.under("users logged in", "", func() {
		for _, u := range users {
			from := ""
			if u.Host != "" {
				from = " from " + u.Host
			}
			s.text(u.User, u.Terminal+from+", since "+stamp(int64(u.Started)))
		}
	})
}

func loadBasics(ctx context.Context, s *section) {
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		s.missing("load", err)
		return
	}
	s.under("load average", "", func() {
		s.num("1 minute", avg.Load1, diag.Ratio)
		s.num("5 minutes", avg.Load5, diag.Ratio)
		s.num("15 minutes", avg.Load15, diag.Ratio)
	})
	s.find(diag.LoadOf(avg.Load5, runtime.NumCPU()))
}

func cpuBasics(ctx context.Context, s *section) {
	infos, err := cpu.InfoWithContext(ctx)
	if err != nil {
		s.missing("model", err)
	}
	if len(infos) > 0 {
		s.text("model", strings.Join(strings.Fields(infos[0].ModelName), " "))
		s.num("clock", infos[0].Mhz*1e6, diag.Hertz)
	}
	if n, err := cpu.CountsWithContext(ctx, false); err == nil {
		s.num("cores", float64(n), diag.Count)
	}
	if n, err := cpu.CountsWithContext(ctx, true); err == nil {
		s.num("threads", float64(n), diag.Count)
	}
}

// cpuUse says how busy the processors are, all and each, over window.
func cpuUse(ctx context.Context, s *section) {
	before, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		s.missing("use", err)
		return
	}
	if !sleep(ctx, window) {
		return
	}
	after, err := cpu.TimesWithContext(ctx, true)
	if err != nil || len(after) != len(before) {
		s.missing("use", errors.Join(err, errors.New("processors came or went meanwhile")))
		return
	}
	var all, wait, stolen, idle float64
	each := make([]float64, len(after))
	for i, a := range after {
		b := before[i]
		sum := total(a) - total(b)
		all, idle = all+sum, idle+a.Idle-b.Idle
		wait, stolen = wait+a.Iowait-b.Iowait, stolen+a.Steal-b.Steal
		each[i] = percent(sum-(a.Idle-b.Idle)-(a.Iowait-b.Iowait), sum)
	}
	s.num("use", percent(all-idle-wait, all), diag.Percent)
	s.num("waits for disks", percent(wait, all), diag.Percent)
	if stolen > 0 {
		s.num("taken by the hypervisor", percent(stolen, all), diag.Percent)
	}
	if len(each) > 1 {
		s.under("each", "", func() {
			for i, p := range each {
				s.num("cpu "+itoa(i), p, diag.Percent)
			}
		})
	}
}

// total is all time of a processor; guests are counted as user already.
func total(t cpu.TimesStat) float64 {
	return t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
}

func percent(part, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return max(0, min(100, 100*part/of))
}

func interfaces(ctx context.Context, s *section) {
	all, err := net.InterfacesWithContext(ctx)
	if err != nil {
		s.missing("interfaces", err)
		return
	}
	count := map[string]net.IOCountersStat{}
	if io, err := net.IOCountersWithContext(ctx, true); err == nil {
		for _, c := range io {
			count[c.Name] = c
		}
	}
	for _, i := range all {
		s.under("interface "+i.Name, strings.Join(i.Flags, ", "), func() {
			for _, a := range i.Addrs {
				s.text("address", a.Addr)
			}
			s.text("hardware", i.HardwareAddr)
			s.num("mtu", float64(i.MTU), diag.Count)
			if c, ok := count[i.Name]; ok {
				s.num("received", float64(c.BytesRecv), diag.Bytes)
				s.num("sent", float64(c.BytesSent), diag.Bytes)
				if c.Errin+c.Errout+c.Dropin+c.Dropout > 0 {
					s.num("errors", float64(c.Errin+c.Errout), diag.Count)
					s.num("dropped", float64(c.Dropin+c.Dropout), diag.Count)
				}
			}
		})
	}
}

// space is how full a file system is. used and avail leave out what is kept for root, as df does.
type space struct {
	total, used, avail, inodes, inodesUsed uint64
	fixed                                  bool // it cannot be written: full is what it always is
}

// space adds a file system with its findings.
func (s *section) space(mount, what string, p space) {
	s.under(mount, what, func() {
		s.num("size", float64(p.total), diag.Bytes)
		s.num("used", float64(p.used), diag.Bytes)
		s.num("available", float64(p.avail), diag.Bytes)
		if p.used+p.avail > 0 {
			s.num("use", 100*float64(p.used)/float64(p.used+p.avail), diag.Percent)
		}
		if p.inodes > 0 {
			s.num("inodes", float64(p.inodes), diag.Count)
			s.num("inodes used", float64(p.inodesUsed), diag.Count)
			s.num("inode use", 100*float64(p.inodesUsed)/float64(p.inodes), diag.Percent)
		}
	})
	if p.used+p.avail > 0 && !p.fixed {
		s.find(diag.Space(mount, p.used, p.avail))
	}
	if p.inodes > 0 && !p.fixed {
		s.find(diag.Inodes(mount, p.inodesUsed, p.inodes))
	}
}
