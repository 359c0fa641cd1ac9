package host

import (
	"bufio"
	"errors"
	"image"
	"io"
	"slices"
	"sync"
	"sync/atomic"
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

// guest is a console.
type guest struct {
	gather  *codec.Gather
	streams int // of separate pictures
	s       *stage
	link    *fakeLink
	control *pipe
	words   []string
	pings   atomic.Bool

	mu     sync.Mutex
	got    []*inner.ToConsole
	err    error
	screen *pipe
	typed  uint64 // newest number of input
	seq    uint64
	shown  []*screen.Picture
	at     []time.Time // of shown
	told   []screen.Message
	frozen chan struct{} // when set, pictures are not read until it is closed
}

func device(agent string) transport.Fingerprint { return transport.Fingerprint{0: 7, 1: agent[0]} }

// arrive makes the handshake. With fail a refusal is fine.
func (s *stage) arrive(agent string, spoil func(*badge.Claims)) *guest {
	g := &guest{s: s, link: newFakeLink(device(agent))}
	g.pings.Store(true)
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
			if g.pings.Load() {
				g.link.say(func(l *transport.Line) { l.Heard = time.Now() })
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
	head, err := inner.ReadPictureHead(r)
	if err != nil {
		return
	}
	id := head.Viewport
	view := screen.Viewport{ID: id, Region: image.Rect(0, 0, 64, 48), Grid: image.Pt(32, 24)}.Shrunk(int(head.Shrink))
	d, err := g.decoder(head, view)
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
		if pic == nil { // older than one that is there
			return
		}
		g.mu.Lock()
		g.shown, g.at = append(g.shown, pic), append(g.at, time.Now())
		g.mu.Unlock()
		g.sendScreen(screen.Shown{Viewport: id, Seq: pic.Seq})
	}
}

// decoder is what a stream of pictures is read by. All streams of separate pictures share one.
func (g *guest) decoder(h inner.PictureHead, view screen.Viewport) (interface {
	Decode(msg []byte) (*screen.Picture, error)
}, error,
) {
	if !h.Separate {
		return codec.NewDecoder(view)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.streams++; g.gather == nil {
		var err error
		if g.gather, err = codec.NewGather(view); err != nil {
			return nil, err
		}
	}
	return g.gather, nil
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

// do sends input events, numbered: each in a datagram of its own.
func (g *guest) do(events ...screen.Input) {
	for _, ev := range events {
		g.typed++
		ev.Seq = g.typed
		g.send(ev.Seq, ev)
	}
}

// send sends one datagram as it is told.
func (g *guest) send(oldest uint64, events ...screen.Input) {
	b, _ := inner.AppendInputs(nil, oldest, events)
	g.link.inputs <- b
	synctest.Wait()
}
