//go:build !linux

package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shirou/gopsutil/v4/process"

	"assist/diag"
)

const topProcesses = 12

// processesBasics lists what gopsutil tells of processes. Command lines are left out: those hold passwords.
func processesBasics(ctx context.Context, _ *Machine, s *section) {
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		s.missing("processes", err)
		return
	}
	type row struct {
		name   string
		pid    int32
		use    float64
		memory uint64
	}
	var rows []row
	zombies := 0
	for _, p := range all {
		if ctx.Err() != nil {
			s.note("not all processes could be read in time")
			break
		}
		r := row{pid: p.Pid}
		r.name, _ = p.NameWithContext(ctx)
		r.use, _ = p.CPUPercentWithContext(ctx)
		if mem, err := p.MemoryInfoWithContext(ctx); err == nil && mem != nil {
			r.memory = mem.RSS
		}
		if st, err := p.StatusWithContext(ctx); err == nil && slices.Contains(st, process.Zombie) {
			zombies++
		}
		rows = append(rows, r)
	}
	s.num("processes", float64(len(all)), diag.Count)
	list := func(what string, by func(row) float64, say func(row) string) {
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(by(b), by(a)) })
		s.under(what, "", func() {
			for _, r := range rows[:min(topProcesses, len(rows))] {
				s.text(r.name, fmt.Sprintf("%s, pid %d", say(r), r.pid))
			}
		})
	}
	list("most CPU since its start", func(r row) float64 { return r.use }, func(r row) string { return diag.Percent.Format(r.use) })
	list("most memory", func(r row) float64 { return float64(r.memory) }, func(r row) string { return diag.Size(float64(r.memory)) })
	s.find(diag.Zombies(zombies, "see the list"))
}
