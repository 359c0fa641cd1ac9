package transport

import (
	"context"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
)

// gauge hears from quic-go about each packet of one connection: what is on its way, what was lost, when the other end was
// heard with a packet that it has signed. quic-go tells it through its log of events, which costs a few allocations a
// packet; ConnectionStats does not know what is on its way.
type gauge struct {
	pace *pace

	mu    sync.Mutex
	heard time.Time // newest packet that was decrypted
	lost  uint64    // packets
}

type gaugeKey struct{}

func newGauge() *gauge { return &gauge{pace: newPace()} }

// gauged is a context by which the connection that is made under it gets a gauge.
func gauged(ctx context.Context) context.Context {
	return context.WithValue(ctx, gaugeKey{}, newGauge())
}

// gaugeOf finds the gauge of a connection.
func gaugeOf(conn *quic.Conn) *gauge {
	if g, ok := conn.Context().Value(gaugeKey{}).(*gauge); ok {
		return g
	}
	return newGauge() // hears nothing, so nothing is held back
}

// trace is quic.Config.Tracer.
func trace(ctx context.Context, _ bool, _ quic.ConnectionID) qlogwriter.Trace {
	if g, ok := ctx.Value(gaugeKey{}).(*gauge); ok {
		return g
	}
	return nil
}

// AddProducer implements qlogwriter.Trace.
func (g *gauge) AddProducer() qlogwriter.Recorder { return g }

// Close implements qlogwriter.Recorder.
func (g *gauge) Close() error { return nil }

// RecordEvent implements qlogwriter.Recorder. It is called on the connection's own goroutine and does not wait.
func (g *gauge) RecordEvent(ev qlogwriter.Event) {
	switch ev := ev.(type) {
	case qlog.MetricsUpdated:
		g.pace.tell(time.Now(), ev.LatestRTT, ev.BytesInFlight)
	case qlog.PacketReceived:
		g.mu.Lock()
		g.heard = time.Now()
		g.mu.Unlock()
	case qlog.PacketLost:
		g.mu.Lock()
		g.lost++
		g.mu.Unlock()
	}
}

func (g *gauge) read() (heard time.Time, lost uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.heard, g.lost
}
