//go:build lab && linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/sys/unix"
)

// What of TURN is spoken (RFC 8656): one allocation without authentication, one channel, whose packets have 4 bytes before them.
const (
	turnAllocate    = 0x0003
	turnChannelBind = 0x0009
	turnSuccess     = 0x0100
	turnFailure     = 0x0110
	turnCookie      = 0x2112a442
	turnChannel     = 0x4000
	turnHeader      = 4
	turnRepeat      = 200 * time.Millisecond
	turnPatience    = 5 * time.Second

	attrChannelNumber = 0x000c
	attrPeer          = 0x0012
	attrTransport     = 0x0019
)

// runCoturn starts Debian's coturn, with as many threads as it takes by itself, and lets its CPU be counted.
func runCoturn(ctx context.Context, g *gauge) (string, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", err
	}
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	_ = c.Close()
	cmd := exec.CommandContext(ctx, "turnserver", "-n", "--no-auth", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--no-stdout-log", "--log-file", "/dev/null",
		"--allow-loopback-peers", "--pidfile", "", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", strconv.Itoa(int(at.Port())))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("coturn (Debian's package of that name): %w", err)
	}
	g.stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	g.pid = cmd.Process.Pid
	return at.String(), nil
}

// cpuOf is the seconds that a process has used (clock_getcpuclockid(3)).
func cpuOf(pid int) float64 {
	var t unix.Timespec
	_ = unix.ClockGettime(int32(^pid<<3|2), &t)
	return float64(t.Nano()) / 1e9
}

// turnConn is a packet connection to one peer through a TURN server.
type turnConn struct {
	*net.UDPConn
	peer net.Addr
}

func dialTurn(server, peer string) (*turnConn, error) {
	at, err := netip.ParseAddrPort(server)
	if err != nil {
		return nil, err
	}
	to, err := netip.ParseAddrPort(peer)
	if err != nil {
		return nil, err
	}
	c, err := openBack(at)
	if err != nil {
		return nil, err
	}
	if err := turnAsk(c, turnAllocate, turnAttr(nil, attrTransport, []byte{17, 0, 0, 0})); err != nil {
		return nil, fmt.Errorf("allocate: %w", err)
	}
	attrs := turnAttr(nil, attrChannelNumber, []byte{turnChannel >> 8, turnChannel & 0xff, 0, 0})
	if err := turnAsk(c, turnChannelBind, turnAttr(attrs, attrPeer, turnAddr(to))); err != nil {
		return nil, fmt.Errorf("bind channel: %w", err)
	}
	return &turnConn{c, net.UDPAddrFromAddrPort(to)}, nil
}

// turnAddr is an IPv4 address as XOR-PEER-ADDRESS has it.
func turnAddr(at netip.AddrPort) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, 1}, at.Port()^turnCookie>>16)
	ip := at.Addr().As4()
	return binary.BigEndian.AppendUint32(b, binary.BigEndian.Uint32(ip[:])^turnCookie)
}

func turnAttr(b []byte, kind uint16, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// turnAsk makes one exchange, asking again while there is no answer.
func turnAsk(c *net.UDPConn, method uint16, attrs []byte) error {
	defer c.SetReadDeadline(time.Time{})
	b := binary.BigEndian.AppendUint16(nil, method)
	b = binary.BigEndian.AppendUint16(b, uint16(len(attrs)))
	b = binary.BigEndian.AppendUint32(b, turnCookie)
	b = binary.BigEndian.AppendUint64(b, rand.Uint64())
	b = binary.BigEndian.AppendUint32(b, rand.Uint32())
	ask := append(b, attrs...)
	in := make([]byte, 2048)
	for began := time.Now(); time.Since(began) < turnPatience; {
		_, _ = c.Write(ask) // refused while the server is not up
		_ = c.SetReadDeadline(time.Now().Add(turnRepeat))
		n, err := c.Read(in)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			time.Sleep(turnRepeat)
		case err != nil || n < 20 || string(in[4:20]) != string(ask[4:20]):
		case binary.BigEndian.Uint16(in) == method|turnSuccess:
			return nil
		case binary.BigEndian.Uint16(in) == method|turnFailure:
			return fmt.Errorf("refused: %q", in[20:n])
		}
	}
	return errors.New("no answer")
}

func (t *turnConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	out := binary.BigEndian.AppendUint16(make([]byte, 0, turnHeader+len(b)), turnChannel)
	out = binary.BigEndian.AppendUint16(out, uint16(len(b)))
	if _, err := t.Write(append(out, b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (t *turnConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, err := t.Read(b)
		if err != nil {
			return 0, nil, err
		}
		if n < turnHeader || binary.BigEndian.Uint16(b) != turnChannel {
			continue
		}
		size := min(int(binary.BigEndian.Uint16(b[2:])), n-turnHeader)
		return copy(b, b[turnHeader:turnHeader+size]), t.peer, nil
	}
}

func runTurnConsole(ctx context.Context, g *gauge) error {
	server, host := split(*peer)
	c, err := dialTurn(server, host)
	if err != nil {
		return err
	}
	_, tlsConf, conf, err := direct()
	if err != nil {
		return err
	}
	// Without its methods for ancillary data: a packet a system call, as TURN clients are.
	tr := &quic.Transport{Conn: struct{ net.PacketConn }{c}}
	return g.drive(ctx, tr, c.peer, tlsConf, conf)
}
