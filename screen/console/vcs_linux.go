package console

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"assist/screen"
)

// vcsCheck is how long the kernel is waited for before the console is looked at all the same.
const vcsCheck = 2 * time.Second

// Machine is the machine's own console.
type Machine struct {
	watchers
	attrs, runes, tty *os.File

	mu   sync.Mutex
	grid *screen.TextGrid
	keys map[uint64]*keyboard
}

// OpenMachine opens the console that is in the foreground; it takes the right to read and to type there, which root has.
func OpenMachine() (*Machine, error) {
	m := &Machine{keys: map[uint64]*keyboard{}}
	for _, f := range []struct {
		name string
		flag int
		to   **os.File
	}{{"/dev/vcsa", os.O_RDONLY, &m.attrs}, {"/dev/vcsu", os.O_RDONLY, &m.runes}, {"/dev/tty0", os.O_RDWR | unix.O_NOCTTY, &m.tty}} {
		var err error
		if *f.to, err = os.OpenFile(f.name, f.flag, 0); err != nil {
			m.close()
			return nil, fmt.Errorf("open the machine's console: %w", err)
		}
	}
	if err := m.look(); err != nil {
		m.close()
		return nil, fmt.Errorf("read the machine's console: %w", err)
	}
	return m, nil
}

func (m *Machine) close() {
	for _, f := range []*os.File{m.attrs, m.runes, m.tty} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// Run waits for the kernel to say that something was drawn (POLLPRI on vcs, since Linux 2.6.37), until ctx ends.
func (m *Machine) Run(ctx context.Context) error {
	defer m.close()
	for ctx.Err() == nil {
		fds := []unix.PollFd{{Fd: int32(m.attrs.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, int(vcsCheck.Milliseconds())); err != nil && err != unix.EINTR {
			return fmt.Errorf("wait for the console: %w", err)
		}
		if err := m.look(); err != nil {
			return fmt.Errorf("read the console: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(readTick): // a flood is looked at so often, not more
		}
	}
	return nil
}

// look takes what the console shows now.
func (m *Machine) look() error {
	attrs, err := whole(m.attrs, 2)
	if err != nil {
		return err
	}
	runes, err := whole(m.runes, 4)
	if err != nil {
		return err
	}
	g, err := parseVCS(attrs, runes)
	if err != nil {
		return err
	}
	m.mu.Lock()
	if m.grid != nil {
		g.Seq = m.grid.Seq + 1
	}
	m.grid = g
	m.mu.Unlock()
	m.wake()
	return nil
}

// whole reads a device from its beginning, at most the largest console there can be.
func whole(f *os.File, cell int) ([]byte, error) {
	buf := make([]byte, 4+255*255*cell)
	n, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return buf[:n], nil
}

// About says what is shared.
func (m *Machine) About() screen.TextAbout { return screen.TextAbout{Name: "console", Fixed: true} }

// Grid is the newest state.
func (m *Machine) Grid() *screen.TextGrid {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.grid
}

// Lines are none: the kernel gives no scrollback.
func (m *Machine) Lines(uint64, int) (uint64, []screen.Row) { return 0, nil }

// Find looks through what is to be seen.
func (m *Machine) Find(from uint64, down bool, words string) (uint64, bool) {
	return find(&history{}, m.Grid().Rows, from, down, words)
}

// Want changes nothing: the console is as large as it is.
func (m *Machine) Want(uint64, image.Point, bool) {}

// Play types as the machine's own keyboard does (TIOCSTI, which needs CAP_SYS_ADMIN where dev.tty.legacy_tiocsti is off). The
// kernel's console knows no modes that could be asked for.
func (m *Machine) Play(who uint64, ev screen.Input) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.keys[who]
	if k == nil {
		k = &keyboard{}
		m.keys[who] = k
	}
	for _, c := range k.encode(ev, m.grid.Modes, m.grid.Size) {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, m.tty.Fd(), unix.TIOCSTI, uintptr(unsafe.Pointer(&c))); errno != 0 {
			return fmt.Errorf("type on the console: %w", errno)
		}
	}
	return nil
}
