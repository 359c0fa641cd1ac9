package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"assist/session/broker"
	"assist/session/broker/store"
	"assist/transport/relay"
	"assist/transport/tunnel"
)

const (
	drainFor = time.Second // for clients to read that the relay goes
	maxTCP   = 4096        // connections at once: tunnels, and browsers
)

// relayParts are the parts of a running relay.
type relayParts struct {
	store   *store.Store
	broker  *broker.Broker
	server  *relay.Server
	cert    certificate
	web     net.Listener
	tunnels *tunnel.Hub
	metrics net.Listener // nil: off
	reg     *prometheus.Registry
}

// outer lets the broker answer the relay's connections. The broker is set before the relay runs.
type outer struct{ broker *broker.Broker }

func (o *outer) ServeOuter(ctx context.Context, c *relay.Conn) {
	o.broker.ServeOuter(ctx, outerConn{c})
}

type outerConn struct{ *relay.Conn }

func (c outerConn) Accept(ctx context.Context) (broker.Stream, error) {
	s, err := c.Conn.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return s.(broker.Stream), nil // it says so: it has SetDeadline
}

// groups lets the broker tell the relay between whom to forward.
type groups struct{ *relay.Server }

func (g groups) NewGroup() broker.Group { return g.Server.NewGroup() }

func openRelay(ctx context.Context, f *relayFlags, log *slog.Logger) (r *relayParts, err error) {
	r = &relayParts{reg: prometheus.NewRegistry(), tunnels: tunnel.NewHub()}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var dir string
	if r.store, dir, err = f.relayPlace.open(ctx); err != nil {
		return r, err
	}
	keys, err := broker.LoadKeys(dir)
	if err != nil {
		return r, err
	}
	if r.cert, err = openCertificate(f, dir); err != nil {
		return r, err
	}
	handler := &outer{}
	if err := r.listen(f, relay.Config{TLS: r.cert.config, Handler: handler, ResetKey: keys.Reset, Log: log, Registerer: r.reg}); err != nil {
		return r, err
	}
	fleet, err := f.fleet(dir, r)
	if err != nil {
		return r, err
	}
	handler.broker, err = broker.New(ctx, broker.Config{
		Store: r.store, Keys: keys, Forwarder: groups{r.server}, Fleet: fleet,
		OrgKey:   func(org string) (ed25519.PrivateKey, error) { return broker.OrgKey(dir, org) },
		Software: software(), SecondPort: r.server.SecondPort(), Log: log, Registerer: r.reg,
	})
	r.broker = handler.broker
	return r, explainFleet(err)
}

// listen opens the UDP port, the TCP port of the same number, and the one for metrics.
func (r *relayParts) listen(f *relayFlags, conf relay.Config) (err error) {
	conf.Tunnels = r.tunnels
	for tries := anyPortTries; ; tries-- {
		if err = r.listenBoth(f.listen, conf); err == nil {
			break
		}
		if _, port, _ := net.SplitHostPort(f.listen); port != "0" || tries == 0 {
			return cannotListen(err)
		}
	}
	if f.metrics == "" {
		return nil
	}
	if r.metrics, err = net.Listen("tcp", f.metrics); err != nil {
		return cannotListen(err)
	}
	if a, err := netip.ParseAddrPort(r.metrics.Addr().String()); err == nil && !a.Addr().IsLoopback() {
		conf.Log.Warn("metrics can be read from other machines", "addr", a)
	}
	return nil
}

// anyPortTries is how often another port is looked for where any will do: a number that is free for TCP may be in use for UDP.
const anyPortTries = 20

// listenBoth opens a TCP port and the UDP port of the same number, or neither.
func (r *relayParts) listenBoth(listen string, conf relay.Config) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	tcp := net.ListenConfig{Control: tunnel.Control}
	web, err := tcp.Listen(context.Background(), "tcp", listen)
	if err != nil {
		return err
	}
	conf.Listen = net.JoinHostPort(host, strconv.Itoa(web.Addr().(*net.TCPAddr).Port))
	server, err := relay.Listen(conf)
	if err != nil {
		return errors.Join(err, web.Close())
	}
	r.web, r.server = web, server
	return nil
}

func cannotListen(err error) error {
	return &exitError{Code: exitFailed, Err: fmt.Errorf("listen: %w", err), Hint: "--listen takes another address or port, UDP and TCP"}
}

// close lets go of what run did not.
func (r *relayParts) close() {
	for _, l := range []net.Listener{r.web, r.metrics} {
		if l != nil {
			_ = l.Close() // closed already after run
		}
	}
	_ = r.tunnels.Close()
	if r.store != nil {
		_ = r.store.Close() // everything in it is on disk
	}
}

// run serves until ctx ends: then new requests are refused, open streams get a last word, connections some time to go, and
// everything stops. ready is called once all listens.
func (r *relayParts) run(ctx context.Context, ready func(readyEvent) error) error {
	all, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	relayCtx, stopRelay := context.WithCancel(failed)
	brokerCtx, stopBroker := context.WithCancel(failed)
	web := &http.Server{
		Handler: r.pages(), TLSConfig: r.cert.web, ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: quiet,
	}
	metrics := http.NewServeMux()
	metrics.Handle("GET /metrics", promhttp.HandlerFor(r.reg, promhttp.HandlerOpts{}))
	local := &http.Server{Handler: metrics, ReadHeaderTimeout: 5 * time.Second}
	all.Go(func() error { return r.broker.Run(brokerCtx) })
	all.Go(func() error { return r.server.Run(relayCtx) })
	all.Go(func() error { return unlessClosed(web.ServeTLS(netutil.LimitListener(r.web, maxTCP), "", "")) })
	if r.metrics != nil {
		all.Go(func() error { return unlessClosed(local.Serve(r.metrics)) })
	}
	all.Go(func() error {
		err := r.announce(ctx, ready)
		if err == nil {
			select {
			case <-ctx.Done():
			case <-failed.Done():
			}
		}
		notify("STOPPING=1")
		r.broker.Drain()
		stopBroker()
		r.drain(failed, web)
		stopRelay()
		return errors.Join(err, local.Close())
	})
	return all.Wait()
}

// pages is what the TCP port serves: tunnels, and what browsers ask for.
func (r *relayParts) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+tunnel.Path, r.tunnels)
	mux.Handle("/", r.broker.HTTP(r.cert.named))
	return mux
}

// drain gives clients and browsers drainFor to go by themselves. Clients who are still there are cut off when the relay stops.
func (r *relayParts) drain(ctx context.Context, web *http.Server) {
	last, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	_ = r.server.Drain(last)
	if web.Shutdown(last) != nil {
		_ = web.Close()
	}
}

func (r *relayParts) announce(ctx context.Context, ready func(readyEvent) error) error {
	pin, err := r.cert.pin(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it was ready
		}
		return err
	}
	e := readyEvent{Event: "ready", Addr: r.server.Addr().String(), Fingerprint: string(pin)}
	if r.metrics != nil {
		e.Metrics = r.metrics.Addr().String()
	}
	return ready(e)
}

func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
