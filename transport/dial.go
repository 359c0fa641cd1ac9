package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"assist/transport/wire"
)

// stagger is how much later the next address of a relay is tried while the one before has not answered (RFC 8305, 5).
const stagger = 250 * time.Millisecond

// resolve finds the addresses of addr, the families in turns (RFC 8305, 4).
func resolve(ctx context.Context, addr string) (at []netip.AddrPort, host string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil, "", err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, "", err
	}
	var byFamily [2][]netip.AddrPort
	first := ips[0].Unmap().Is4()
	for _, ip := range ips {
		family := 0
		if ip = ip.Unmap(); ip.Is4() != first {
			family = 1
		}
		byFamily[family] = append(byFamily[family], netip.AddrPortFrom(ip, uint16(n)))
	}
	for i := range ips {
		for _, family := range byFamily {
			if i < len(family) {
				at = append(at, family[i])
			}
		}
	}
	return at, host, nil
}

// race dials the addresses one after the other, without waiting long for any of them. The first connection is taken; the
// first answer that another address would give as well ends it, too. It returns when all attempts are over.
func race(ctx context.Context, addrs []netip.AddrPort, dial func(context.Context, netip.AddrPort) (*Outer, error)) (*Outer, error) {
	type attempt struct {
		o   *Outer
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan attempt)
	running := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	var won *Outer
	var lost error
	for running > 0 || (len(addrs) > 0 && won == nil) {
		select {
		case <-timer.C:
			if len(addrs) == 0 || won != nil {
				continue
			}
			at := addrs[0]
			addrs = addrs[1:]
			running++
			go func() {
				o, err := dial(ctx, at)
				results <- attempt{o, err}
			}()
			timer.Reset(stagger)
		case a := <-results:
			running--
			switch {
			case a.err == nil && won != nil:
				a.o.Close()
			case a.err == nil:
				won = a.o
				cancel()
			case ctx.Err() == nil || lost == nil:
				lost = a.err
				timer.Reset(0)
				if !unreachable(a.err) || ctx.Err() != nil {
					addrs = nil
					cancel()
				}
			}
		}
	}
	if won != nil {
		return won, nil
	}
	return nil, lost
}

func unreachable(err error) bool {
	var e *RelayUnreachableError
	return errors.As(err, &e)
}

// dialAt connects over a port, which is released when that fails.
func dialAt(ctx context.Context, r Relay, host string, at netip.AddrPort, p *port, id Identity, opt Options) (*Outer, error) {
	o := &Outer{at: r, relay: at, port: p, path: cmp.Or(opt.Path, PathAuto)}
	conf, keyErr := relayTLS(r, host, id)
	dialling, cancel := context.WithCancelCause(gauged(ctx))
	defer cancel(nil)
	heard := dialling.Value(gaugeKey{}).(*gauge)
	late := time.AfterFunc(outerAnswer, func() {
		if at, _ := heard.read(); at.IsZero() {
			cancel(ErrSilent)
		}
	})
	defer late.Stop()
	conn, err := p.tr.Dial(dialling, net.UDPAddrFromAddrPort(at), conf, outerConfig())
	if err != nil {
		p.release()
		if *keyErr != nil {
			return nil, *keyErr
		}
		return nil, refusal(r.Addr, err)
	}
	o.conn = conn
	if err := o.hello(ctx, opt.Software); err != nil {
		o.Close()
		return nil, refusal(r.Addr, err)
	}
	return o, nil
}

// relayTLS is how the relay is known and how it knows us. *keyErr is set when its key is not the right one.
func relayTLS(r Relay, host string, id Identity) (*tls.Config, *error) {
	keyErr := new(error)
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{wire.OuterALPN},
		ServerName:         host,
		Certificates:       []tls.Certificate{id.Cert},
		InsecureSkipVerify: true, // VerifyConnection does it, so that the key can be named in the error
		VerifyConnection: func(cs tls.ConnectionState) error {
			*keyErr = verifyRelay(cs, r.Pin, host)
			return *keyErr
		},
	}, keyErr
}
