package relay

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// register makes the counters visible. Nothing is counted by address, channel or peer: that would be metadata of sessions.
func (s *Server) register(r prometheus.Registerer) error {
	c := &s.fwd.count
	for _, m := range []struct {
		name, help, label, value string
		n                        *atomic.Uint64
	}{
		{"forwarded_packets_total", "Packets passed on.", "", "", &c.packets},
		{"forwarded_bytes_total", "Bytes passed on, with headers.", "", "", &c.bytes},
		{"dropped_packets_total", "Packets not passed on.", "reason", "malformed", &c.malformed},
		{"dropped_packets_total", "Packets not passed on.", "reason", "unknown_channel", &c.unknown},
		{"dropped_packets_total", "Packets not passed on.", "reason", "unbound_address", &c.unbound},
		{"dropped_packets_total", "Packets not passed on.", "reason", "no_peer", &c.noPeer},
		{"binds_total", "Requests to bind an address.", "result", "bound", &c.binds},
		{"binds_total", "Requests to bind an address.", "result", "challenged", &c.challenges},
		{"binds_total", "Requests to bind an address.", "result", "forged", &c.forged},
		{"binds_total", "Requests to bind an address.", "result", "replayed", &c.replayed},
		{"hints_total", "Hints sent to addresses that are not bound.", "", "", &c.hinted},
		{"refused_connections_total", "Outer connections refused for their number.", "", "", &s.gate.refused},
	} {
		opts := prometheus.CounterOpts{Name: "assist_relay_" + m.name, Help: m.help}
		if m.label != "" {
			opts.ConstLabels = prometheus.Labels{m.label: m.value}
		}
		n := m.n
		if err := r.Register(prometheus.NewCounterFunc(opts, func() float64 { return float64(n.Load()) })); err != nil {
			return err
		}
	}
	for name, g := range map[string]struct {
		help  string
		value func() float64
	}{
		"connections": {"Outer connections being served.", func() float64 { return float64(s.Conns()) }},
		"handshakes":  {"Handshakes under way.", func() float64 { return float64(s.gate.pending.Load()) }},
		"channels":    {"Channels of consoles and hosts.", func() float64 { return float64(s.fwd.size()) }},
		"send_errors": {"Sends that failed in a way that may pass.", func() float64 { return float64(s.main.sock.Swallowed()) }},
	} {
		opts := prometheus.GaugeOpts{Name: "assist_relay_" + name, Help: g.help}
		if err := r.Register(prometheus.NewGaugeFunc(opts, g.value)); err != nil {
			return err
		}
	}
	return nil
}

func (f *forwarder) size() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.channels)
}
