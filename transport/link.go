package transport

import (
	"crypto/ed25519"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
)

// Link is the authenticated end-to-end connection between a console and a host.
type Link struct {
	conn *quic.Conn // set once, like all up to key
	v    *Virtual
	peer *peer
	num  uint16
	fp   Fingerprint
	key  ed25519.PublicKey

	dialed bool     // by this end,
	own    Identity // as which

	gauge    *gauge
	grams    chan datagram // arrived
	outgoing chan []byte
	unis     chan uni               // arrived
	direct   atomic.Pointer[direct] // set when it is sought
	told     atomic.Pointer[[]byte] // newest whereabouts of the other end that came before

	mu   sync.Mutex
	loss lossWindow
}

func newLink(v *Virtual, conn *quic.Conn) (*Link, error) {
	num, ok := peerOf(conn.RemoteAddr())
	leaf, err := leafOf(conn.ConnectionState().TLS)
	l := &Link{conn: conn, v: v, num: num, gauge: gaugeOf(conn), grams: make(chan datagram, gramQueue), outgoing: make(chan []byte), unis: make(chan uni)}
	if err == nil && ok {
		l.peer, l.fp = v.peer(num), FingerprintOf(leaf)
		l.key, _ = leaf.PublicKey.(ed25519.PublicKey) // innerTLS let no other pass
		err = v.add(l)
	}
	if err != nil || !ok {
		l.Close(0, "")
		return nil, errClosedVirtual
	}
	return l, nil
}

// Peer is the other end's number in the session; the host is 0.
func (l *Link) Peer() uint32 { return uint32(l.num) }

// PeerFingerprint names the other end's key, which it has proven to hold.
func (l *Link) PeerFingerprint() Fingerprint { return l.fp }

// PeerKey is the other end's key.
func (l *Link) PeerKey() ed25519.PublicKey { return l.key }

// Exporter makes n bytes that both ends of this link, and nobody else, can make (RFC 8446, 7.5; RFC 5705).
func (l *Link) Exporter(label string, context []byte, n int) ([]byte, error) {
	cs := l.conn.ConnectionState().TLS
	return cs.ExportKeyingMaterial(label, context, n)
}

// Close ends the link and tells the other end the code and the reason. It does not wait for the other end.
func (l *Link) Close(code uint64, reason string) {
	_ = l.conn.CloseWithError(quic.ApplicationErrorCode(code), reason)
}

// Done is closed when the link is over.
func (l *Link) Done() <-chan struct{} { return l.conn.Context().Done() }

// Err is why the link is over: a *ClosedError, ErrSilent after two minutes, or another; nil while it is not.
func (l *Link) Err() error { return ended(l.conn) }

// LastHeard is when the last packet from the other end arrived; a false relay could invent it.
func (l *Link) LastHeard() time.Time { return l.v.start.Add(time.Duration(l.peer.heard.Load())) }

// Way is how packets travel now, since when, and why.
func (l *Link) Way() Change {
	way := *l.v.last.Load()
	d := l.direct.Load()
	if d == nil {
		return way
	}
	switch last := d.last.Load(); {
	case d.way.Load() != nil && last != nil:
		return *last
	case last != nil && last.Path != PathDirect && last.At.After(way.At):
		way.At, way.Why = last.At, last.Why
	}
	return way
}

// Stats is what is known about a link at one moment.
type Stats struct {
	Path              Path          // how packets travel: PathDirect, PathRelay or PathTCP
	Changed           Change        // the last one
	RTT               time.Duration // smoothed (RFC 9002, 5.3)
	MinRTT            time.Duration
	Loss              float64 // share of own packets that were lost in the last seconds, 0 to 1
	BytesIn, BytesOut uint64  // of QUIC packets
	LastHeard         time.Time
}

// Stats reads them.
func (l *Link) Stats() Stats {
	s := l.conn.ConnectionStats()
	out := Stats{
		Changed: l.Way(), RTT: s.SmoothedRTT, MinRTT: s.MinRTT, BytesIn: s.BytesReceived, BytesOut: s.BytesSent,
		LastHeard: l.LastHeard(),
	}
	out.Path = out.Changed.Path
	l.mu.Lock()
	out.Loss = l.loss.update(time.Now(), s.PacketsSent, s.PacketsLost)
	l.mu.Unlock()
	return out
}

// shareSpan is how far back Loss looks, at least; up to twice as far.
const shareSpan = 5 * time.Second

// lossWindow computes the recent loss from counts that only grow (but for packets that arrive after they were given up).
type lossWindow struct {
	at, before lossMark
}

type lossMark struct {
	when       time.Time
	sent, lost uint64
}

func (w *lossWindow) update(now time.Time, sent, lost uint64) float64 {
	if now.Sub(w.at.when) >= shareSpan {
		w.before, w.at = w.at, lossMark{now, sent, lost}
	}
	from := w.before
	if sent <= from.sent || lost <= from.lost {
		return 0
	}
	return min(1, float64(lost-from.lost)/float64(sent-from.sent))
}
