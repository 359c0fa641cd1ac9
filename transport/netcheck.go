package transport

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"assist/transport/udp"
	"assist/transport/wire"
)

// Netcheck is what a network allows on the way to a relay.
type Netcheck struct {
	Relay    string
	UDP, TCP Reach
	Proxy    string           // host and port of the HTTP proxy that TCP goes through; empty: none
	Observed netip.AddrPort   // as the relay sees this machine over UDP; zero: it does not
	Local    []netip.AddrPort // addresses of this machine that others may reach
	NAT      NAT
	MTU      int // bytes of the longest IP packet that reached the relay; 0: not known
}

// Reach is whether one way leads to the relay.
type Reach struct {
	OK   bool
	Took time.Duration // for the connection
	Err  error
}

// NAT is what stands between a machine and the relay.
type NAT string

// The kinds that matter for a direct path. With NATSymmetric at both ends there is none.
const (
	NATUnknown   NAT = ""
	NATNone      NAT = "none"
	NATCone      NAT = "cone"      // one public port for a socket, whoever it talks to
	NATSymmetric NAT = "symmetric" // another one for each
)

// Times of a check.
const (
	checkWithin = 5 * time.Second // for each way
	whereWithin = 300 * time.Millisecond
	whereTries  = 3
)

// packetSizes are those tried for the MTU, IP and UDP included, longest first.
var packetSizes = []int{1500, 1492, 1480, 1472, 1454, 1420, 1400, 1380, 1350, 1300, 1280}

// Check finds out what the network allows. It needs no account: id may be fresh. What fails is in the result.
func Check(ctx context.Context, r Relay, id Identity, opt Options) Netcheck {
	n := Netcheck{Relay: r.Addr, Proxy: proxyFor(r.Addr, opt)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		o, reach := try(ctx, r, id, opt, PathTCP)
		if n.TCP = reach; o != nil {
			o.Close()
		}
	}()
	o, reach := try(ctx, r, id, opt, PathRelay)
	if n.UDP = reach; o != nil {
		n.lookAround(ctx, o)
		o.Close()
	}
	<-done
	return n
}

func try(ctx context.Context, r Relay, id Identity, opt Options, path Path) (*Outer, Reach) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	opt.Path = path
	began := time.Now()
	o, err := DialRelay(ctx, r, id, opt)
	return o, Reach{OK: err == nil, Took: time.Since(began), Err: err}
}

func proxyFor(addr string, opt Options) string {
	proxy := opt.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	u, err := proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: addr}})
	if err != nil || u == nil {
		return ""
	}
	return u.Host
}

// lookAround asks the relay where packets come from, on two ports, and how long they may be.
func (n *Netcheck) lookAround(ctx context.Context, o *Outer) {
	n.Observed = o.where(ctx, o.relay)
	n.Local = machineAddresses(o.port)
	switch {
	case !n.Observed.IsValid():
	case slices.Contains(n.Local, n.Observed) || n.Observed.Addr().IsLoopback():
		n.NAT = NATNone
	case o.second != 0:
		switch there := o.where(ctx, netip.AddrPortFrom(o.relay.Addr(), o.second)); there {
		case n.Observed:
			n.NAT = NATCone
		case netip.AddrPort{}: // no answer: a firewall, or lost
		default:
			n.NAT = NATSymmetric
		}
	}
	n.MTU = o.longest(ctx)
}

// longest is the length of the longest IP packet that gets to the relay, of those that are tried.
func (o *Outer) longest(ctx context.Context) (size int) {
	headers := 40 + 8
	if o.relay.Addr().Is4() {
		headers = 20 + 8
	}
	for range whereTries {
		asked := map[uint64]int{}
		for _, size := range packetSizes {
			if nonce, ok := o.ask(o.relay, size-headers); ok {
				asked[nonce] = size
			}
		}
		late := time.After(whereWithin)
		for waiting := true; waiting && size < packetSizes[0]; {
			select {
			case b := <-o.port.here:
				if nonce, _, err := wire.ParseHere(b); err == nil {
					size = max(size, asked[nonce])
				}
			case <-late:
				waiting = false
			case <-ctx.Done():
				return size
			}
		}
	}
	return size
}

// ask sends one question of n bytes.
func (o *Outer) ask(to netip.AddrPort, n int) (nonce uint64, ok bool) {
	var b [8]byte
	rand.Read(b[:])
	nonce = binary.BigEndian.Uint64(b[:])
	q := wire.AppendWhere(nil, nonce, n)
	return nonce, o.port.sock.Send(udp.Datagram{B: q, Seg: len(q), Addr: udp.Addr{AddrPort: to}}) == nil
}

// where asks a port of the relay where this end's packets come from; zero: no answer.
func (o *Outer) where(ctx context.Context, to netip.AddrPort) netip.AddrPort {
	for range whereTries {
		nonce, ok := o.ask(to, 0)
		if !ok {
			break
		}
		if at, err := o.here(ctx, nonce); err == nil {
			return at
		}
	}
	return netip.AddrPort{}
}

var errNoAnswer = errors.New("no answer")

func (o *Outer) here(ctx context.Context, nonce uint64) (netip.AddrPort, error) {
	late := time.After(whereWithin)
	for {
		select {
		case b := <-o.port.here:
			if got, at, err := wire.ParseHere(b); err == nil && got == nonce {
				return at, nil
			}
		case <-late:
			return netip.AddrPort{}, errNoAnswer
		case <-ctx.Done():
			return netip.AddrPort{}, context.Cause(ctx)
		}
	}
}
