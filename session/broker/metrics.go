package broker

import (
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"assist/transport/wire"
)

// counters are what the relay's owner can watch. Labels have few, fixed values; nothing in them names anybody.
type counters struct {
	requests *prometheus.CounterVec
}

func newCounters(r prometheus.Registerer, b *Broker) counters {
	c := counters{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assist_broker_requests_total", Help: "Requests that were answered, by kind and outcome.",
	}, []string{"kind", "outcome"})}
	if r == nil {
		return c
	}
	gauge := func(name, help string, f func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() (n float64) {
			_ = b.dir.do(func() error { n = float64(f()); return nil }) // 0 when the broker is gone
			return n
		})
	}
	r.MustRegister(c.requests,
		gauge("assist_broker_sessions", "Sessions that have not ended.", func() int { return len(b.dir.byID) }),
		gauge("assist_broker_hosts", "Hosts that are connected.", func() (n int) {
			for _, s := range b.dir.byID {
				if s.host != nil {
					n++
				}
			}
			return n
		}),
		gauge("assist_broker_machines", "Enrolled machines that are connected.", func() int { return len(b.dir.machines) }),
		gauge("assist_broker_consoles", "Consoles that are in a session.", func() (n int) {
			for _, s := range b.dir.byID {
				n += len(s.consoles)
			}
			return n
		}),
	)
	return c
}

func (c counters) request(r *wire.Request, err error) {
	c.requests.WithLabelValues(kindName(r), outcome(err)).Inc()
}

func kindName(r *wire.Request) string {
	m := r.ProtoReflect()
	f := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
	if f == nil {
		return "unknown"
	}
	return strings.ToLower(string(f.Name()))
}

var outcomes = map[uint32]string{
	wire.CodeBadRequest: "bad_request", wire.CodeBadLogin: "bad_login", wire.CodeLoginNeeded: "login_needed",
	wire.CodeUnknownCode: "unknown_code", wire.CodeSlowDown: "slow_down", wire.CodeHostGone: "host_gone",
	wire.CodeNoMachine: "no_machine", wire.CodeOffline: "offline", wire.CodeMachineKey: "machine_key", wire.CodeToken: "bad_token",
	wire.CodeForbidden: "forbidden", wire.CodeDraining: "draining", wire.CodeFull: "full",
	wire.CodeMoved: "moved",
}

func outcome(err error) string {
	var r *refusal
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &r):
		return outcomes[r.code]
	case errors.Is(err, errDraining):
		return "draining"
	case errors.Is(err, errFull):
		return "full"
	case errors.Is(err, errHostGone):
		return "host_gone"
	}
	return "failed"
}

// fleetCounters are what a relay among others adds.
type fleetCounters struct{ taken, given, fenced prometheus.Counter }

func newFleetCounters(r prometheus.Registerer, f *fleet) fleetCounters {
	sessions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assist_fleet_sessions_total", Help: "Sessions that changed hands: taken over, given away while draining, or let go because another relay had taken them.",
	}, []string{"what"})
	c := fleetCounters{sessions.WithLabelValues("taken"), sessions.WithLabelValues("given"), sessions.WithLabelValues("fenced")}
	if r == nil {
		return c
	}
	r.MustRegister(sessions,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "assist_fleet_database_up", Help: "1 while the database answers."}, func() float64 {
			if f.away.Load() {
				return 0
			}
			return 1
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "assist_fleet_relays", Help: "Other relays that take sessions."}, func() float64 {
			return float64(len(*f.siblings.Load()))
		}),
	)
	return c
}
