//go:build !linux

package probe

import (
	"context"
	"strings"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"

	"assist/diag"
)

// readers is what gopsutil gives on this system; the other categories say so.
var readers = map[diag.ID]reader{
	diag.Identity: func(ctx context.Context, _ *Machine, s *section) {
		identityBasics(ctx, s)
		identityUsers(ctx, s)
	},
	diag.Load: func(ctx context.Context, _ *Machine, s *section) { loadBasics(ctx, s) },
	diag.CPU: func(ctx context.Context, _ *Machine, s *section) {
		cpuBasics(ctx, s)
		cpuUse(ctx, s)
	},
	diag.Memory:    func(ctx context.Context, _ *Machine, s *section) { memoryBasics(ctx, s) },
	diag.Disks:     disksBasics,
	diag.Mounts:    mountsBasics,
	diag.Network:   func(ctx context.Context, _ *Machine, s *section) { interfaces(ctx, s); sockets(ctx, s) },
	diag.Processes: processesBasics,
}

func memoryBasics(ctx context.Context, s *section) {
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		s.missing("memory", err)
		return
	}
	s.num("total", float64(v.Total), diag.Bytes)
	s.num("available", float64(v.Available), diag.Bytes)
	s.num("free", float64(v.Free), diag.Bytes)
	s.num("use", 100*float64(v.Total-min(v.Available, v.Total))/float64(max(v.Total, 1)), diag.Percent)
	s.find(diag.MemoryLeft(v.Total, v.Available))
	if swap, err := mem.SwapMemoryWithContext(ctx); err == nil {
		s.num("swap total", float64(swap.Total), diag.Bytes)
		s.num("swap used", float64(swap.Used), diag.Bytes)
	}
}

func disksBasics(ctx context.Context, _ *Machine, s *section) {
	parts, err := disk.PartitionsWithContext(ctx, false)
	if err != nil {
		s.missing("disks", err)
		return
	}
	for _, p := range parts {
		use, err := disk.UsageWithContext(ctx, p.Mountpoint)
		if err != nil {
			s.missing(p.Mountpoint, err)
			continue
		}
		s.space(p.Mountpoint, p.Fstype+" on "+p.Device, space{
			total: use.Total, used: use.Used, avail: use.Free, inodes: use.InodesTotal, inodesUsed: use.InodesUsed,
		})
	}
}

func mountsBasics(ctx context.Context, _ *Machine, s *section) {
	parts, err := disk.PartitionsWithContext(ctx, true)
	if err != nil {
		s.missing("mounts", err)
		return
	}
	for _, p := range parts {
		s.text(p.Mountpoint, p.Device+" "+p.Fstype+" "+strings.Join(p.Opts, ","))
	}
}
