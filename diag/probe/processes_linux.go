package probe

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"syscall"

	"assist/diag"
)

// Bounds of what is listed of processes.
const (
	topProcesses  = 12
	treeProcesses = 300 // lines of the tree
	ticks         = 100 // clock ticks of /proc a second: USER_HZ, fixed for all of Linux' systems that this runs on
)

// proc is one process. Its command line is left out: those hold passwords.
type proc struct {
	pid, parent int
	name        string
	state       byte
	cpu         float64 // ticks it had
	use         float64 // percent of one processor, over window
	memory      uint64  // bytes that are its own or shared, in memory
	user        string
}

func processes(ctx context.Context, m *Machine, s *section) {
	before := map[int]proc{}
	for _, p := range m.processes() {
		before[p.pid] = p
	}
	if !sleep(ctx, window) {
		return
	}
	now := m.processes()
	if len(now) == 0 {
		s.note("processes: /proc shows none")
		return
	}
	names := map[string]string{}
	var stuck []string
	for i := range now {
		p := &now[i]
		p.user = m.owner(p.pid, names)
		if old, was := before[p.pid]; was && p.cpu >= old.cpu {
			p.use = (p.cpu - old.cpu) / ticks / window.Seconds() * 100
			if p.state == 'D' && old.state == 'D' && p.cpu == old.cpu {
				stuck = append(stuck, fmt.Sprintf("%s (%d)", p.name, p.pid))
			}
		}
	}
	s.num("processes", float64(len(now)), diag.Count)
	s.top("most CPU", now, func(p proc) float64 { return p.use }, func(p proc) string { return diag.Percent.Format(p.use) })
	s.top("most memory", now, func(p proc) float64 { return float64(p.memory) }, func(p proc) string { return diag.Size(float64(p.memory)) })
	s.zombies(now)
	s.num("waiting for a device", float64(len(stuck)), diag.Count)
	s.find(diag.Stuck(len(stuck), strings.Join(stuck[:min(len(stuck), 8)], ", ")))
	s.under("tree", "", func() { s.tree(now) })
}

// processes reads all of them: proc(5).
func (m *Machine) processes() (out []proc) {
	page := float64(os.Getpagesize())
	for _, name := range m.list("/proc") {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		text, err := m.read("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended
		}
		if p, ok := parseStat(text); ok {
			p.memory *= uint64(page)
			out = append(out, p)
		}
	}
	return out
}

// parseStat reads /proc/PID/stat. The name may hold anything, parentheses and line feeds included.
func parseStat(text string) (proc, bool) {
	open, shut := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || shut < open {
		return proc{}, false
	}
	f := strings.Fields(text[shut+1:])
	if len(f) < 22 {
		return proc{}, false
	}
	p := proc{pid: int(whole(text[:open])), name: text[open+1 : shut], state: f[0][0], parent: int(whole(f[1]))}
	p.cpu = decimal(f[11]) + decimal(f[12])
	p.memory = whole(f[21])
	return p, p.pid > 0
}

func (m *Machine) owner(pid int, names map[string]string) string {
	fi, err := os.Stat(m.at("/proc/" + itoa(pid)))
	if err != nil {
		return "?"
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return "?"
	}
	uid := fmt.Sprint(st.Uid)
	if names[uid] == "" {
		names[uid] = uid
		if u, err := user.LookupId(uid); err == nil {
			names[uid] = u.Username
		}
	}
	return names[uid]
}

// top lists the processes that have most of something.
func (s *section) top(what string, all []proc, by func(proc) float64, say func(proc) string) {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b proc) int { return cmp.Compare(by(b), by(a)) })
	s.under(what, "", func() {
		for _, p := range sorted[:min(topProcesses, len(sorted))] {
			if by(p) > 0 {
				s.text(p.name, fmt.Sprintf("%s, pid %d, %s", say(p), p.pid, p.user))
			}
		}
	})
}

func (s *section) zombies(all []proc) {
	name := map[int]string{}
	for _, p := range all {
		name[p.pid] = p.name
	}
	n, parents := 0, map[string]int{}
	var order []string
	s.under("ended and not collected", "", func() {
		for _, p := range all {
			if p.state != 'Z' {
				continue
			}
			n++
			parent := fmt.Sprintf("%s (%d)", name[p.parent], p.parent)
			if parents[parent]++; parents[parent] == 1 {
				order = append(order, parent)
			}
			if n <= topProcesses {
				s.text(p.name, fmt.Sprintf("pid %d, parent %s", p.pid, parent))
			}
		}
	})
	s.find(diag.Zombies(n, strings.Join(order[:min(len(order), 8)], ", ")))
}

// tree lists processes below their parents. Threads of the kernel are left out.
func (s *section) tree(all []proc) {
	children := map[int][]proc{}
	known := map[int]bool{}
	for _, p := range all {
		known[p.pid] = true
	}
	for _, p := range all {
		parent := p.parent
		if !known[parent] {
			parent = 0
		}
		children[parent] = append(children[parent], p)
	}
	lines := 0
	var walk func(parent int)
	walk = func(parent int) {
		for _, p := range children[parent] {
			if p.pid == 2 || lines >= treeProcesses { // kthreadd
				continue
			}
			lines++
			s.under(fmt.Sprintf("%d %s", p.pid, p.name), p.user, func() {
				if s.depth < diag.MaxDepth {
					walk(p.pid)
				}
			})
		}
	}
	walk(0)
	if lines >= treeProcesses {
		s.note(fmt.Sprintf("tree: the first %d processes", treeProcesses))
	}
}
