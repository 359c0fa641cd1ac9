//go:build lab && linux

package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const kernelBuffer = 7 << 20

// runNaive passes on one packet a system call, through a socket for each client.
func runNaive(target string) (string, error) {
	front, at, err := openFront(target)
	if err != nil {
		return "", err
	}
	backs := map[netip.AddrPort]*net.UDPConn{}
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := front.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			back := backs[from]
			if back == nil {
				if back, err = openBack(at); err != nil {
					return
				}
				backs[from] = back
				go func() {
					b := make([]byte, 2048)
					for {
						n, err := back.Read(b)
						if err != nil {
							return
						}
						_, _ = front.WriteToUDPAddrPort(b[:n], from)
					}
				}()
			}
			_, _ = back.Write(b[:n])
		}
	}()
	return front.LocalAddr().String(), nil
}

func openFront(target string) (*net.UDPConn, netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(target)
	if err != nil {
		return nil, at, err
	}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, at, err
	}
	enlarge(c)
	return c, at, nil
}

func openBack(at netip.AddrPort) (*net.UDPConn, error) {
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err == nil {
		enlarge(c)
	}
	return c, err
}

func enlarge(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, kernelBuffer)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, kernelBuffer)
	})
}

// runBatched passes on many packets a system call, through a socket for each client: whole GRO buffers with one GSO send
// each, or without these recvmmsg and sendmmsg.
func runBatched(target string, plain bool) (string, error) {
	front, at, err := openFront(target)
	if err != nil {
		return "", err
	}
	f := &batchedForwarder{target: at, plain: plain, front: ipv4.NewPacketConn(front), backs: map[netip.AddrPort]*ipv4.PacketConn{}}
	go pump(front, plain, f.up)
	return front.LocalAddr().String(), nil
}

// batchedForwarder is owned by the goroutine that reads the front socket; each back socket has its own.
type batchedForwarder struct {
	target netip.AddrPort
	plain  bool
	front  *ipv4.PacketConn
	backs  map[netip.AddrPort]*ipv4.PacketConn
}

// up passes a batch on to the target, in runs that come from one client.
func (f *batchedForwarder) up(ms []ipv4.Message) {
	for len(ms) > 0 {
		from := ms[0].Addr.(*net.UDPAddr)
		n := 0
		for n < len(ms) && ms[n].Addr.(*net.UDPAddr).AddrPort() == from.AddrPort() {
			ms[n].Addr = nil // connected
			n++
		}
		if back := f.back(from); back != nil {
			pass(back, ms[:n], f.plain)
		}
		ms = ms[n:]
	}
}

// back is the socket of a client, made when it is new.
func (f *batchedForwarder) back(from *net.UDPAddr) *ipv4.PacketConn {
	if p := f.backs[from.AddrPort()]; p != nil {
		return p
	}
	c, err := openBack(f.target)
	if err != nil {
		return nil
	}
	p := ipv4.NewPacketConn(c)
	f.backs[from.AddrPort()] = p
	go pump(c, f.plain, func(ms []ipv4.Message) {
		for i := range ms {
			ms[i].Addr = from
		}
		pass(f.front, ms, f.plain)
	})
	return p
}

// pump reads batches for as long as the socket lives.
func pump(c *net.UDPConn, plain bool, handle func([]ipv4.Message)) {
	n, size := 64, 2048
	if !plain {
		n, size = 16, 1<<16
		raw, err := c.SyscallConn()
		if err != nil {
			return
		}
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1) })
	}
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i] = ipv4.Message{Buffers: [][]byte{nil}, OOB: make([]byte, 64)}
	}
	bufs := make([][]byte, n)
	for i := range bufs {
		bufs[i] = make([]byte, size)
	}
	in := ipv4.NewPacketConn(c)
	for {
		for i := range ms {
			ms[i].Buffers[0], ms[i].OOB = bufs[i], ms[i].OOB[:64]
		}
		got, err := in.ReadBatch(ms, 0)
		if err != nil {
			continue
		}
		for i := range ms[:got] {
			ms[i].Buffers[0] = bufs[i][:ms[i].N]
		}
		handle(ms[:got])
	}
}

// pass sends a batch on to where its messages say.
func pass(out *ipv4.PacketConn, ms []ipv4.Message, plain bool) {
	for i := range ms {
		seg := 0
		if !plain {
			seg = groSize(ms[i].OOB[:ms[i].NN])
		}
		ms[i].OOB = ms[i].OOB[:0]
		if seg > 0 && seg < ms[i].N {
			ms[i].OOB = segmentMessage(ms[i].OOB, seg)
		}
	}
	for len(ms) > 0 {
		n, err := out.WriteBatch(ms, 0)
		if err != nil {
			n = 1
		}
		ms = ms[n:]
	}
}

func groSize(oob []byte) int {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0
		}
		if h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 2 {
			return int(binary.NativeEndian.Uint16(data))
		}
		oob = rest
	}
	return 0
}

func segmentMessage(b []byte, seg int) []byte {
	b = append(b, make([]byte, unix.CmsgSpace(2))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[unix.CmsgSpace(0):], uint16(seg))
	return b
}
