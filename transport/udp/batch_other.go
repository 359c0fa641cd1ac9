//go:build !linux

package udp

import "net"

// newBatched has nothing better than one packet at a time here.
func newBatched(*net.UDPConn, Options) packetIO { return nil }
