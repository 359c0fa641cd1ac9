//go:build !linux

package transport

import "net"

// packetConn is what the inner quic.Transport reads and writes.
func (v *Virtual) packetConn(*Outer) net.PacketConn { return plainVirtual{v} }
