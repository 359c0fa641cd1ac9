package probe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"assist/chat"
	"assist/diag"
)

// Times of a reading. The whole report is there within limit and a moment, whatever a device or program does.
const (
	limit  = 2500 * time.Millisecond // for one category
	window = 700 * time.Millisecond  // between two looks at counters, for what is used now
)

// Machine is this machine. The zero value is ready; it may be used from several goroutines.
type Machine struct {
	Root string           // where its files are; empty: /
	Now  func() time.Time // empty: time.Now

	mu   sync.Mutex
	busy map[diag.ID]bool // readings that have not come back: a device does not answer
}

// reader fills one category. It ends with ctx where it can; a call into a device that hangs is left behind.
type reader func(ctx context.Context, m *Machine, s *section)

func (m *Machine) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// at is a path of the machine.
func (m *Machine) at(path string) string {
	if m.Root == "" {
		return path
	}
	return filepath.Join(m.Root, path)
}

// Report reads the categories, all where none are named, side by side.
func (m *Machine) Report(ctx context.Context, ids []diag.ID) diag.Report {
	if len(ids) == 0 {
		ids = diag.All()
	}
	begun := m.now()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := diag.Report{At: begun.Round(0), Host: host}
	done := make(chan *section, len(ids))
	for _, id := range ids {
		go func() { done <- m.category(ctx, id) }()
	}
	for range ids {
		s := <-done
		r.Categories = append(r.Categories, s.category)
		r.Findings = append(r.Findings, s.findings...)
	}
	r.Took = m.now().Sub(begun)
	r = r.Clean(chat.Line)
	r.Order()
	return r
}

// category reads one category, and gives up waiting when ctx ends.
func (m *Machine) category(ctx context.Context, id diag.ID) *section {
	begun := time.Now()
	read, known := readers[id]
	late := &section{category: diag.Category{ID: id}, now: begun}
	switch {
	case !known:
		late.note("this is not read on this kind of system yet")
		return late
	case !m.begin(id):
		late.note("the reading before this one still waits for a device")
		return late
	}
	got := make(chan *section, 1)
	go func() {
		defer m.end(id)
		s := &section{category: diag.Category{ID: id}, now: m.now()}
		read(ctx, m, s)
		if len(s.category.Items) == 0 && len(s.category.Notes) == 0 {
			s.note("there is nothing of this here")
		}
		got <- s
	}()
	select {
	case s := <-got:
		s.category.Took = int(time.Since(begun).Milliseconds())
		return s
	case <-time.After(limit + 200*time.Millisecond): // readers know ctx: this is for one that hangs
		late.note(fmt.Sprintf("not read within %.1f s", limit.Seconds()))
		late.category.Took = int(time.Since(begun).Milliseconds())
		return late
	}
}

// begin says whether the category may be read; it is read by one goroutine at a time, so that what hangs does not pile up.
func (m *Machine) begin(id diag.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[id] {
		return false
	}
	if m.busy == nil {
		m.busy = map[diag.ID]bool{}
	}
	m.busy[id] = true
	return true
}

func (m *Machine) end(id diag.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.busy, id)
}

// sleep waits for d, or until ctx ends; false then.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
