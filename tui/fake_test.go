package tui

import (
	"context"
	"image"
	"image/color"
	"strings"
	"sync"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
)

// fake is a session without a network: it answers Look with pictures of a made-up desktop and writes down the rest.
type fake struct {
	mu      sync.Mutex
	changed chan struct{}
	state   State
	desk    func(p image.Point) colour // the customer's display
	pic     *screen.Picture
	base    *screen.Picture // of which pic was made
	seed    uint64          // of what was painted on it; 0: nothing
	log     []chat.Entry
	looks   []screen.Viewport
	input   []screen.Input
	full    bool // takes no input
	still   error
	did     []Command
	closed  int

	text    *screen.TextGrid
	glances []image.Point // zero: no more
	past    []screen.Row
}

type colour = color.Color

func init() { time.Local = time.UTC } // times on the screen are the same wherever the tests run

var began = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)

func newFake() *fake {
	return &fake{changed: make(chan struct{}, 1), desk: madeUp, state: State{
		Phase: In, Code: "12345678", HostName: "web-01", Customer: "Anna Schmidt", HostOS: "linux", Self: 2, Started: began,
		Display: screen.Display{Size: image.Pt(1920, 1080)}, Pointer: screen.Pointer{At: image.Pt(960, 540)},
		Words: []string{"harbor", "violin", "zebra"},
		Link:  Link{Path: "relay", RTT: 42 * time.Millisecond},
		Roster: session.Roster{Version: 1, Lead: 2, Members: []session.Member{
			{ID: 1, Name: "Anna Schmidt", Role: session.Customer, Presence: session.Here},
			{
				ID: 2, Name: "Bob Meyer", Handle: "bob@acme", Org: "Acme Support", Trust: session.RelayOnly, Role: session.Lead,
				Grants: session.View | session.Control | session.Chat, Presence: session.Here, Consoles: 1,
			},
		}},
	}}
}

// madeUp is a display with a panel on top, two windows and a blue ground.
func madeUp(p image.Point) colour {
	switch {
	case p.Y < 40:
		return color.Gray{40}
	case p.In(image.Rect(200, 150, 1000, 800)):
		return color.White
	case p.In(image.Rect(1100, 300, 1700, 900)):
		return color.Gray{30}
	}
	return color.RGBA{20, 60, uint8(90 + p.Y/10), 255}
}

func (f *fake) change(do func()) {
	f.mu.Lock()
	do()
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *fake) Changed() <-chan struct{} { return f.changed }

func (f *fake) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

func (f *fake) Picture() *screen.Picture {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pic
}

func (f *fake) Log(after chat.Seq) []chat.Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	if int(after) >= len(f.log) {
		return nil
	}
	return append([]chat.Entry(nil), f.log[after:]...)
}

func (f *fake) say(from uint32, name string, lane chat.Lane, kind chat.Kind, text string) {
	f.change(func() {
		n := chat.Seq(len(f.log) + 1)
		f.log = append(f.log, chat.Entry{Seq: n, Time: began.Add(time.Duration(n) * time.Minute), From: from, Name: name, Lane: lane, Kind: kind, Text: text})
	})
}

func (f *fake) Look(v screen.Viewport) {
	f.change(func() {
		f.looks = append(f.looks, v)
		v.ID = uint32(len(f.looks))
		f.pic = &screen.Picture{Viewport: v, Pix: make([]screen.RGB565, v.Grid.X*v.Grid.Y), Seq: uint64(len(f.looks))}
		for i := range f.pic.Pix {
			f.pic.Pix[i] = f.average(v, image.Pt(i%v.Grid.X, i/v.Grid.X))
		}
		f.base = f.pic
		f.pic = repainted(f.base, f.seed)
	})
}

// average is the mean of a few points of what one grid pixel shows.
func (f *fake) average(v screen.Viewport, px image.Point) screen.RGB565 {
	const n = 4
	var r, g, b uint32
	for j := range n * n {
		at := image.Pt(
			v.Region.Min.X+(px.X*n*2+2*(j%n)+1)*v.Region.Dx()/(v.Grid.X*n*2),
			v.Region.Min.Y+(px.Y*n*2+2*(j/n)+1)*v.Region.Dy()/(v.Grid.Y*n*2),
		)
		cr, cg, cb, _ := f.desk(at).RGBA()
		r, g, b = r+cr, g+cg, b+cb
	}
	return screen.RGB565(r/(n*n)>>11<<11 | g/(n*n)>>10<<5 | b/(n*n)>>11)
}

func (f *fake) Input(ev screen.Input) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return false
	}
	f.input = append(f.input, ev)
	if ev.Kind == screen.PointerMove || ev.Kind == screen.ButtonPress {
		f.state.Pointer.At = ev.At
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
	return true
}

func (f *fake) Still(_ context.Context, region image.Rectangle) (image.Image, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.still != nil {
		return nil, f.still
	}
	out := image.NewRGBA(region)
	for y := region.Min.Y; y < region.Max.Y; y++ {
		for x := region.Min.X; x < region.Max.X; x++ {
			out.Set(x, y, f.desk(image.Pt(x, y)))
		}
	}
	return out, nil
}

func (f *fake) Do(c Command) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.did = append(f.did, c)
}

func (f *fake) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
}

func (f *fake) Text() *screen.TextGrid {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text
}

func (f *fake) LookText(on bool, size image.Point) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !on {
		size = image.Point{}
	}
	f.glances = append(f.glances, size)
}

func (f *fake) TextLines(_ context.Context, from uint64, n int) (uint64, []screen.Row, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from = min(from, uint64(len(f.past)))
	return from, f.past[from:min(len(f.past), int(from)+n)], nil
}

func (f *fake) TextFind(_ context.Context, from uint64, down bool, words string) (uint64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := range f.past {
		if strings.Contains(f.past[n].Text(), words) {
			return uint64(n), true, nil
		}
	}
	return 0, false, nil
}
