package host

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"image"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/screen/codec"
	"assist/session"
	"assist/session/inner"
	"assist/session/inner/badge"
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
	done     chan struct{}
	once     sync.Once
	err      error
	mu       sync.Mutex
	all      []*pipe
	silent   bool // Close takes a long time
}

func newFakeLink(device transport.Fingerprint) *fakeLink {
	return &fakeLink{device: device, streams: make(chan opened, 8), unis: make(chan opened, 8), pictures: make(chan *pipe, 64), done: make(chan struct{})}
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
func (l *fakeLink) Done() <-chan struct{}                        { return l.done }
func (l *fakeLink) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
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
		changed: make(chan struct{}, 1),
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
	return &d.frame, dmg, nil
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

// stage is a host on virtual time with consoles around it.
type stage struct {
	t       *testing.T
	h       *Host
	display *fakeDisplay
	door    fakeDoor
	broker  ed25519.PrivateKey
	at      place
	cancel  context.CancelFunc
	ended   chan error
	acts    chan Act
	mu      sync.Mutex
	view    View
	events  []Event
	badges  int
}

// Run makes the stage a front.
func (s *stage) Run(ctx context.Context, views <-chan View, act func(Act)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case v := <-views:
			s.mu.Lock()
			s.view = v
			s.mu.Unlock()
		case a := <-s.acts:
			act(a)
		}
	}
}

func (s *stage) seen() View {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

func (s *stage) told(event string) bool {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.events, func(e Event) bool { return e.Event == event })
}

// onStage runs a test on virtual time.
func onStage(t *testing.T, change func(*Config), play func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		pub, key, _ := ed25519.GenerateKey(nil)
		s := &stage{t: t, display: newFakeDisplay(), door: make(fakeDoor), broker: key, ended: make(chan error, 1), acts: make(chan Act)}
		cfg := Config{Source: s.display, Injector: s.display, Customer: "Sam", Answer: &AutoAnswer{Allow: session.AllGrants}, Fronts: []Front{s}}
		cfg.Events = func(e Event) { s.mu.Lock(); s.events = append(s.events, e); s.mu.Unlock() }
		if change != nil {
			change(&cfg)
		}
		var err error
		if s.h, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		s.at = place{code: "12345678", url: "https://relay/j/12345678", session: [16]byte{1}, key: pub}
		ctx, cancel := context.WithCancel(t.Context())
		s.cancel = cancel
		go func() { s.ended <- s.h.serve(ctx, s.door, s.at) }()
		play(s)
		cancel()
		select {
		case err := <-s.ended:
			s.ended <- err
		case <-time.After(5 * time.Second):
			t.Fatal("the host does not end")
		}
	})
}

