package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Path is how packets travel, or, in Options, how they may.
type Path string

// The paths. PathAuto starts on the relay over UDP, or over TCP where UDP gives no answer, and goes directly where that
// works. The others pin it: PathDirect takes the relay only until the way is found, PathRelay and PathTCP never try others.
const (
	PathAuto   Path = "auto"
	PathDirect Path = "direct"
	PathRelay  Path = "relay"
	PathTCP    Path = "tcp"
)

// ParsePath reads a path's name.
func ParsePath(s string) (Path, error) {
	switch p := Path(s); p {
	case PathAuto, PathDirect, PathRelay, PathTCP:
		return p, nil
	}
	return "", fmt.Errorf("%q is none of auto, direct, relay, tcp", s)
}

// tcpAfter is how long UDP is waited for before TCP is tried as well.
const tcpAfter = time.Second

// tunnelAddr is what the relay is called on a port over TCP: of the discard-only prefix 100::/64 (RFC 6666).
var tunnelAddr = netip.MustParseAddrPort("[100::ffff]:443")

// DialRelay connects to r and exchanges Hello. Where a name has several addresses the first that answers is taken; where UDP
// gives no answer for a second TCP is tried beside it. It fails with a *RelayUnreachableError, a *RelayKeyError or a
// *ProblemError, or with the error of a ctx that was cancelled.
func DialRelay(ctx context.Context, r Relay, id Identity, opt Options) (*Outer, error) {
	path := opt.Path
	if opt.Over != nil && opt.Over.udpOnly.Load() {
		path = PathRelay
	}
	switch {
	case path == PathTCP:
		return dialTCP(ctx, r, id, opt)
	case path == PathRelay || path == PathDirect || opt.Open != nil:
		return dialUDP(ctx, r, id, opt)
	}
	wait := tcpAfter
	if opt.Over != nil && opt.Over.route.Load().port.tcp != nil { // it was so before
		wait = 0
	}
	return raceWays(ctx, wait,
		func(ctx context.Context) (*Outer, error) { return dialUDP(ctx, r, id, opt) },
		func(ctx context.Context) (*Outer, error) { return dialTCP(ctx, r, id, opt) })
}

// raceWays takes the first connection, and returns when both attempts are over. Where none is made the error is the more
// telling one: what the relay said, else what UDP met.
func raceWays(ctx context.Context, wait time.Duration, udp, tcp func(context.Context) (*Outer, error)) (*Outer, error) {
	type attempt struct {
		o   *Outer
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, second := make(chan attempt, 1), make(chan attempt, 1)
	go func() {
		o, err := udp(ctx)
		first <- attempt{o, err}
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var a attempt
	over := false
	select {
	case a = <-first:
		over = true
		if a.err == nil || !unreachable(a.err) || ctx.Err() != nil {
			return a.o, a.err
		}
	case <-timer.C:
	}
	go func() {
		o, err := tcp(ctx)
		second <- attempt{o, err}
	}()
	var b attempt
	if over {
		b = <-second
	} else {
		select {
		case a = <-first:
			if a.err == nil || !unreachable(a.err) {
				cancel()
			}
			b = <-second
		case b = <-second:
			if b.err == nil || !unreachable(b.err) {
				cancel()
			}
			a = <-first
		}
	}
	switch {
	case a.err == nil:
		if b.err == nil {
			b.o.Close()
		}
		return a.o, nil
	case b.err == nil:
		return b.o, nil
	case !unreachable(b.err) && !errors.Is(b.err, context.Canceled):
		return nil, b.err
	}
	return nil, a.err
}

func dialUDP(ctx context.Context, r Relay, id Identity, opt Options) (*Outer, error) {
	addrs, host, err := resolve(ctx, r.Addr)
	if err != nil {
		return nil, &RelayUnreachableError{r.Addr, err}
	}
	return race(ctx, addrs, func(ctx context.Context, at netip.AddrPort) (*Outer, error) {
		p, err := opt.openPort()
		if err != nil {
			return nil, &RelayUnreachableError{r.Addr, err}
		}
		return dialAt(ctx, r, host, at, p, id, opt)
	})
}

// dialTCP lets a proxy, if there is one, find the relay's address.
func dialTCP(ctx context.Context, r Relay, id Identity, opt Options) (*Outer, error) {
	host, _, err := net.SplitHostPort(r.Addr)
	if err != nil {
		return nil, &RelayUnreachableError{r.Addr, err}
	}
	within, cancel := context.WithTimeout(ctx, 2*outerAnswer)
	defer cancel()
	p, err := opt.openTunnel(within, r.Addr, tunnelAddr)
	if err != nil {
		if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
			return nil, context.Cause(ctx)
		}
		return nil, &RelayUnreachableError{r.Addr, err}
	}
	return dialAt(ctx, r, host, tunnelAddr, p, id, opt)
}
