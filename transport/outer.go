// Package transport carries bytes between a console and a host: the outer connection to the relay, and beside it, over the
// same UDP socket, the end-to-end connection whose packets the relay forwards and cannot read.
//
// An Outer is the authenticated QUIC connection to the relay: one exchange with the broker a stream. A Virtual is a packet
// connection whose packets travel through the relay's channel; it outlives the outer connection, and can be bound to another
// one. A Link is the end-to-end QUIC connection over a Virtual, with both ends' keys known; streams inside it start with the
// byte that says what they carry.
//
// The socket is read by one goroutine, that of the outer quic.Transport; packets for a Virtual go into its inbox from there.
// When the reader of an inbox is slow, packets over 2 MiB are dropped and QUIC sends them again. When the reader of a stream
// is slow, QUIC's flow control stops the sender; nothing is dropped. A listener's queue of accepted links holds 32: more are
// closed, nothing waits. The package keeps no session, knows no grant, and trusts the relay with nothing but delivery.
package transport

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// ServerOffset etc. come from the Hello; a relay that says nothing for this long is not there.
const (
	outerIdle      = 30 * time.Second
	outerKeepAlive = 14 * time.Second // below outerIdle / 2, and the 30 s after which NATs forget a UDP flow (RFC 4787, REQ-5 asks for 2 min)
	outerAnswer    = 4 * time.Second  // without a packet of the relay, and there is none
	outerHandshake = 10 * time.Second // quic-go gives up after twice this: at 16 kbit/s a packet takes 0.6 s, and others may be before it
)

// Relay says where a relay is and how to know it. With an empty Pin its certificate has to be one that this system trusts.
type Relay struct {
	Addr string // host:port
	Pin  Pin
}

// Options of DialRelay. The zero value is right outside of tests.
type Options struct {
	Software string // for the relay's log, such as "assist 0.1.0"
	Path     Path   // which ways are taken; empty is PathAuto
	Plain    bool   // without GRO and GSO
	// Proxy says which HTTP proxy leads to a relay, for the way over TCP; nil asks HTTPS_PROXY and NO_PROXY.
	Proxy func(*http.Request) (*url.URL, error)
	// Open gives what is used in place of a UDP socket of our own, one for each dial; it is closed with the Outer.
	Open func() (net.PacketConn, error)
	// Over lets a Virtual that comes back use its socket again, where it has one: what NATs know of it is kept.
	Over *Virtual
}

// Outer is the connection to a relay.
type Outer struct {
	at     Relay // that was dialled; set once, like all up to seen
	fleet  []Relay
	relay  netip.AddrPort
	port   *port // held
	path   Path  // which ways may be taken
	second uint16
	conn   *quic.Conn
	offset time.Duration
	seen   netip.AddrPort

	closeOnce sync.Once
}

func outerConfig() *quic.Config {
	return &quic.Config{
		InitialPacketSize:       minPacket,
		DisablePathMTUDiscovery: true, // it carries small messages only
		HandshakeIdleTimeout:    outerHandshake,
		MaxIdleTimeout:          outerIdle,
		KeepAlivePeriod:         outerKeepAlive,
		MaxIncomingStreams:      -1,
		MaxIncomingUniStreams:   -1,
		Tracer:                  trace,
	}
}

// hello exchanges versions on the connection's first stream.
func (o *Outer) hello(ctx context.Context, software string) error {
	s, err := o.conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.CancelRead(0) })
	defer stop()
	before := time.Now()
	if err := wire.WriteMsg(s, &wire.Hello{MinVersion: wire.MinVersion, MaxVersion: wire.MaxVersion, Software: software}); err != nil {
		return err
	}
	_ = s.Close() // fails when the relay has read all that it wants
	_ = s.SetReadDeadline(before.Add(2 * outerHandshake))
	var reply wire.HelloReply
	if err := wire.ReadMsg(s, wire.LimitPreAuth, &reply); err != nil {
		return err
	}
	if err := problem(reply.Problem); err != nil {
		return err
	}
	if reply.Version < wire.MinVersion || reply.Version > wire.MaxVersion {
		return &ProblemError{Code: wire.CodeTooNew, Text: fmt.Sprintf("the relay chose protocol %d, this program speaks %d to %d", reply.Version, wire.MinVersion, wire.MaxVersion)}
	}
	after := time.Now()
	middle := before.Add(after.Sub(before) / 2)
	o.offset = time.UnixMilli(reply.UnixMs).Sub(middle)
	o.fleet = fleetOf(reply.Relays)
	if reply.SecondPort <= 0xffff {
		o.second = uint16(reply.SecondPort)
	}
	o.seen, _ = netip.ParseAddrPort(reply.Observed) // a broker that does not say it leaves it zero
	return nil
}

// Fleet is the relays that take sessions, as this one says; empty when it is alone.
func (o *Outer) Fleet() []Relay { return o.fleet }

// ServerOffset is the broker's clock minus the own one, true to half a round trip.
func (o *Outer) ServerOffset() time.Duration { return o.offset }

// Observed is the own address as the relay sees it; zero if it did not say.
func (o *Outer) Observed() netip.AddrPort { return o.seen }

// Done is closed when the connection to the relay is over. Links may live on.
func (o *Outer) Done() <-chan struct{} { return o.conn.Context().Done() }

// Err is why the connection is over: a *ClosedError, ErrSilent, or another; nil while it is not.
func (o *Outer) Err() error { return ended(o.conn) }

// Close closes the connection, and the Virtuals whose packets travel beside it. It returns when all that was started is gone.
func (o *Outer) Close() {
	o.closeOnce.Do(func() {
		for _, v := range o.virtuals() {
			v.Close()
		}
		_ = o.conn.CloseWithError(0, "")
		o.port.release()
	})
}

// Abandon closes the connection to the relay, and nothing that travels beside it.
func (o *Outer) Abandon() { _ = o.conn.CloseWithError(0, "") }

func (o *Outer) virtuals() []*Virtual {
	o.port.mu.RLock()
	defer o.port.mu.RUnlock()
	var out []*Virtual
	for _, r := range o.port.routes {
		if r.outer == o && r.virtual.route.Load() == r {
			out = append(out, r.virtual)
		}
	}
	return out
}
