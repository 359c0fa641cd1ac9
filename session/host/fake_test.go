package host

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net"
	"sync"
	"time"

	"assist/screen"
	"assist/transport"
	"assist/transport/wire"
)

// pipe is a stream in memory: net.Pipe has deadlines, and a write waits for its reader.
type pipe struct {
	net.Conn
	mu  sync.Mutex
	cut bool
}

func (p *pipe) CancelRead(uint64) { p.Close() }
func (p *pipe) CancelWrite(uint64) {
	p.mu.Lock()
	p.cut = true
	p.mu.Unlock()
	p.Close()
}
func (p *pipe) SetUrgency(int8) {}
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.cut {
		err = &transport.ResetError{}
	}
	return n, err
}

type opened struct {
	kind wire.StreamKind
	s    *pipe
}

// fakeLink is both ends of a link: the host's methods and what a console does with it.
type fakeLink struct {
	device   transport.Fingerprint
	streams  chan opened // from the console
	unis     chan opened // from the console
	pictures chan *pipe  // to the console
	inputs   chan []byte // datagrams from the console
	taken    chan uint64 // and the answers, the newest
	done     chan struct{}
	once     sync.Once
	err      error
	mu       sync.Mutex
	all      []*pipe
	line     transport.Line
}

func newFakeLink(device transport.Fingerprint) *fakeLink {
	return &fakeLink{device: device, streams: make(chan opened, 8), unis: make(chan opened, 8), pictures: make(chan *pipe, 64), inputs: make(chan []byte, 64), taken: make(chan uint64, 1), done: make(chan struct{})}
}

func (l *fakeLink) pipe() (a, b *pipe) {
	x, y := net.Pipe()
	a, b = &pipe{Conn: x}, &pipe{Conn: y}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, a, b)
	return a, b
}

func (l *fakeLink) Exporter(string, []byte, int) ([]byte, error) { return make([]byte, 32), nil }
func (l *fakeLink) PeerFingerprint() transport.Fingerprint       { return l.device }
func (l *fakeLink) LastHeard() time.Time                         { return time.Now() }
func (l *fakeLink) Way() transport.Change                        { return transport.Change{Path: transport.PathRelay} }
func (l *fakeLink) SeekDirect()                                  {}
func (l *fakeLink) Stranded() bool                               { return false }
func (l *fakeLink) Done() <-chan struct{}                        { return l.done }
func (l *fakeLink) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

func (l *fakeLink) ReceiveDatagram(ctx context.Context) (wire.DatagramKind, []byte, error) {
	select {
	case b := <-l.inputs:
		return wire.DatagramInput, b, nil
	case <-l.done:
		return 0, nil, l.err
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
}

func (l *fakeLink) SendDatagram(_ context.Context, kind wire.DatagramKind, b []byte) error {
	seq, err := wire.ParseTaken(b)
	if err != nil || kind != wire.DatagramTaken {
		return fmt.Errorf("datagram %d %x: %w", kind, b, err)
	}
	select {
	case <-l.taken:
	default:
	}
	l.taken <- seq
	return nil
}

func (l *fakeLink) Join(transport.Stream) error { return errors.New("no lanes") }

func (l *fakeLink) Line() transport.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line
}

// say changes what the link says of its line.
func (l *fakeLink) say(change func(*transport.Line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.line)
}

func (l *fakeLink) Close(code uint64, reason string) { l.shut(code, reason, false) }
func (l *fakeLink) shut(code uint64, reason string, remote bool) {
	l.once.Do(func() {
		l.err = &transport.ClosedError{Code: code, Reason: reason, Remote: remote}
		close(l.done)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, p := range l.all {
			p.Close()
		}
	})
}

func (l *fakeLink) OpenUni(ctx context.Context, _ wire.StreamKind) (transport.SendStream, error) {
	a, b := l.pipe()
	select {
	case l.pictures <- b:
		return a, nil
	case <-l.done:
		return nil, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *fakeLink) AcceptStream(ctx context.Context) (wire.StreamKind, transport.Stream, error) {
	k, s, err := l.next(ctx, l.streams)
	return k, s, err
}

func (l *fakeLink) AcceptUni(ctx context.Context) (wire.StreamKind, transport.ReceiveStream, error) {
	k, s, err := l.next(ctx, l.unis)
	return k, s, err
}

func (l *fakeLink) next(ctx context.Context, from chan opened) (wire.StreamKind, *pipe, error) {
	select {
	case o := <-from:
		return o.kind, o.s, nil
	case <-l.done:
		return 0, nil, l.err
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
}

type fakeDoor chan *fakeLink

func (d fakeDoor) accept(ctx context.Context) (link, error) {
	select {
	case l := <-d:
		return l, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fakeDisplay is a source and an injector.
type fakeDisplay struct {
	mu      sync.Mutex
	frame   screen.Frame
	damage  screen.Damage
	looked  []byte // what the host looks at between two grabs
	changed chan struct{}
	at      screen.Pointer
	grabs   int
	played  []screen.Input
	release int
	stuck   chan struct{} // when set, the display does not answer until it is closed
}

func newFakeDisplay() *fakeDisplay {
	size := image.Pt(64, 48)
	return &fakeDisplay{
		frame:   screen.Frame{Size: size, Stride: size.X * 4, Pix: make([]byte, size.X*size.Y*4)},
		changed: make(chan struct{}, 1), looked: make([]byte, size.X*size.Y*4),
	}
}

func (d *fakeDisplay) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (d *fakeDisplay) Changed() <-chan struct{}      { return d.changed }
func (d *fakeDisplay) Display() screen.Display {
	d.mu.Lock()
	defer d.mu.Unlock()
	return screen.Display{Size: d.frame.Size, Name: ":9"}
}

func (d *fakeDisplay) Pointer() (screen.Pointer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, nil
}

func (d *fakeDisplay) Grab() (*screen.Frame, screen.Damage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.grabs++
	d.frame.Seq++
	d.frame.Time = time.Now()
	dmg := d.damage
	if d.grabs == 1 {
		dmg = screen.Damage{{Max: d.frame.Size}}
	}
	d.damage = nil
	copy(d.looked, d.frame.Pix)
	f := d.frame
	f.Pix = d.looked
	return &f, dmg, nil
}

// paint fills the display with one shade.
func (d *fakeDisplay) paint(shade byte) {
	d.mu.Lock()
	for i := range d.frame.Pix {
		d.frame.Pix[i] = shade
	}
	d.damage = append(d.damage, image.Rectangle{Max: d.frame.Size})
	d.mu.Unlock()
	wake(d.changed)
}

func (d *fakeDisplay) Play(ev screen.Input) error {
	d.answer()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.played = append(d.played, ev)
	return nil
}

// answer waits as long as the display is stuck.
func (d *fakeDisplay) answer() {
	d.mu.Lock()
	stuck := d.stuck
	d.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
}

func (d *fakeDisplay) ReleaseAll() error {
	d.answer()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.release++
	return nil
}
func (d *fakeDisplay) Close() error { return nil }

func (d *fakeDisplay) kinds() []screen.InputKind {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []screen.InputKind
	for _, ev := range d.played {
		out = append(out, ev.Kind)
	}
	return out
}
