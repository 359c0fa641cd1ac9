package transporttest

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assist/transport"
)

// Conditions of a path, the same in both directions.
type Conditions struct {
	Delay  time.Duration // one way
	Jitter time.Duration // up to this much more, evenly; packets keep their order
	Loss   float64       // share of packets that are lost, 0 to 1
	Rate   int           // bytes a second, headers of IPv6 and UDP counted; 0 is no limit
	Queue  time.Duration // what a Rate lets wait; more is dropped. 0: 200 ms, as in a home router
	MTU    int           // IPv6 packets longer than this are lost without a word; 0 is no limit
	Down   bool          // nothing passes
}

// Holds is how much a line of these conditions lets wait.
func (c *Conditions) Holds() time.Duration {
	if c.Queue == 0 {
		return queueSpan
	}
	return c.Queue
}

const (
	headers    = 40 + 8 // IPv6 and UDP
	queueSpan  = 200 * time.Millisecond
	queueLimit = 8192 // packets on their way in one direction
)

// Proxy is a UDP path to a relay.
type Proxy struct {
	front  *net.UDPConn
	target netip.AddrPort
	now    atomic.Pointer[Conditions]

	Dropped atomic.Uint64 // packets, for whatever reason
	Longest atomic.Int64  // bytes of the longest IPv6 packet that passed
	Up      atomic.Uint64 // bytes that passed towards the relay, headers counted
	Down    atomic.Uint64 // the same, from it

	mu      sync.Mutex
	dice    *rand.Rand
	flows   map[netip.AddrPort]*flow
	closed  bool
	running sync.WaitGroup
}

// flow is one client.
type flow struct {
	back     *net.UDPConn // its source address towards the target
	up, down *pipe
}

// NewProxy puts a path before r until the test ends. The same seed loses the same packets, if they come in the same order.
func NewProxy(t testing.TB, r transport.Relay, c Conditions, seed uint64) *Proxy {
	t.Helper()
	target := netip.MustParseAddrPort(r.Addr)
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: target.Addr().AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	_ = front.SetReadBuffer(4 << 20) // less is what the system allows
	p := &Proxy{front: front, target: target, dice: rand.New(rand.NewPCG(seed, 1)), flows: map[netip.AddrPort]*flow{}}
	p.Set(c)
	p.running.Go(p.readFront)
	t.Cleanup(p.close)
	return p
}

// Relay is r as it is reached through the path.
func (p *Proxy) Relay(r transport.Relay) transport.Relay {
	r.Addr = p.front.LocalAddr().String()
	return r
}

// Set changes the conditions for packets from now on.
func (p *Proxy) Set(c Conditions) { p.now.Store(&c) }

// Roam gives every client another address towards the relay, as when a NAT forgets it or a laptop changes its network.
func (p *Proxy) Roam() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for from, f := range p.flows {
		f.close()
		delete(p.flows, from)
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Roam()
	_ = p.front.Close()
	p.running.Wait()
}

func (f *flow) close() {
	f.up.close()
	f.down.close()
	_ = f.back.Close()
}

func (p *Proxy) readFront() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := p.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if f := p.flow(from); f != nil {
			p.pass(f.up, &p.Up, buf[:n])
		}
	}
}

// flow is the flow of a client, made when it is new; nil when the proxy is closing.
func (p *Proxy) flow(from netip.AddrPort) *flow {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.flows[from]; f != nil || p.closed {
		return f
	}
	back, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.target))
	if err != nil {
		return nil
	}
	_ = back.SetReadBuffer(4 << 20) // less is what the system allows
	f := &flow{
		back: back,
		up:   newPipe(func(b []byte) { _, _ = back.Write(b) }), // a refused packet is a lost one
		down: newPipe(func(b []byte) { _, _ = p.front.WriteToUDPAddrPort(b, from) }),
	}
	p.flows[from] = f
	p.running.Go(f.up.run)
	p.running.Go(f.down.run)
	p.running.Go(func() { p.readBack(f) })
	return f
}

func (p *Proxy) readBack(f *flow) {
	buf := make([]byte, 1<<16)
	for {
		n, err := f.back.Read(buf)
		if err != nil {
			if f.down.isClosed() {
				return
			}
			continue // the port at the other side is closed just now
		}
		p.pass(f.down, &p.Down, buf[:n])
	}
}

// pass decides what becomes of a packet.
func (p *Proxy) pass(way *pipe, sum *atomic.Uint64, b []byte) {
	c := p.now.Load()
	p.mu.Lock()
	lost := c.Loss > 0 && p.dice.Float64() < c.Loss
	late := c.Delay
	if c.Jitter > 0 {
		late += time.Duration(p.dice.Int64N(int64(c.Jitter)))
	}
	p.mu.Unlock()
	long := int64(len(b) + headers)
	if c.Down || lost || (c.MTU > 0 && long > int64(c.MTU)) || !way.put(b, late, c) {
		p.Dropped.Add(1)
		return
	}
	sum.Add(uint64(long))
	for {
		was := p.Longest.Load()
		if long <= was || p.Longest.CompareAndSwap(was, long) {
			return
		}
	}
}

// pipe delivers packets in order, each when its time has come.
type pipe struct {
	send func([]byte)
	wake chan struct{}
	done chan struct{}
	once sync.Once

	mu     sync.Mutex
	queue  []waiting
	free   time.Time // when the link has sent what it has
	newest time.Time // delivery time of the last packet
}

type waiting struct {
	at time.Time
	b  []byte
}

func newPipe(send func([]byte)) *pipe {
	return &pipe{send: send, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (w *pipe) put(b []byte, late time.Duration, c *Conditions) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	at := now
	if c.Rate > 0 {
		if w.free.Before(now) {
			w.free = now
		}
		if w.free.Sub(now) > c.Holds() {
			return false
		}
		w.free = w.free.Add(time.Duration(len(b)+headers) * time.Second / time.Duration(c.Rate))
		at = w.free
	}
	if at = at.Add(late); at.Before(w.newest) {
		at = w.newest
	}
	if len(w.queue) >= queueLimit {
		return false
	}
	w.newest = at
	w.queue = append(w.queue, waiting{at, append([]byte(nil), b...)})
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true
}

func (w *pipe) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.mu.Lock()
		due := w.queue
		n := 0
		for n < len(due) && time.Until(due[n].at) <= 0 {
			n++
		}
		w.queue = due[n:]
		if len(w.queue) > 0 {
			timer.Reset(time.Until(w.queue[0].at))
		}
		w.mu.Unlock()
		for _, p := range due[:n] {
			w.send(p.b)
		}
		select {
		case <-w.wake:
		case <-timer.C:
		case <-w.done:
			return
		}
	}
}

func (w *pipe) close() { w.once.Do(func() { close(w.done) }) }

func (w *pipe) isClosed() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}
