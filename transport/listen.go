package transport

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// The end-to-end connection.
const (
	innerIdle      = 2 * time.Minute
	innerKeepAlive = 2 * time.Second                       // heartbeat of who dials: the other end's liveness and the path's, at under 20 bytes a second
	hostKeepAlive  = innerKeepAlive + 400*time.Millisecond // the other end's, which hears the heartbeat first and acknowledges it
	innerHandshake = 10 * time.Second
	innerStreams   = 128 // open at the same time, of each kind, that the other end may have
	acceptQueue    = 32
)

// codeBusy closes a link for which there is no room in the queue of accepted ones.
const codeBusy = 1

func innerConfig(keepAlive time.Duration) *quic.Config {
	return &quic.Config{
		InitialPacketSize:                minPacket,
		DisablePathMTUDiscovery:          true, // the path may change under the connection, to one with a smaller MTU
		HandshakeIdleTimeout:             innerHandshake,
		MaxIdleTimeout:                   innerIdle,
		KeepAlivePeriod:                  keepAlive,
		MaxIncomingStreams:               innerStreams,
		MaxIncomingUniStreams:            innerStreams,
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true,
		Tracer:                           trace,
	}
}

// innerTLS is what both ends have in common. verify sees the other end's certificate, whose key is Ed25519.
func innerTLS(id Identity, verify func(*x509.Certificate) error) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{wire.InnerALPN},
		ServerName:             "assist",
		Certificates:           []tls.Certificate{id.Cert},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // keys are compared, not names: VerifyConnection
		SessionTicketsDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			leaf, err := leafOf(cs)
			if err != nil {
				return err
			}
			if _, ok := leaf.PublicKey.(ed25519.PublicKey); !ok {
				return errors.New("the other end's key is not Ed25519")
			}
			return verify(leaf)
		},
	}
}

// Listener accepts the links that consoles open to a host.
type Listener struct {
	v      *Virtual
	ln     *quic.Listener
	links  chan *Link
	cancel context.CancelFunc
	loop   sync.WaitGroup
	once   sync.Once
}

// Listen makes this end the host. Consoles have to show a certificate, whichever it is: who they are is for the session to
// judge, by PeerFingerprint.
func (v *Virtual) Listen(id Identity) (*Listener, error) {
	ln, err := v.tr.Listen(innerTLS(id, func(*x509.Certificate) error { return nil }), innerConfig(hostKeepAlive))
	if err != nil {
		return nil, fmt.Errorf("listen for consoles: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listener{v: v, ln: ln, links: make(chan *Link, acceptQueue), cancel: cancel}
	l.loop.Go(func() { l.run(ctx) })
	v.mu.Lock()
	over := v.over
	v.ln = l
	v.mu.Unlock()
	if over {
		l.Close()
		return nil, fmt.Errorf("listen for consoles: %w", errClosedVirtual)
	}
	return l, nil
}

// run takes connections from quic-go's short queue at once and never waits for Accept.
func (l *Listener) run(ctx context.Context) {
	defer close(l.links)
	for {
		conn, err := l.ln.Accept(ctx)
		if err != nil {
			return
		}
		link, err := newLink(l.v, conn)
		if err != nil {
			continue
		}
		select {
		case l.links <- link:
		default:
			link.Close(codeBusy, "too many at once")
		}
	}
}

// Accept waits for the next link; net.ErrClosed says that there will be none.
func (l *Listener) Accept(ctx context.Context) (*Link, error) {
	select {
	case link, ok := <-l.links:
		if !ok {
			return nil, net.ErrClosed
		}
		return link, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close stops accepting and closes links that nobody has accepted; others live on.
func (l *Listener) Close() {
	l.once.Do(func() {
		_ = l.ln.Close() // says only what was said before
		l.cancel()
		l.loop.Wait()
		for link := range l.links {
			link.Close(0, "")
		}
	})
}

// Dial opens a link to another end; the host is peer 0. verify judges the fingerprint of its key, and what it returns is in
// the chain of Dial's error. Without an answer Dial gives up after 10 s.
func (v *Virtual) Dial(ctx context.Context, to uint32, id Identity, verify func(Fingerprint) error) (*Link, error) {
	if to > 0xffff {
		return nil, fmt.Errorf("dial host: no peer %d", to)
	}
	var refused error
	conf := innerTLS(id, func(leaf *x509.Certificate) error {
		refused = verify(FingerprintOf(leaf))
		return refused
	})
	dialled := v.since(time.Now())
	conn, err := v.tr.Dial(gauged(ctx), v.peer(uint16(to)).addr, conf, innerConfig(innerKeepAlive))
	if err != nil {
		if refused != nil {
			err = refused
		}
		return nil, fmt.Errorf("dial host: %w", plainError(err))
	}
	l, err := newLink(v, conn)
	if err != nil {
		return nil, fmt.Errorf("dial host: %w", err)
	}
	l.dialed, l.own = true, id
	l.judgeFirst(dialled)
	return l, nil
}
