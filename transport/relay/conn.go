package relay

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// Limits of one outer connection (threats A26, A27, A28).
const (
	handshakeTimeout = 8 * time.Second // quic-go ends a handshake after twice this, or this long without a packet: enough for 16 kbit/s that somebody uses
	idleTimeout      = 30 * time.Second
	maxStreams       = 16
	streamWindow     = 64 << 10 // at first, in bytes; then up to maxStreamWindow
	connWindow       = 128 << 10
	maxStreamWindow  = 512 << 10
	maxConnWindow    = 1 << 20
	maxCertificate   = 16 << 10
	packetSize       = 1200 // the smallest that QUIC allows (RFC 9000, 14): fits every path
)

func serverConfig() *quic.Config {
	return &quic.Config{
		InitialPacketSize:              packetSize,
		DisablePathMTUDiscovery:        true,
		HandshakeIdleTimeout:           handshakeTimeout,
		MaxIdleTimeout:                 idleTimeout,
		MaxIncomingStreams:             maxStreams,
		MaxIncomingUniStreams:          -1,
		InitialStreamReceiveWindow:     streamWindow,
		MaxStreamReceiveWindow:         maxStreamWindow,
		InitialConnectionReceiveWindow: connWindow,
		MaxConnectionReceiveWindow:     maxConnWindow,
	}
}

// serverTLS keeps the certificates of conf and decides the rest: TLS 1.3, no resumption (so the client's key is proven every
// time), a client certificate if there is one.
func serverTLS(conf *tls.Config) *tls.Config {
	conf = conf.Clone()
	conf.MinVersion = tls.VersionTLS13
	conf.NextProtos = []string{wire.OuterALPN}
	conf.ClientAuth = tls.RequestClientCert
	conf.SessionTicketsDisabled = true
	conf.VerifyConnection = func(cs tls.ConnectionState) error {
		for _, c := range cs.PeerCertificates {
			if len(c.Raw) > maxCertificate {
				return errors.New("certificate too long")
			}
		}
		return nil
	}
	return conf
}

// Conn is an outer connection.
type Conn struct {
	qc     *quic.Conn
	key    [32]byte
	hasKey bool
	remote netip.AddrPort
}

func newConn(qc *quic.Conn) (*Conn, error) {
	from, ok := qc.RemoteAddr().(*net.UDPAddr)
	if !ok {
		return nil, errors.New("not over UDP")
	}
	ap := from.AddrPort()
	c := &Conn{qc: qc, remote: netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())}
	if certs := qc.ConnectionState().TLS.PeerCertificates; len(certs) > 0 {
		c.key, c.hasKey = sha256.Sum256(certs[0].RawSubjectPublicKeyInfo), true
	}
	return c, nil
}

// Key is the SHA-256 of the SubjectPublicKeyInfo of the certificate that the other side showed and has the key of; ok is
// false if it showed none.
func (c *Conn) Key() (fingerprint [32]byte, ok bool) { return c.key, c.hasKey }

// Remote is the address that the connection was made from.
func (c *Conn) Remote() netip.AddrPort { return c.remote }

// Context ends with the connection.
func (c *Conn) Context() context.Context { return c.qc.Context() }

// Accept waits for the next stream that the other side opens. Closing the stream gives up both of its directions in order:
// what was written arrives, what was not read is refused. It also has SetDeadline, SetReadDeadline and SetWriteDeadline.
func (c *Conn) Accept(ctx context.Context) (io.ReadWriteCloser, error) {
	s, err := c.qc.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	return exchange{s}, nil
}

// Close closes the connection; code is one of wire.Code… or 0. The other side is told both.
func (c *Conn) Close(code uint64, reason string) {
	_ = c.qc.CloseWithError(quic.ApplicationErrorCode(code), reason)
}

// exchange is one stream.
type exchange struct{ *quic.Stream }

func (e exchange) Close() error {
	e.CancelRead(0)
	return e.Stream.Close()
}
