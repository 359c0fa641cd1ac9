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

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// readPatience is how long a read of a dedicated socket waits in the kernel before it looks whether it should go on.
const readPatience = 500 * time.Millisecond

// yieldEvery is how often the reader calls the scheduler under load. Go's monitoring thread takes the processor from a goroutine
// that has not been scheduled for 10 ms (forcePreemptNS in runtime/proc.go), and after that naps for 20 µs at a time.
const yieldEvery = 4 * time.Millisecond

// dedicated is a UDP socket whose reader waits in the kernel, in an OS thread that does nothing else, and not in the poller
// of the Go runtime. Between two batches the poller costs an epoll_wait, a read that finds nothing, and the runtime's
// monitoring thread, which wakes and naps whenever the process turns from idle to busy: together a third of the CPU that
// forwarding takes.
type dedicated struct {
	fd    int      // set once
	local net.Addr // set once
	one   *ipv4.PacketConn

	yielded time.Time // owned by the reading goroutine

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
	d.one = ipv4.NewPacketConn(d)
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
	_, err := d.one.WriteBatch([]ipv4.Message{{Buffers: [][]byte{b}, OOB: oob, Addr: to}}, 0)
	if err != nil {
		return 0, 0, err
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

// The rest makes it a net.Conn for package ipv4, which asks for one and uses SyscallConn. A Socket reads in batches only.
func (d *dedicated) Read([]byte) (int, error)               { return 0, errors.ErrUnsupported }
func (d *dedicated) Write([]byte) (int, error)              { return 0, errors.ErrUnsupported }
func (d *dedicated) ReadFrom([]byte) (int, net.Addr, error) { return 0, nil, errors.ErrUnsupported }
func (d *dedicated) RemoteAddr() net.Addr                   { return nil }
func (d *dedicated) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	return 0, 0, 0, nil, errors.ErrUnsupported
}

// dedicatedRaw is its syscall.RawConn.
type dedicatedRaw dedicated

func (r *dedicatedRaw) Control(f func(fd uintptr)) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed.Load() {
		return net.ErrClosed
	}
	f(uintptr(r.fd))
	return nil
}

// Read calls f, which waits in the kernel, until it has something.
func (r *dedicatedRaw) Read(f func(fd uintptr) bool) error {
	for done := false; !done; {
		now := time.Now()
		if at := r.deadline.Load(); at != 0 && now.UnixNano() >= at {
			return os.ErrDeadlineExceeded
		}
		if now.Sub(r.yielded) > yieldEvery {
			r.yielded = now
			runtime.Gosched()
		}
		if err := r.Control(func(fd uintptr) { done = f(fd) }); err != nil {
			return err
		}
		if r.closed.Load() {
			return net.ErrClosed
		}
	}
	return nil
}

func (r *dedicatedRaw) Write(f func(fd uintptr) bool) error {
	for done := false; !done; {
		if err := r.Control(func(fd uintptr) { done = f(fd) }); err != nil {
			return err
		}
	}
	return nil
}
