package transport

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// batchedVirtual is a Virtual as quic-go's fast kind of connection: it reads many packets a call, and writes runs of equal
// packets that were meant for GSO.
type batchedVirtual struct {
	plainVirtual
	raw syscall.RawConn // of the real socket: quic-go asks it whether it can do GSO
}

var _ quic.OOBCapablePacketConn = batchedVirtual{}

// packetConn is what the inner quic.Transport reads and writes.
func (v *Virtual) packetConn(p *port) net.PacketConn {
	raw, ok := p.sock.Raw()
	if !ok {
		return plainVirtual{v}
	}
	return batchedVirtual{plainVirtual{v}, raw}
}

// ReadBatch returns no packets only with an error.
func (c batchedVirtual) ReadBatch(ms []ipv4.Message, _ int) (int, error) {
	in := c.v.in
	if err := in.wait(); err != nil {
		return 0, err
	}
	n := min(len(ms), in.left())
	for i := range n {
		ms[i].N, ms[i].Addr = in.take(ms[i].Buffers[0])
		ms[i].NN = 0
	}
	return n, nil
}

// ReadMsgUDP is not called by quic-go, which has ReadBatch.
func (c batchedVirtual) ReadMsgUDP(b, _ []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	if err := c.v.in.wait(); err != nil {
		return 0, 0, 0, nil, err
	}
	n, addr = c.v.in.take(b)
	return n, 0, 0, addr, nil
}

// WriteMsgUDP sends b, which is many packets when oob carries UDP_SEGMENT. The marks of ECN are left out: they would not
// reach the other end, and QUIC finds that out.
func (c batchedVirtual) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (int, int, error) {
	seg, err := segmentSize(oob)
	if err != nil {
		return 0, 0, err
	}
	if seg == 0 {
		seg = len(b)
	}
	return len(b), len(oob), c.v.send(b, seg, to)
}

func (c batchedVirtual) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

var errControl = errors.New("malformed control message")

// segmentSize reads UDP_SEGMENT (udp(7)), 0 if there is none.
func segmentSize(oob []byte) (int, error) {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0, errControl
		}
		if h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_SEGMENT && len(data) >= 2 {
			return int(binary.NativeEndian.Uint16(data)), nil
		}
		oob = rest
	}
	return 0, nil
}
