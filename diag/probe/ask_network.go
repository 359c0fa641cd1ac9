package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	gonet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"assist/diag"
)

const (
	pings    = 3                      // to a gateway
	pingWait = 300 * time.Millisecond // for each
	dnsWait  = time.Second
)

// ping sends pings and gives the best round trip. It needs the right to: net.ipv4.ping_group_range, or root.
func ping(ctx context.Context, to netip.Addr, iface string) (best time.Duration, lost int, err error) {
	conn, addr, err := pinger(to, iface)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	var kind icmp.Type = ipv4.ICMPTypeEcho
	proto := 1
	if to.Is6() {
		kind, proto = ipv6.ICMPTypeEchoRequest, 58
	}
	id := os.Getpid() & 0xffff
	for seq := 1; seq <= pings && ctx.Err() == nil; seq++ {
		b, err := (&icmp.Message{Type: kind, Body: &icmp.Echo{ID: id, Seq: seq, Data: []byte("assist")}}).Marshal(nil)
		if err != nil {
			return 0, 0, err
		}
		sent := time.Now()
		if _, err := conn.WriteTo(b, addr); err != nil {
			lost++
			continue
		}
		if !answered(conn, proto, seq, sent.Add(pingWait)) {
			lost++
			continue
		}
		if rtt := time.Since(sent); best == 0 || rtt < best {
			best = rtt
		}
	}
	return best, lost, ctx.Err()
}

// pinger opens what pings go through, for everybody where the system allows it, else for root.
func pinger(to netip.Addr, iface string) (*icmp.PacketConn, net.Addr, error) {
	any, networks := "0.0.0.0", []string{"udp4", "ip4:icmp"}
	zone := ""
	if to.Is6() {
		any, networks = "::", []string{"udp6", "ip6:ipv6-icmp"}
		if to.IsLinkLocalUnicast() {
			zone = iface
		}
	}
	ip := net.IP(to.AsSlice())
	if conn, err := icmp.ListenPacket(networks[0], any); err == nil {
		return conn, &net.UDPAddr{IP: ip, Zone: zone}, nil
	}
	conn, err := icmp.ListenPacket(networks[1], any)
	if err != nil {
		return nil, nil, err
	}
	return conn, &net.IPAddr{IP: ip, Zone: zone}, nil
}

// answered waits for the answer to ping seq until a time.
func answered(conn *icmp.PacketConn, proto, seq int, until time.Time) bool {
	b := make([]byte, 1500)
	_ = conn.SetReadDeadline(until)
	for {
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			return false
		}
		m, err := icmp.ParseMessage(proto, b[:n])
		if err != nil {
			continue
		}
		if e, ok := m.Body.(*icmp.Echo); ok && e.Seq == seq && (m.Type == ipv4.ICMPTypeEchoReply || m.Type == ipv6.ICMPTypeEchoReply) {
			return true
		}
	}
}

// resolve asks a name server for the servers of the root, which each knows.
func resolve(ctx context.Context, server netip.Addr) (time.Duration, error) {
	id := uint16(time.Now().UnixNano())
	q := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("."), Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET}},
	}
	b, err := q.Pack()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, dnsWait)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(server, 53).String())
	if err != nil {
		return 0, plain(err)
	}
	defer conn.Close()
	until, _ := ctx.Deadline()
	_ = conn.SetDeadline(until)
	sent := time.Now()
	if _, err := conn.Write(b); err != nil {
		return 0, plain(err)
	}
	answer := make([]byte, 4096)
	for {
		n, err := conn.Read(answer)
		if err != nil {
			return 0, plain(err)
		}
		var p dnsmessage.Parser
		if h, err := p.Start(answer[:n]); err == nil && h.ID == id && h.Response {
			return time.Since(sent), nil
		}
	}
}

// plain is a network error without addresses that everybody knows.
func plain(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer")
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// sockets lists what listens, with the program where the system tells, and counts the rest.
func sockets(ctx context.Context, s *section) {
	all, err := gonet.ConnectionsWithContext(ctx, "inet")
	if err != nil {
		s.missing("sockets", err)
		return
	}
	type port struct {
		proto, addr string
		port        uint32
		who         string
	}
	var listening []port
	states := map[string]int{}
	names := map[int32]string{}
	hidden := false
	for _, c := range all {
		proto := map[uint32]string{1: "tcp", 2: "udp"}[c.Type]
		if c.Status != "LISTEN" && (c.Type != 2 || c.Raddr.IP != "" && c.Raddr.Port != 0) {
			states[c.Status]++
			continue
		}
		who, known := names[c.Pid]
		if !known && c.Pid > 0 {
			if p, err := process.NewProcessWithContext(ctx, c.Pid); err == nil {
				who, _ = p.NameWithContext(ctx)
			}
			names[c.Pid] = who
		}
		hidden = hidden || c.Pid == 0
		listening = append(listening, port{proto, net.JoinHostPort(c.Laddr.IP, fmt.Sprint(c.Laddr.Port)), c.Laddr.Port, who})
	}
	slices.SortFunc(listening, func(a, b port) int {
		return cmp.Or(cmp.Compare(a.proto, b.proto), cmp.Compare(a.port, b.port), cmp.Compare(a.addr, b.addr))
	})
	listening = slices.Compact(listening)
	s.under("listening", fmt.Sprintf("%d sockets", len(listening)), func() {
		for _, p := range listening {
			who := p.who
			if who == "" {
				who = "program not shown"
			}
			s.text(p.proto+" "+p.addr, who)
		}
	})
	if hidden && os.Geteuid() > 0 {
		s.note("programs of some sockets: only root sees those of others")
	}
	s.under("connections", "", func() {
		for _, state := range []string{"ESTABLISHED", "SYN_SENT", "CLOSE_WAIT", "TIME_WAIT", "FIN_WAIT1", "FIN_WAIT2", "LAST_ACK"} {
			if n := states[state]; n > 0 || state == "ESTABLISHED" {
				s.num(state, float64(n), diag.Count)
			}
		}
	})
}
