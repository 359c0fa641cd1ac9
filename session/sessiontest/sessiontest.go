// Package sessiontest puts a whole session into one process: a relay with its broker and a database in a temporary folder, a
// customer's host with a painted display and a recorder for input, and any number of agents' consoles, joined over
// loopback by the real transport. Tests see what the customer and the agents see.
//
// Everything is started by a test and gone at its end; what does not end within a few seconds fails the test. Waiting is
// for a condition, never for a time. The package has no rules of its own, and nothing outside of tests imports it.
package sessiontest

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"assist/session/agent"
	"assist/session/broker"
	"assist/session/broker/store"
	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

// patience is how long a condition may take to come true; a test that waits so long fails.
const patience = 30 * time.Second

// password of every agent.
const password = "correct horse battery staple"

// Relay is a relay with its broker.
type Relay struct {
	transport.Relay
	Keys  broker.Keys
	admin broker.Admin
	orgs  map[string]bool
	id    transport.Identity
	net   *network // nil: loopback
	path  *Path    // of the relay's machine in net
	t     testing.TB
	stop  func()
}

// outer lets the broker answer the relay's connections.
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
	return s.(broker.Stream), nil
}

type groups struct{ *relay.Server }

func (g groups) NewGroup() broker.Group { return g.Server.NewGroup() }

// NewRelay starts a relay on loopback that lives as long as the test.
func NewRelay(t testing.TB) *Relay {
	t.Helper()
	return newRelay(t, t.TempDir(), nil)
}

func newRelay(t testing.TB, dir string, n *network) *Relay {
	t.Helper()
	keys, err := broker.LoadKeys(dir)
	must(t, err)
	id, err := transport.NewIdentity()
	must(t, err)
	r := &Relay{Keys: keys, id: id, admin: broker.Admin{Dir: dir}, orgs: map[string]bool{}, net: n, t: t}
	r.Relay = transport.Relay{Addr: "127.0.0.1:0", Pin: id.Fingerprint.Pin()}
	if n != nil {
		r.path = n.newPath(transporttest.Conditions{})
	}
	r.Restart()
	t.Cleanup(func() { r.stop() })
	return r
}

// Restart starts the relay on the address that it had, with what is in its folder.
func (r *Relay) Restart() {
	r.t.Helper()
	ctx := r.t.Context()
	db, err := store.Open(ctx, r.admin.Dir)
	must(r.t, err)
	handler := &outer{}
	conf := relay.Config{
		Listen: r.Addr, TLS: &tls.Config{Certificates: []tls.Certificate{r.id.Cert}}, Handler: handler, ResetKey: r.Keys.Reset,
	}
	if r.path != nil {
		conf.Conn, err = r.path.openAt(relayPort)
		must(r.t, err)
	}
	server, err := relay.Listen(conf)
	must(r.t, err)
	handler.broker, err = broker.New(ctx, broker.Config{
		Store: db, Keys: r.Keys, Forwarder: groups{server}, Software: "assist test",
		OrgKey: func(org string) (ed25519.PrivateKey, error) { return broker.OrgKey(r.admin.Dir, org) },
	})
	must(r.t, err)
	r.Addr, r.admin.Store = server.Addr().String(), db
	stopBroker, stopServer := run(r.t, "broker", handler.broker.Run), run(r.t, "relay", server.Run)
	r.stop = sync.OnceFunc(func() {
		stopBroker()
		stopServer()
		must(r.t, db.Close())
	})
}

// Stop ends the relay: its consoles and hosts are told so.
func (r *Relay) Stop() { r.stop() }

// Kill ends the relay as kill -9 does: nobody is told. It needs a simulated network.
func (r *Relay) Kill() {
	r.path.Set(transporttest.Conditions{Down: true})
	r.stop()
	r.path.Set(transporttest.Conditions{})
}

// run starts a Run and gives back what ends it and waits for that.
func run(t testing.TB, what string, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stopped := false
	return func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil && err != context.Canceled {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(patience):
			t.Errorf("%s does not end", what)
		}
	}
}

// Agent is somebody with an account, signed in on one device.
type Agent struct {
	Handle   string
	Identity transport.Identity
	Token    string
}

// NewAgent makes the account NAME@ORG, with its organisation if need be, and signs in.
func (r *Relay) NewAgent(handle string) Agent {
	r.t.Helper()
	ctx := r.t.Context()
	_, org, _ := strings.Cut(handle, "@")
	if !r.orgs[org] {
		_, err := r.admin.AddOrg(ctx, org, strings.ToUpper(org[:1])+org[1:])
		must(r.t, err)
		r.orgs[org] = true
	}
	_, err := r.admin.AddAgent(ctx, handle, password, false)
	must(r.t, err)
	return r.SignIn(handle)
}

// SignIn signs an account in on another device.
func (r *Relay) SignIn(handle string) Agent {
	r.t.Helper()
	id, err := transport.NewIdentity()
	must(r.t, err)
	o := r.Dial(id)
	defer o.Close()
	reply, err := o.Request(r.t.Context(), &wire.Request{Kind: &wire.Request_Login{Login: &wire.Login{Account: handle, Password: password, Device: "test"}}})
	must(r.t, err)
	return Agent{Handle: handle, Identity: id, Token: reply.GetLoggedIn().GetToken()}
}

// OrgPin is what a host needs to know an organisation by.
func (r *Relay) OrgPin(org string) transport.Pin {
	r.t.Helper()
	o, err := r.admin.Store.Org(r.t.Context(), org)
	must(r.t, err)
	id, err := transport.IdentityFromKey(must1(broker.OrgKey(r.admin.Dir, org)))
	must(r.t, err)
	if string(id.Key.Public().(ed25519.PublicKey)) != string(o.Key) {
		r.t.Fatalf("organisation %s has another key on disk than in the database", org)
	}
	return id.Fingerprint.Pin()
}

// Dial connects to the relay as anybody can.
func (r *Relay) Dial(id transport.Identity) *transport.Outer {
	r.t.Helper()
	o, err := transport.DialRelay(r.t.Context(), r.Relay, id, r.options(nil))
	must(r.t, err)
	return o
}

// options are those of a machine behind a path; nil: one with a good path of its own.
func (r *Relay) options(p *Path) transport.Options {
	opt := transport.Options{Software: "assist test", Path: transport.PathRelay} // what is tested is not the way
	if r.net != nil {
		if p == nil {
			p = r.net.newPath(transporttest.Conditions{})
		}
		opt.Open = p.open
	}
	return opt
}

// Config is what the console of a begins with.
func (r *Relay) Config(a Agent, code string) agent.Config {
	return agent.Config{
		Relay: r.Relay, Identity: a.Identity, Token: a.Token, Code: code, Device: "test", Software: "assist test", Options: r.options(nil),
	}
}

// Behind is a path with a console at its end; it needs a simulated network.
func (r *Relay) Behind(a Agent, code string, c transporttest.Conditions) (agent.Config, *Path) {
	path := r.net.newPath(c)
	conf := r.Config(a, code)
	conf.Options = r.options(path)
	return conf, path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("sessiontest: %v", err))
	}
	return v
}

// Until waits for a condition, looking again whenever changed has a signal and every few milliseconds.
func Until(t testing.TB, what string, changed <-chan struct{}, ok func() bool) {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-changed:
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
