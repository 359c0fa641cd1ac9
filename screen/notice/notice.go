// Package notice is what the customer sees of a session on the shared X11 display itself: a bar that says that the screen
// is shared, by whom, who controls, and stops it; and the question whether somebody may see or control it. Plain X11, its
// own fonts, no toolkit, so that it looks the same on every desktop, and in the picture that agents get.
//
// Nobody but the customer moves it or answers it. Its windows are not managed by the window manager; they go back on top
// when something covers them, come back when something unmaps, moves, shapes or destroys them, at most a few times a
// second. Buttons of remote input are kept away by Rectangles, which the injector is given; that remote input is dropped
// while a question is up is the host's rule. A question opens with its yes buttons off for a second, five when the
// organisation is not verified, and it never takes the keyboard by itself: what the customer is typing answers nothing.
//
// Who owns what. Everything belongs to the goroutine of Run, but for the rectangles, which are an atomic snapshot. Contents
// are state: the newest is shown, those between are skipped. When the X server is slow, Run is slow and nobody waits for
// it; act is called from Run and must not block.
//
// It will not count down on its own behalf: the deadline is shown, that silence is no is the host's rule. It holds no
// grants and knows no session.
package notice

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log"
	"sync/atomic"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

func init() {
	xgb.Logger = log.New(io.Discard, "", 0) // it would write into the customer's terminal; errors come back as errors
}

const (
	graceKnown   = time.Second // yes is off so long after a question came up
	graceUnknown = 5 * time.Second
	tick         = 250 * time.Millisecond
	guardEvery   = 4                // ticks between two looks at everything that could hide a window
	calmAfter    = 10 * time.Second // without an event: other programs leave the windows alone,
	calmTick     = 3 * time.Second  // and this is enough; what they do later is an event
)

// ErrGone says that the display closed the connection.
var ErrGone = errors.New("the display is gone")

// Content is everything that is shown. Texts from outside are sanitised by who gives them.
type Content struct {
	Sharing  bool     // the bar is up
	People   []Person // the agents who are here
	Status   string   // one more line, such as "no agent is here: ends in 9 min"; may be empty
	Code     string   // shown large while nobody is here; empty: not shown
	Question *Question
	Log      []Line // for everyone, oldest first
}

// Line is one entry of the chat.
type Line struct {
	Seq     uint64
	Name    string // who said it; empty: something that happened, told by Text
	Text    string
	Mine    bool // the customer's own
	Passing bool // who came or went: shown for a moment beside the bar
}

// Person is an agent who is here.
type Person struct {
	Member   uint32
	Name     string
	Org      string
	May      []string // names of grants
	Controls bool     // controls now
	Away     bool     // reconnecting
}

// Question asks for the customer's yes to some grants.
type Question struct {
	Serial   uint64
	Name     string
	Handle   string // NAME@ORG
	Org      string
	Trust    string // how the organisation is known, in words
	Verified bool
	Asks     []string  // names of grants: view, control, chat, diag, clipboard, file
	Later    []string  // names of grants that are asked for after this
	Words    []string  // to be read out; empty: none
	Deadline time.Time // silence until then is no, unless Comes
	Comes    bool      // nobody has to answer: unless refused, they come in
	Again    bool      // the agent has had this for half an hour: may it go on?
	Stranger bool      // of another organisation than the agent who leads
	What     string    // a request for one thing once; empty: it is about grants
	Detail   string    // more about What, several lines
}

// Action is something the customer did.
type Action interface{ action() }

// The actions.
type (
	// Answer answers a question: the grants that were allowed, none for no.
	Answer struct {
		Serial uint64
		Allow  []string
	}
	// Stop ends the sharing for all.
	Stop struct{}
	// Say is words for everyone.
	Say struct{ Text string }
	// TakeBack takes grants back from an agent.
	TakeBack struct {
		Member uint32
		Grants []string
	}
	// Writing says that the customer writes just now, in a window that has the keyboard.
	Writing struct{}
)

func (Answer) action()   {}
func (Stop) action()     {}
func (Say) action()      {}
func (TakeBack) action() {}
func (Writing) action()  {}

// Window is the customer's windows on one display.
type Window struct {
	// set once
	conn   *xgb.Conn
	screen *xproto.ScreenInfo
	format format
	paint  *painter
	events chan xgb.Event
	randr  byte // major opcodes; 0: the display does not have it
	shape  byte
	atoms  struct{ opacity xproto.Atom }

	rects   atomic.Pointer[[]image.Rectangle]
	writing atomic.Bool // the chat has the keyboard

	// owned by Run
	act     func(Action)
	content Content
	bar     *pane
	chat    *pane
	ask     *pane
	talk    talk
	passing passing
	choice  choice
	pause   []xproto.Keycode
	stops   atomic.Bool   // the stop key is ours
	focus   *pane         // has the keyboard, because the customer clicked into it; nil: none
	before  xproto.Window // had it before
	raised  time.Time
	dirty   bool // something may cover a window
}

// New connects to a display such as ":0" (empty: $DISPLAY) and takes the stop key. Run does the rest and disconnects.
func New(display string) (*Window, error) {
	c, err := xgb.NewConnDisplay(display)
	if err != nil {
		return nil, fmt.Errorf("open display %q for the notice: %w", display, err)
	}
	w := &Window{conn: c, screen: xproto.Setup(c).DefaultScreen(c), events: make(chan xgb.Event, 256)}
	w.rects.Store(&[]image.Rectangle{})
	if err := w.setUp(); err != nil {
		c.Close()
		return nil, err
	}
	return w, nil
}

