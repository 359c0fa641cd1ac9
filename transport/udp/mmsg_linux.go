package udp

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// message is struct mmsghdr of recvmmsg(2) and sendmmsg(2).
type message struct {
	hdr unix.Msghdr
	n   uint32 // bytes received or sent
}

// mmsg makes one of the two calls, on all of its messages. Package ipv4 makes them as well; it puts every message together anew for each
// call, and gives each one that arrives an address of its own: together a quarter of the CPU that forwarding took.
type mmsg struct {
	trap  uintptr // set once, like do
	do    func(fd uintptr) bool
	msgs  []message
	flags uintptr
	n     int
	errno syscall.Errno
}

func newMmsg(trap uintptr) *mmsg {
	c := &mmsg{trap: trap}
	c.do = c.once
	return c
}

// once is false when the socket has nothing yet, or no room.
func (c *mmsg) once(fd uintptr) bool {
	n, _, errno := unix.Syscall6(c.trap, fd, uintptr(unsafe.Pointer(&c.msgs[0])), uintptr(len(c.msgs)), c.flags, 0, 0)
	c.n, c.errno = int(n), errno
	return errno != unix.EAGAIN
}

// end is how the call ended, as an error of the connection's own or of the system.
func (c *mmsg) end(name string, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	if c.errno != 0 {
		return 0, os.NewSyscallError(name, c.errno)
	}
	return c.n, nil
}

// inbox is what recvmmsg fills: GRO buffers, or packets.
type inbox struct {
	*mmsg
	slips []slip
	used  int // by the last call
}

// slip is what one message of an inbox points to.
type slip struct {
	name unix.RawSockaddrInet6 // of either family
	iov  unix.Iovec
	oob  [128]byte
	b    []byte
}

func newInbox(count, size int) *inbox {
	in := &inbox{mmsg: newMmsg(unix.SYS_RECVMMSG), slips: make([]slip, count)}
	in.msgs, in.flags, in.used = make([]message, count), unix.MSG_WAITFORONE, count
	for i := range in.slips {
		s, h := &in.slips[i], &in.msgs[i].hdr
		s.b = make([]byte, size)
		s.iov.Base = &s.b[0]
		s.iov.SetLen(size)
		h.Name, h.Control, h.Iov = (*byte)(unsafe.Pointer(&s.name)), &s.oob[0], &s.iov
		h.SetIovlen(1)
	}
	return in
}

// read waits for messages, and says how many came.
func (in *inbox) read(raw syscall.RawConn) (int, error) {
	for i := range in.used { // the kernel has written into these
		in.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet6
		in.msgs[i].hdr.SetControllen(len(in.slips[i].oob))
	}
	in.used = 0
	n, err := in.end("recvmmsg", raw.Read(in.do))
	in.used = n
	return n, err
}

// take is the bytes of a message, its sender and its control messages.
func (in *inbox) take(i int) (b []byte, from netip.AddrPort, oob []byte) {
	s, m := &in.slips[i], &in.msgs[i]
	return s.b[:m.n], parseName(&s.name), s.oob[:m.hdr.Controllen]
}

// parseName reads a socket address of either family; a mapped IPv4 address becomes a plain one.
func parseName(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // the same place in both
	at := uint16(port[0])<<8 | uint16(port[1])
	switch name.Family {
	case unix.AF_INET:
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), at)
	case unix.AF_INET6:
		a := netip.AddrFrom16(name.Addr).Unmap()
		if name.Scope_id != 0 && a.Is6() {
			a = a.WithZone(zoneName(name.Scope_id))
		}
		return netip.AddrPortFrom(a, at)
	}
	return netip.AddrPort{}
}

// setName writes a socket address and says how long it is. IPv4 addresses are good on sockets of IPv6 as well.
func setName(name *unix.RawSockaddrInet6, to netip.AddrPort) uint32 {
	port := (*[2]byte)(unsafe.Pointer(&name.Port))
	port[0], port[1] = byte(to.Port()>>8), byte(to.Port())
	if a := to.Addr(); !a.Is4() {
		name.Family, name.Flowinfo, name.Addr, name.Scope_id = unix.AF_INET6, 0, a.As16(), zoneIndex(a.Zone())
		return unix.SizeofSockaddrInet6
	}
	four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
	four.Family, four.Addr = unix.AF_INET, to.Addr().As4()
	return unix.SizeofSockaddrInet4
}

// zones are the interfaces that link-local addresses were heard from, by index and by name: asking the kernel takes long.
var zones sync.Map

func zoneName(index uint32) string {
	if name, ok := zones.Load(index); ok {
		return name.(string)
	}
	name := strconv.FormatUint(uint64(index), 10)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	zones.Store(index, name)
	return name
}

func zoneIndex(name string) uint32 {
	if name == "" {
		return 0
	}
	if index, ok := zones.Load(name); ok {
		return index.(uint32)
	}
	index, _ := strconv.ParseUint(name, 10, 32)
	if i, err := net.InterfaceByName(name); err == nil {
		index = uint64(i.Index)
	}
	zones.Store(name, uint32(index))
	return uint32(index)
}
