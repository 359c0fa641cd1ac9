package broker

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"assist/session/broker/store"
	"assist/transport/wire"
)

func TestMain(m *testing.M) {
	hashing.Memory, hashing.Iterations = 64, 1 // what is tested is not how slow it is
	goleak.VerifyTestMain(m)
}

const password = "correct horse"

// world is a broker with one organisation and its agents, and everything that connects to it.
type world struct {
	t     *testing.T
	dir   string
	store *store.Store
	b     *Broker
	fwd   *forwards
	keys  Keys
	admin Admin
	fleet *Fleet // nil: alone

	stop    context.CancelFunc
	ran     chan struct{}
	callers []*caller // all that ever connected
}

// inWorld runs a test on virtual time.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, dir: dir, fwd: &forwards{}}
		w.open()
		defer w.close()
		w.admin = Admin{Store: w.store, Dir: dir}
		if _, err := w.admin.AddOrg(t.Context(), "acme", "Acme Ltd"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"eve", "bob", "mia"} {
			if _, err := w.admin.AddAgent(t.Context(), name+"@acme", password, name == "mia"); err != nil {
				t.Fatal(err)
			}
		}
		defer func() {
			for _, c := range w.callers {
				c.hangUp()
			}
		}()
		test(t, w)
	})
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.keys, err = LoadKeys(w.dir); err != nil {
		w.t.Fatal(err)
	}
	if w.store, err = store.Open(context.Background(), w.dir); err != nil {
		w.t.Fatal(err)
	}
	w.b, err = New(context.Background(), Config{
		Store: w.store, Keys: w.keys, Forwarder: w.fwd, Sessions: 20, Software: "test", Fleet: w.fleet,
		OrgKey: func(org string) (ed25519.PrivateKey, error) { return OrgKey(w.dir, org) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop, w.ran = cancel, make(chan struct{})
	go func() {
		defer close(w.ran)
		if err := w.b.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
}

func (w *world) close() {
	w.stop()
	<-w.ran
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// restart is the relay process dying and coming back.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
	w.admin.Store = w.store
}

// forwards remembers who may send to whom.
type forwards struct {
	mu     sync.Mutex
	groups []*group
}

type group struct {
	mu     sync.Mutex
	peers  map[uint32]bool
	closed bool
	next   uint64
}

func (f *forwards) NewGroup() Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := &group{peers: map[uint32]bool{}}
	f.groups = append(f.groups, g)
	return g
}

func (f *forwards) last() *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups[len(f.groups)-1]
}

func (g *group) Join(peer uint32) (*wire.Channel, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errors.New("group closed")
	}
	g.peers[peer] = true
	g.next++
	return &wire.Channel{Id: g.next, Secret: make([]byte, 32), Self: peer}, nil
}

func (g *group) Leave(peer uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.peers, peer)
}

func (g *group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	clear(g.peers)
}

func (g *group) has(peer uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.peers[peer]
}

// caller is the client end of an outer connection.
type caller struct {
	w      *world
	key    [32]byte
	addr   netip.AddrPort
	in     chan Stream
	cancel context.CancelFunc
	gone   chan struct{}
}

func (c *caller) Key() ([32]byte, bool)  { return c.key, c.key != [32]byte{} }
func (c *caller) Remote() netip.AddrPort { return c.addr }
func (c *caller) Accept(ctx context.Context) (Stream, error) {
	select {
	case s := <-c.in:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// dial connects with a device key and exchanges Hello.
func (w *world) dial(key byte, addr string) *caller {
	w.t.Helper()
	c := w.connect(key, addr)
	var hello wire.HelloReply
	s := c.open(&wire.Hello{MinVersion: wire.MinVersion, MaxVersion: wire.MaxVersion})
	if err := wire.ReadMsg(s, wire.LimitControl, &hello); err != nil || hello.Version != wire.MaxVersion || hello.Observed != c.addr.String() {
		w.t.Fatalf("hello: %v %v", &hello, err)
	}
	s.Close()
	return c
}

func (w *world) connect(key byte, addr string) *caller {
	ctx, cancel := context.WithCancel(context.Background())
	c := &caller{
		w: w, key: [32]byte{key}, addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 4000), in: make(chan Stream),
		cancel: cancel, gone: make(chan struct{}),
	}
	w.callers = append(w.callers, c)
	go func() {
		defer close(c.gone)
		w.b.ServeOuter(ctx, c)
	}()
	return c
}

// hangUp ends the connection; the broker sees the streams fail, not end.
func (c *caller) hangUp() {
	c.cancel()
	<-c.gone
}

// wireEnd is the broker's end of a stream, which can be lost rather than ended.
type wireEnd struct {
	net.Conn
	lost atomic.Bool
}

func (s *wireEnd) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err == io.EOF && s.lost.Load() {
		err = errors.New("connection lost")
	}
	return n, err
}

// open opens a stream with its first message.
func (c *caller) open(m proto.Message) net.Conn {
	c.w.t.Helper()
	ours, theirs := net.Pipe()
	c.in <- &wireEnd{Conn: theirs}
	if err := wire.WriteMsg(ours, m); err != nil {
		c.w.t.Fatal(err)
	}
	return ours
}

// ask makes one exchange.
func (c *caller) ask(r *wire.Request) *wire.Reply {
	c.w.t.Helper()
	s := c.open(r)
	defer s.Close()
	var reply wire.Reply
	if err := wire.ReadMsg(s, wire.LimitControl, &reply); err != nil {
		c.w.t.Fatalf("%T: %v", r.Kind, err)
	}
	return &reply
}

// subscription is an exchange that stays open.
type subscription struct {
	t       *testing.T
	s       net.Conn
	replies chan *wire.Reply // closed at the end of the stream
}

func (c *caller) subscribe(r *wire.Request) *subscription {
	c.w.t.Helper()
	sub := &subscription{t: c.w.t, s: c.open(r), replies: make(chan *wire.Reply, 1000)}
	go func() {
		defer close(sub.replies)
		for {
			var reply wire.Reply
			if wire.ReadMsg(sub.s, wire.LimitControl, &reply) != nil {
				return
			}
			sub.replies <- &reply
		}
	}()
	return sub
}

// next is the next reply, nil when there is none within a while or at all.
func (s *subscription) next() *wire.Reply {
	select {
	case r := <-s.replies:
		return r
	case <-time.After(2 * time.Second):
		return nil
	}
}

func (s *subscription) close() {
	s.s.Close()
	for range s.replies {
	}
}

func (w *world) login(c *caller, user string) string {
	w.t.Helper()
	r := c.ask(loginRequest(user, password))
	if r.Problem != nil {
		w.t.Fatalf("login: %v", r.Problem)
	}
	return r.GetLoggedIn().Token
}

func loginRequest(user, password string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Login{Login: &wire.Login{Account: user, Password: password, Device: "laptop"}}}
}

func whoamiRequest(token string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Whoami{Whoami: &wire.Whoami{Token: token}}}
}

func openRequest(code string, hostKey byte) *wire.Request {
	key := [32]byte{hostKey}
	return &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{Code: code, HostKey: key[:]}}}
}

func joinRequest(token, code string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Token: token, Code: code}}}
}

func startRequest(token string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Start{Start: &wire.Start{Token: token}}}
}

func closeRequest(token string, session []byte) *wire.Request {
	return &wire.Request{Kind: &wire.Request_CloseCode{CloseCode: &wire.CloseCode{Token: token, Session: session}}}
}

func (w *world) audit(kind string) (n int) {
	w.t.Helper()
	err := w.store.Events(context.Background(), 0, func(e store.Event) error {
		if e.Kind == kind {
			n++
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
