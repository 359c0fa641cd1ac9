package probe

import (
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"assist/diag"
)

func network(ctx context.Context, m *Machine, s *section) {
	interfaces(ctx, s)
	routes := m.routes()
	s.under("routes", "", func() {
		for _, r := range routes {
			s.text(r.to(), r.how())
		}
	})
	m.gateways(ctx, s, routes)
	m.resolvers(ctx, s)
	sockets(ctx, s)
}

// route is one line of the kernel's tables.
type route struct {
	dst   netip.Prefix
	via   netip.Addr // not valid: no gateway
	iface string
}

func (r route) to() string {
	if r.dst.Bits() == 0 {
		return "default"
	}
	return r.dst.String()
}

func (r route) how() string {
	if r.via.IsValid() && !r.via.IsUnspecified() {
		return "via " + r.via.String() + " on " + r.iface
	}
	return "on " + r.iface
}

// routes reads the main tables of IPv4 and IPv6.
func (m *Machine) routes() []route {
	return append(parseRoutes4(m.lines("/proc/net/route")), parseRoutes6(m.lines("/proc/net/ipv6_route"))...)
}

func parseRoutes4(lines []string) (out []route) {
	for _, line := range lines[min(1, len(lines)):] {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		dst, ok1 := addr4(f[1])
		via, ok2 := addr4(f[2])
		mask, ok3 := addr4(f[7])
		if !ok1 || !ok2 || !ok3 {
			continue
		}
		bits := 0
		for _, b := range mask.As4() {
			for ; b&0x80 != 0; b <<= 1 {
				bits++
			}
		}
		out = append(out, route{dst: netip.PrefixFrom(dst, bits), via: via, iface: f[0]})
	}
	return out
}

// addr4 reads an address as /proc/net/route writes it: the bytes of the machine's own order, which is little endian where
// this runs.
func addr4(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 4 {
		return netip.Addr{}, false
	}
	slices.Reverse(b)
	return netip.AddrFrom4([4]byte(b)), true
}

func parseRoutes6(lines []string) (out []route) {
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 10 || f[9] == "lo" {
			continue
		}
		dst, err1 := hex.DecodeString(f[0])
		bits, err2 := hex.DecodeString(f[1])
		via, err3 := hex.DecodeString(f[4])
		if err1 != nil || err2 != nil || err3 != nil || len(dst) != 16 || len(bits) != 1 || len(via) != 16 {
			continue
		}
		to := netip.AddrFrom16([16]byte(dst))
		if to.IsMulticast() {
			continue
		}
		out = append(out, route{dst: netip.PrefixFrom(to, int(bits[0])), via: netip.AddrFrom16([16]byte(via)), iface: f[9]})
	}
	return out
}

// gateways pings the way out.
func (m *Machine) gateways(ctx context.Context, s *section, routes []route) {
	seen := map[netip.Addr]bool{}
	for _, r := range routes {
		if r.dst.Bits() != 0 || !r.via.IsValid() || r.via.IsUnspecified() || seen[r.via] {
			continue
		}
		seen[r.via] = true
		rtt, lost, err := ping(ctx, r.via, r.iface)
		if err != nil {
			s.missing("gateway "+r.via.String(), err)
			continue
		}
		if lost < pings {
			s.num("gateway "+r.via.String(), float64(rtt.Microseconds())/1000, diag.Millis)
		} else {
			s.text("gateway "+r.via.String(), "does not answer to pings")
		}
		s.find(diag.Gateway(r.via.String(), rtt, lost, pings))
	}
	if len(seen) == 0 {
		s.note("gateway: there is no default route")
		s.find(diag.Finding{
			ID: "network.gateway", Category: diag.Network, Severity: diag.Note, Evidence: "there is no default route",
			Advice: "without one nothing beyond the local network is reached",
		})
	}
}

// resolvers asks each name server something small.
func (m *Machine) resolvers(ctx context.Context, s *section) {
	servers, search := parseResolv(m.lines("/etc/resolv.conf"))
	if len(servers) == 0 {
		s.note("DNS: /etc/resolv.conf names no server")
		return
	}
	type answer struct {
		rtt time.Duration
		err error
	}
	got := make([]answer, len(servers))
	var all sync.WaitGroup
	for i, addr := range servers {
		all.Go(func() { got[i].rtt, got[i].err = resolve(ctx, addr) })
	}
	all.Wait()
	for i, addr := range servers {
		if got[i].err == nil {
			s.num("name server "+addr.String(), float64(got[i].rtt.Microseconds())/1000, diag.Millis)
		} else {
			s.text("name server "+addr.String(), "does not answer")
		}
		s.find(diag.Resolver(addr.String(), got[i].rtt, got[i].err))
	}
	s.text("search", strings.Join(search, " "))
}

// maxServers is what resolv.conf(5) allows: MAXNS.
const maxServers = 3

func parseResolv(lines []string) (servers []netip.Addr, search []string) {
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(f[1]); err == nil && len(servers) < maxServers {
				servers = append(servers, a)
			}
		case "search", "domain":
			search = f[1:]
		}
	}
	return servers, search
}