// badge makes one for a device; change may spoil it.
func (s *stage) badge(agent string, device transport.Fingerprint, change func(*badge.Claims)) string {
	s.badges++
	c := badge.Claims{
		ID: time.Now().String() + agent + string(rune('a'+s.badges)), Session: s.at.session, Host: s.h.id.Fingerprint, Device: device, Agent: agent,
		Name: agent, Handle: agent + "@acme", Org: "acme", OrgTitle: "Acme Ltd", Ceiling: session.Lead, Issued: time.Now(), Expires: time.Now().Add(badge.Life),
	}
	if change != nil {
		change(&c)
	}
	text, err := badge.Sign(s.broker, c)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// guest is a console.
type guest struct {
	s       *stage
	link    *fakeLink
	control *pipe
	words   []string
	pings   bool

	mu     sync.Mutex
	got    []*inner.ToConsole
	err    error
	screen *pipe
	input  *pipe
	seq    uint64
	shown  []*screen.Picture
	at     []time.Time // of shown
	told   []screen.Message
	frozen chan struct{} // when set, pictures are not read until it is closed
}

func device(agent string) transport.Fingerprint { return transport.Fingerprint{0: 7, 1: agent[0]} }

// arrive makes the handshake. With fail a refusal is fine.
func (s *stage) arrive(agent string, spoil func(*badge.Claims)) *guest {
	g := &guest{s: s, link: newFakeLink(device(agent)), pings: true}
	s.door <- g.link
	ours, theirs := g.link.pipe()
	g.control = ours
	g.link.streams <- opened{wire.StreamControl, theirs}
	plate, err := inner.Greet(ours, g.link, inner.Greeting{Badge: s.badge(agent, device(agent), spoil), Want: session.AllGrants})
	if err != nil {
		s.t.Fatal(err)
	}
	g.words = plate.Words
	go g.hear()
	go g.beat()
	synctest.Wait()
	return g
}

func (g *guest) hear() {
	for {
		m, err := inner.ReadToConsole(g.control)
		g.mu.Lock()
		if err != nil {
			g.err = err
			g.mu.Unlock()
			return
		}
		g.got = append(g.got, m)
		g.mu.Unlock()
	}
}

func (g *guest) beat() {
	for {
		select {
		case <-g.link.done:
			return
		case <-time.After(time.Second):
			if g.pings {
				_ = wire.WriteMsg(g.control, &inner.ToHost{Kind: &inner.ToHost_Ping{Ping: &inner.Ping{UnixUs: 1}}})
			}
		}
	}
}

// find gives the newest message that fits.
func find[T any](g *guest, pick func(*inner.ToConsole) T, fits func(T) bool) (T, bool) {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range slices.Backward(g.got) {
		if x := pick(m); fits(x) {
			return x, true
		}
	}
	var none T
	return none, false
}

func (g *guest) welcome() *inner.Welcome {
	w, _ := find(g, (*inner.ToConsole).GetWelcome, func(w *inner.Welcome) bool { return w != nil })
	return w
}

func (g *guest) refused() *inner.Refused {
	r, _ := find(g, (*inner.ToConsole).GetRefused, func(r *inner.Refused) bool { return r != nil })
	return r
}

func (g *guest) entries() []string {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for _, m := range g.got {
		for _, e := range append(m.GetWelcome().GetLog(), m.GetEntry()) {
			if e.GetKind() == uint32(chat.Said) {
				out = append(out, e.Text)
			}
		}
	}
	return out
}

func (g *guest) say(m *inner.ToHost) *inner.Outcome {
	g.s.t.Helper()
	g.seq++
	m.Id = 1000 + g.seq
	if err := wire.WriteMsg(g.control, m); err != nil {
		g.s.t.Fatal(err)
	}
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, got := range g.got {
		if got.Id == m.Id {
			return got.GetOutcome()
		}
	}
	g.s.t.Fatalf("no answer to %v", m)
	return nil
}

// watch opens the screen stream and looks at the whole display.
func (g *guest) watch(id uint32) {
	if g.screen == nil {
		ours, theirs := g.link.pipe()
		g.screen = ours
		g.link.streams <- opened{wire.StreamScreen, theirs}
		go g.hearScreen()
		go g.lookAtPictures()
	}
	g.sendScreen(screen.Viewport{ID: id, Region: image.Rect(0, 0, 64, 48), Grid: image.Pt(32, 24)})
	synctest.Wait()
}

func (g *guest) sendScreen(m screen.Message) { _, _ = g.screen.Write(inner.AppendScreen(nil, m)) }

func (g *guest) hearScreen() {
	r := bufio.NewReader(g.screen)
	for {
		m, err := inner.ReadScreen(r)
		if err != nil {
			return
		}
		g.mu.Lock()
		g.told = append(g.told, m)
		g.mu.Unlock()
	}
}

func (g *guest) lookAtPictures() {
	for {
		select {
		case p := <-g.link.pictures:
			go g.readPictures(p)
		case <-g.link.done:
			return
		}
	}
}

func (g *guest) readPictures(p *pipe) {
	r := bufio.NewReader(p)
	id, err := inner.ReadPictureHead(r)
	if err != nil {
		return
	}
	view := screen.Viewport{ID: id, Region: image.Rect(0, 0, 64, 48), Grid: image.Pt(32, 24)}
	d, err := codec.NewDecoder(view)
	if err != nil {
		g.s.t.Error(err)
		return
	}
	for {
		g.mu.Lock()
		frozen := g.frozen
		g.mu.Unlock()
		if frozen != nil {
			select {
			case <-frozen:
			case <-g.link.done:
				return
			}
		}
		msg, err := inner.ReadPicture(r, codec.MaxMessage, nil)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.ErrClosedPipe) {
				g.s.t.Error(err)
			}
			return
		}
		pic, err := d.Decode(msg)
		if err != nil {
			g.s.t.Error(err)
			return
		}
		g.mu.Lock()
		g.shown, g.at = append(g.shown, pic), append(g.at, time.Now())
		g.mu.Unlock()
		g.sendScreen(screen.Shown{Viewport: id, Seq: pic.Seq})
	}
}

// newest is the shade of the newest picture's first pixel, and how many there were.
func (g *guest) newest() (shade uint8, n int) {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.shown) == 0 {
		return 0, 0
	}
	_, green, _ := g.shown[len(g.shown)-1].Pix[0].RGB()
	return green, len(g.shown)
}

// do sends input events, numbered.
func (g *guest) do(events ...screen.Input) {
	if g.input == nil {
		ours, theirs := g.link.pipe()
		g.input = ours
		g.link.unis <- opened{wire.StreamInput, theirs}
	}
	for _, ev := range events {
		if ev.Seq == 0 {
			g.seq++
			ev.Seq = g.seq
		}
		_, _ = g.input.Write(inner.AppendInput(nil, ev))
	}
	synctest.Wait()
}
