package udp

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// readPatience is how long a read of a dedicated socket waits in the kernel before it looks whether it should go on.
const readPatience = 500 * time.Millisecond

// yieldEvery is how often the reader calls the scheduler under load. Go's monitoring thread takes the processor from a goroutine
// that has not been scheduled for 10 ms (forcePreemptNS in runtime/proc.go), and after that naps for 20 µs at a time.
const (
	yieldEvery = 4 * time.Millisecond
	yieldReads = 8 // under load that many reads take less; the clock is looked at no more often
)

// dedicated is a UDP socket whose reader waits in the kernel, in an OS thread that does nothing else, and not in the poller
// of the Go runtime. Between two batches the poller costs an epoll_wait, a read that finds nothing, and the runtime's
// monitoring thread, which wakes and naps whenever the process turns from idle to busy: together a third of the CPU that
// forwarding takes.
type dedicated struct {
	fd    int      // set once
	local net.Addr // set once

	yielded time.Time // owned by the reading goroutine
	reads   int       // the same, since the clock was looked at

	mu       sync.RWMutex // read-locked while fd is in use
	closed   atomic.Bool
	deadline atomic.Int64 // of reads, Unix ns, 0 for none
}

var _ msgConn = (*dedicated)(nil)

// dedicate takes c's socket out of the runtime's poller. Where that fails, c is as good as before.
func dedicate(c *net.UDPConn) msgConn {
	raw, err := c.SyscallConn()
	if err != nil {
		return c
	}
	fd := -1
	patience := unix.NsecToTimeval(int64(readPatience))
	err = raw.Control(func(old uintptr) {
		if fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0); err != nil {
			fd = -1
			return
		}
		if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
			_ = unix.Close(fd)
			fd = -1
		}
	})
	if err != nil || fd < 0 {
		return c
	}
	d := &dedicated{fd: fd, local: c.LocalAddr()}
	_ = c.Close() // takes it out of the poller; the socket itself lives on with fd
	if err := unix.SetNonblock(fd, false); err != nil {
		_ = d.Close()
	}
	return d
}

// Close wakes the reader (shutdown(2) does, though it reports that there was no connection) and waits until fd is not used.
func (d *dedicated) Close() error {
	if d.closed.Swap(true) {
		return net.ErrClosed
	}
	_ = unix.Shutdown(d.fd, unix.SHUT_RDWR)
	d.mu.Lock()
	defer d.mu.Unlock()
	return os.NewSyscallError("close", unix.Close(d.fd))
}

func (d *dedicated) SyscallConn() (syscall.RawConn, error) { return (*dedicatedRaw)(d), nil }
func (d *dedicated) LocalAddr() net.Addr                   { return d.local }

// SetReadDeadline ends reads up to readPatience after t.
func (d *dedicated) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		d.deadline.Store(0)
	} else {
		d.deadline.Store(t.UnixNano())
	}
	return nil
}

func (d *dedicated) SetDeadline(t time.Time) error    { return d.SetReadDeadline(t) }
func (d *dedicated) SetWriteDeadline(time.Time) error { return nil }

// WriteMsgUDP sends one message.
func (d *dedicated) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (int, int, error) {
	at := to.AddrPort()
	var name unix.Sockaddr
	if a := at.Addr().Unmap(); a.Is4() {
		name = &unix.SockaddrInet4{Port: int(at.Port()), Addr: a.As4()}
	} else {
		name = &unix.SockaddrInet6{Port: int(at.Port()), Addr: a.As16(), ZoneId: zoneIndex(a.Zone())}
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed.Load() {
		return 0, 0, net.ErrClosed
	}
	if _, err := unix.SendmsgN(d.fd, b, oob, name, 0); err != nil {
		return 0, 0, os.NewSyscallError("sendmsg", err)
	}
	return len(b), len(oob), nil
}

func (d *dedicated) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	n, _, err := d.WriteMsgUDP(b, nil, u)
	return n, err
}

// ReadFrom is not called: a Socket reads in batches only.
func (d *dedicated) ReadFrom([]byte) (int, net.Addr, error) { return 0, nil, errors.ErrUnsupported }

// dedicatedRaw is its syscall.RawConn.
type dedicatedRaw dedicated

func (r *dedicatedRaw) Control(f func(fd uintptr)) error {
	_, err := r.once(func(fd uintptr) bool { f(fd); return true })
	return err
}

// once calls f while the socket is open.
func (r *dedicatedRaw) once(f func(fd uintptr) bool) (done bool, err error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed.Load() {
		return false, net.ErrClosed
	}
	return f(uintptr(r.fd)), nil
}

// yield lets the scheduler have a look now and then.
func (r *dedicatedRaw) yield() {
	if r.reads++; r.reads < yieldReads {
		return
	}
	r.reads = 0
	if now := time.Now(); now.Sub(r.yielded) > yieldEvery {
		r.yielded = now
		runtime.Gosched()
	}
}

// Read calls f, which waits in the kernel, until it has something.
func (r *dedicatedRaw) Read(f func(fd uintptr) bool) error {
	for {
		if at := r.deadline.Load(); at != 0 && time.Now().UnixNano() >= at {
			return os.ErrDeadlineExceeded
		}
		r.yield()
		done, err := r.once(f)
		if err != nil {
			return err
		}
		if r.closed.Load() {
			return net.ErrClosed
		}
		if done {
			return nil
		}
	}
}

func (r *dedicatedRaw) Write(f func(fd uintptr) bool) error {
	for {
		if done, err := r.once(f); done || err != nil {
			return err
		}
	}
}
