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
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/udp"
	"assist/transport/wire"
)

// ServerOffset etc. come from the Hello; a relay that says nothing for this long is not there.
const (
	outerIdle      = 30 * time.Second
	outerKeepAlive = 10 * time.Second // below the 30 s after which NATs forget a UDP flow (RFC 4787, REQ-5 asks for 2 min)
	outerHandshake = 4 * time.Second  // quic-go gives up after twice this, or this long without any answer
)

// Relay says where a relay is and how to know it. With an empty Pin its certificate has to be one that this system trusts.
type Relay struct {
	Addr string // host:port
	Pin  Pin
}

// Options of DialRelay. The zero value is right outside of tests.
type Options struct {
	Software string         // for the relay's log, such as "assist 0.1.0"
	Conn     net.PacketConn // used in place of a UDP socket of our own; closed with the Outer
	Plain    bool           // without GRO and GSO
	// Open is asked for such a Conn each time one is needed: Options may serve for many dials.
	Open func() (net.PacketConn, error)
}

// Outer is the connection to a relay.
type Outer struct {
	relay  netip.AddrPort
	sock   *udp.Socket
	tr     *quic.Transport
	conn   *quic.Conn
	offset time.Duration
	seen   netip.AddrPort

	mu       sync.RWMutex
	virtuals map[uint64]*Virtual // by channel

	closeOnce sync.Once
}

// DialRelay connects to r and exchanges Hello. It fails with a *RelayUnreachableError, a *RelayKeyError or a *ProblemError.
func DialRelay(ctx context.Context, r Relay, id Identity, opt Options) (*Outer, error) {
	addrs, host, err := resolve(ctx, r.Addr)
	if err != nil {
		return nil, &RelayUnreachableError{r.Addr, err}
	}
	for _, at := range addrs {
		o, dialErr := dialAt(ctx, r, host, at, id, opt)
		if dialErr == nil {
			return o, nil
		}
		err = dialErr
		if _, unreachable := err.(*RelayUnreachableError); !unreachable || ctx.Err() != nil || opt.Conn != nil {
			break
		}
	}
	return nil, err
}

func resolve(ctx context.Context, addr string) ([]netip.AddrPort, string, error) {
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
	var out []netip.AddrPort
	for _, ip := range ips {
		out = append(out, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
	}
	return out, host, nil
}

func dialAt(ctx context.Context, r Relay, host string, at netip.AddrPort, id Identity, opt Options) (*Outer, error) {
	o := &Outer{relay: at, virtuals: map[uint64]*Virtual{}}
	if err := o.openSocket(opt); err != nil {
		return nil, &RelayUnreachableError{r.Addr, err}
	}
	o.tr = &quic.Transport{Conn: o.sock.PacketConn()}
	conf, keyErr := relayTLS(r, host, id)
	conn, err := o.tr.Dial(ctx, net.UDPAddrFromAddrPort(at), conf, outerConfig())
	if err != nil {
		o.closeSocket()
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

func (o *Outer) openSocket(opt Options) (err error) {
	if opt.Open != nil {
		if opt.Conn, err = opt.Open(); err != nil {
			return err
		}
	}
	if opt.Conn != nil {
		o.sock = udp.New(opt.Conn, o, udp.Options{Plain: opt.Plain})
		return nil
	}
	network := "udp6"
	if o.relay.Addr().Is4() {
		network = "udp4"
	}
	o.sock, err = udp.Listen(network, ":0", o, udp.Options{Plain: opt.Plain})
	return err
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
	o.seen, _ = netip.ParseAddrPort(reply.Observed) // a broker that does not say it leaves it zero
	return nil
}

// ServerOffset is the broker's clock minus the own one, true to half a round trip.
func (o *Outer) ServerOffset() time.Duration { return o.offset }

// Observed is the own address as the relay sees it; zero if it did not say.
func (o *Outer) Observed() netip.AddrPort { return o.seen }

// Done is closed when the connection to the relay is over. Links may live on.
func (o *Outer) Done() <-chan struct{} { return o.conn.Context().Done() }

// Err is why the connection is over: a *ClosedError, ErrSilent, or another; nil while it is not.
func (o *Outer) Err() error { return ended(o.conn) }

// Close closes everything that travels over this socket: the links, the outer connection, the socket. It returns when all
// that was started is gone.
func (o *Outer) Close() {
	o.closeOnce.Do(func() {
		for _, v := range o.attached() {
			v.Close()
		}
		_ = o.conn.CloseWithError(0, "")
		o.closeSocket()
	})
}

// closeSocket ends the transport before the socket under it; neither has anything to say that could be acted on.
func (o *Outer) closeSocket() {
	_ = o.tr.Close()
	_ = o.sock.Close()
}

func (o *Outer) attached() []*Virtual {
	o.mu.RLock()
	defer o.mu.RUnlock()
	var out []*Virtual
	for _, v := range o.virtuals {
		out = append(out, v)
	}
	return out
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