func (w *Window) setUp() (err error) {
	if w.format, err = formatOf(xproto.Setup(w.conn), w.screen); err != nil {
		return err
	}
	if w.paint, err = newPainter(); err != nil {
		return err
	}
	for name, major := range map[string]*byte{"RANDR": &w.randr, "SHAPE": &w.shape} {
		if r, err := xproto.QueryExtension(w.conn, uint16(len(name)), name).Reply(); err == nil && r.Present {
			*major = r.MajorOpcode
		}
	}
	const opacity = "_NET_WM_WINDOW_OPACITY"
	a, err := xproto.InternAtom(w.conn, false, uint16(len(opacity)), opacity).Reply()
	if err != nil {
		return fmt.Errorf("prepare the notice: %w", err)
	}
	w.atoms.opacity = a.Atom
	// Of the root: what other windows do, and that the display changes its size.
	err = xproto.ChangeWindowAttributesChecked(w.conn, w.screen.Root, xproto.CwEventMask,
		[]uint32{xproto.EventMaskSubstructureNotify | xproto.EventMaskStructureNotify}).Check()
	if err != nil {
		return fmt.Errorf("watch the display: %w", err)
	}
	w.grabStopKey()
	w.bar, w.chat, w.ask = &pane{w: w}, &pane{w: w}, &pane{w: w}
	return nil
}

// Rectangles is where the windows are now, in display pixels. For any goroutine; the slice is not to be changed.
func (w *Window) Rectangles() []image.Rectangle { return *w.rects.Load() }

// StopKey says whether the Pause key stops the sharing: another program may have taken it before.
func (w *Window) StopKey() bool { return w.stops.Load() }

// Run shows contents until ctx ends or the display goes away, and then disconnects. act is told what the customer does.
func (w *Window) Run(ctx context.Context, contents <-chan Content, act func(Action)) error {
	w.act = act
	gone := make(chan struct{})
	stop := make(chan struct{})
	go w.pump(gone, stop)
	defer func() {
		close(stop)
		w.conn.Close()
		<-gone
		w.rects.Store(&[]image.Rectangle{})
	}()
	beat := time.NewTimer(tick)
	defer beat.Stop()
	lively, calm := time.Now(), false
	stir := func() {
		if lively = time.Now(); calm {
			calm = false
			beat.Reset(tick)
		}
	}
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-gone:
			return ErrGone
		case c, ok := <-contents:
			if !ok {
				contents = nil
				continue
			}
			w.show(c)
			stir()
		case ev := <-w.events:
			w.handle(ev)
			stir()
		case now := <-beat.C:
			calm = now.Sub(lively) > calmAfter && w.content.Question == nil && len(w.passing) == 0 && w.focus == nil
			if n++; n%guardEvery == 0 || calm {
				w.guard()
			}
			if beat.Reset(tick); calm {
				beat.Reset(calmTick)
			}
			if w.rest(now); w.content.Question != nil || w.passing.expire(now) {
				w.redraw()
			}
		}
		w.stack()
	}
}

// pump takes events from the connection; gone is closed when there are no more.
func (w *Window) pump(gone, stop chan struct{}) {
	defer close(gone)
	for {
		ev, err := w.conn.WaitForEvent()
		if ev == nil && err == nil {
			return
		}
		if ev == nil { // an error of a request: a window that somebody destroyed; its event says so
			continue
		}
		select {
		case w.events <- ev:
		case <-stop:
		}
	}
}

// show takes a new content.
func (w *Window) show(c Content) {
	if c.Question == nil || w.content.Question == nil || c.Question.Serial != w.content.Question.Serial {
		w.choice = opened(time.Now())
	}
	w.hear(c, time.Now())
	w.content = c
	w.redraw()
}

// redraw draws what has changed.
func (w *Window) redraw() {
	area := w.area()
	scale := scaleOf(area)
	if !w.content.Sharing && w.content.Code == "" {
		w.bar.hide()
	} else {
		w.bar.show(w.paint.bar(w.content, w.passing.texts(), w.talk, w.StopKey(), scale, area.Dx()/scale), func(size image.Point) image.Point { return topOf(area, size) })
	}
	if w.talk.open && w.content.Sharing {
		w.chat.show(w.paint.chat(w.content, &w.talk, w.focus == w.chat, scale), func(size image.Point) image.Point { return cornerOf(area, size) })
	} else if w.chat.shown {
		w.giveFocus(w.chat)
		w.chat.hide()
	}
	if q := w.content.Question; q != nil {
		w.ask.show(w.paint.ask(q, &w.choice, time.Now(), scale), func(size image.Point) image.Point { return middleOf(area, size) })
	} else if w.ask.shown {
		w.giveFocus(w.ask)
		w.ask.hide()
	}
	w.announce()
}

// panes are the windows, the topmost last.
func (w *Window) panes() []*pane { return []*pane{w.bar, w.chat, w.ask} }

// announce publishes where the windows are.
func (w *Window) announce() {
	rects := []image.Rectangle{}
	for _, p := range w.panes() {
		if p.shown {
			rects = append(rects, p.rect())
		}
	}
	w.rects.Store(&rects)
}
