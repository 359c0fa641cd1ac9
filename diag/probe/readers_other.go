//go:build !linux

package probe

import (
	"context"

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
