//go:build lab

package transporttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Trouble is what a Line does to IP packets, the same in both directions. It does to TCP what it does to UDP.
type Trouble struct {
	Delay     time.Duration // one way
	Jitter    time.Duration // up to this much more, evenly; packets keep their order
	Loss      float64       // share of packets that are lost, 0 to 1
	Burst     int           // packets that are lost together, where one is; 0 and 1 are one
	Reorder   float64       // share of packets that come 3 ms late, behind others
	Duplicate float64       // share of packets that come twice
	Rate      int           // bytes a second; 0 is no limit
	Queue     time.Duration // what a Rate lets wait; more is dropped
	Down      bool          // nothing passes
}

// Line joins two network namespaces of its own by a TUN device in each. Both are gone when it is closed.
type Line struct {
	A, B   string     // names of the namespaces
	AddrA  netip.Addr // what the ends are called
	AddrB  netip.Addr
	now    atomic.Pointer[Trouble]
	ways   [2]*way
	tuns   [2]*os.File
	run    sync.WaitGroup
	closed chan struct{}
}

var lines atomic.Int32

// NewLine makes a line with packets of at most mtu bytes. It needs CAP_NET_ADMIN and /dev/net/tun.
func NewLine(mtu int, c Trouble, seed uint64) (*Line, error) {
	n := lines.Add(1)
	l := &Line{
		A: fmt.Sprintf("lab%da%d", os.Getpid(), n), B: fmt.Sprintf("lab%db%d", os.Getpid(), n),
		AddrA: netip.AddrFrom4([4]byte{10, 71, byte(n), 1}), AddrB: netip.AddrFrom4([4]byte{10, 71, byte(n), 2}), closed: make(chan struct{}),
	}
	l.Set(c)
	for i, ns := range []string{l.A, l.B} {
		if err := AddNamespace(ns); err != nil {
			l.Close()
			return nil, err
		}
		var err error
		if l.tuns[i], err = openTUN(ns); err != nil {
			l.Close()
			return nil, err
		}
		if err := IP("-n", ns, "addr", "add", netip.PrefixFrom([]netip.Addr{l.AddrA, l.AddrB}[i], 24).String(), "dev", "tun0"); err != nil {
			l.Close()
			return nil, err
		}
		if err := IP("-n", ns, "link", "set", "tun0", "mtu", fmt.Sprint(mtu), "txqueuelen", "5000", "up"); err != nil {
			l.Close()
			return nil, err
		}
	}
	for i := range 2 {
		l.ways[i] = newWay(l, l.tuns[1-i], seed+uint64(i))
		l.run.Go(func() { l.ways[i].read(l.tuns[i]) })
		l.run.Go(l.ways[i].write)
	}
	return l, nil
}

// Set changes what happens to packets from now on.
func (l *Line) Set(c Trouble) { l.now.Store(&c) }

// Close removes the namespaces.
func (l *Line) Close() {
	close(l.closed)
	for _, f := range l.tuns {
		if f != nil {
			_ = f.Close()
		}
	}
	l.run.Wait()
	for _, ns := range []string{l.A, l.B} {
		RemoveNamespace(ns)
	}
}

// AddNamespace makes a network namespace with its loopback up.
func AddNamespace(ns string) error {
	if err := IP("netns", "add", ns); err != nil {
		return err
	}
	return IP("-n", ns, "link", "set", "lo", "up")
}

// RemoveNamespace ends what still runs in a namespace and removes it. There may be none.
func RemoveNamespace(ns string) {
	out, _ := exec.Command("ip", "netns", "pids", ns).Output()
	for _, f := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(f); err == nil {
			_ = unix.Kill(pid, unix.SIGTERM)
		}
	}
	_ = IP("netns", "del", ns)
}

// IP runs ip(8).
func IP(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, out)
	}
	return nil
}

// openTUN makes the device tun0 in a namespace.
func openTUN(ns string) (*os.File, error) {
	type result struct {
		f   *os.File
		err error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, which is in another namespace now, ends with the goroutine
		f, err := openTUNHere(ns)
		made <- result{f, err}
	}()
	r := <-made
	return r.f, r.err
}

func openTUNHere(ns string) (*os.File, error) {
	space, err := os.Open("/run/netns/" + ns)
	if err != nil {
		return nil, err
	}
	defer space.Close()
	if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, os.NewSyscallError("setns", err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("open /dev/net/tun", err)
	}
	var req struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "tun0")
	req.flags = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&req))); errno != 0 {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("ioctl TUNSETIFF", errno)
	}
	return os.NewFile(uintptr(fd), "tun0"), nil
}

// way is one direction of a line.
type way struct {
	l    *Line
	out  *os.File
	dice *rand.Rand // owned by read
	wake chan struct{}

	lose   int       // of a burst, still; owned by read
	free   time.Time // when the link has sent what it has; owned by read
	newest time.Time // owned by read

	mu    sync.Mutex
	queue []waiting
}

func newWay(l *Line, out *os.File, seed uint64) *way {
	return &way{l: l, out: out, dice: rand.New(rand.NewPCG(seed, 7)), wake: make(chan struct{}, 1)}
}

func (w *way) read(in *os.File) {
	buf := make([]byte, 1<<16)
	for {
		n, err := in.Read(buf)
		if err != nil {
			if errors.Is(err, os.ErrClosed) {
				return
			}
			continue
		}
		w.pass(append([]byte(nil), buf[:n]...), w.l.now.Load())
	}
}

// pass decides what becomes of a packet.
func (w *way) pass(b []byte, c *Trouble) {
	if w.lose > 0 {
		w.lose--
		return
	}
	if c.Down {
		return
	}
	if c.Loss > 0 && w.dice.Float64() < c.Loss/float64(max(1, c.Burst)) {
		w.lose = max(0, c.Burst-1)
		return
	}
	at := time.Now()
	if c.Rate > 0 {
		if w.free.Before(at) {
			w.free = at
		}
		if w.free.Sub(at) > c.Queue {
			return
		}
		w.free = w.free.Add(time.Duration(len(b)) * time.Second / time.Duration(c.Rate))
		at = w.free
	}
	at = at.Add(c.Delay)
	if c.Jitter > 0 {
		at = at.Add(time.Duration(w.dice.Int64N(int64(c.Jitter))))
	}
	switch {
	case c.Reorder > 0 && w.dice.Float64() < c.Reorder:
		at = at.Add(3 * time.Millisecond)
	default:
		if at.Before(w.newest) {
			at = w.newest
		}
		w.newest = at
	}
	w.put(waiting{at, b})
	if c.Duplicate > 0 && w.dice.Float64() < c.Duplicate {
		w.put(waiting{at, b})
	}
}

// put keeps the queue in the order of delivery.
func (w *way) put(p waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) >= queueLimit {
		return
	}
	i := len(w.queue)
	for i > 0 && w.queue[i-1].at.After(p.at) {
		i--
	}
	w.queue = append(w.queue, waiting{})
	copy(w.queue[i+1:], w.queue[i:])
	w.queue[i] = p
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *way) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.mu.Lock()
		n := 0
		for n < len(w.queue) && time.Until(w.queue[n].at) <= 0 {
			n++
		}
		due := w.queue[:n:n]
		w.queue = w.queue[n:]
		if len(w.queue) > 0 {
			timer.Reset(time.Until(w.queue[0].at))
		}
		w.mu.Unlock()
		for _, p := range due {
			_, _ = w.out.Write(p.b) // what the other side does not take is lost
		}
		select {
		case <-w.wake:
		case <-timer.C:
		case <-w.l.closed:
			return
		}
	}
}
