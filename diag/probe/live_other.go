//go:build !linux

package probe

import (
	"context"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"
)

// tally takes what gopsutil gives; what it does not stays 0.
func (m *Machine) tally(ctx context.Context) (tally, error) {
	t := tally{at: m.now()}
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return t, err
	}
	for _, c := range times {
		t.all, t.busy = t.all+total(c), t.busy+total(c)-c.Idle-c.Iowait
	}
	if avg, err := load.AvgWithContext(ctx); err == nil {
		t.load = avg.Load1
	}
	if v, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		t.memory = v.UsedPercent
	}
	if v, err := mem.SwapMemoryWithContext(ctx); err == nil {
		t.swap = v.UsedPercent
	}
	if disks, err := disk.IOCountersWithContext(ctx); err == nil {
		for _, d := range disks {
			t.read, t.written = t.read+float64(d.ReadBytes), t.written+float64(d.WriteBytes)
		}
	}
	if all, err := net.IOCountersWithContext(ctx, false); err == nil {
		for _, n := range all {
			t.received, t.transmitted = t.received+float64(n.BytesRecv), t.transmitted+float64(n.BytesSent)
		}
	}
	return t, nil
}
