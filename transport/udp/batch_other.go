//go:build !linux

package udp

import "net"

// newBatched has nothing better than one packet at a time here.
func newBatched(c *net.UDPConn, _ Options) (packetIO, net.PacketConn) { return nil, c }
