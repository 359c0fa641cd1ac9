//go:build !linux

package transport

import "net"

// packetConn is what the inner quic.Transport reads and writes.
func (v *Virtual) packetConn(*port) net.PacketConn { return plainVirtual{v} }
