package demo

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"slices"
	"strings"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/console"
)

// Seat is an agent's place in the session, as session/agent gives it to the console.
type Seat interface {
	Changed() <-chan struct{}
	State() console.State
	Picture() *screen.Picture
	Text() *screen.TextGrid
	LookText(on bool, size image.Point)
	Look(v screen.Viewport)
	Input(ev screen.Input) bool
	Do(c console.Command)
}

// Saw is what the script saw on the agent's side and on the customer's.
type Saw struct {
	OK       bool    `json:"ok"`
	Path     string  `json:"path"`
	RTTms    float64 `json:"rtt_ms"`
	Frames   int     `json:"frames"`
	Grid     string  `json:"grid"`
	Text     bool    `json:"text"`      // a terminal was shared, no desktop
	Colours  int     `json:"colours"`   // different ones in the first picture; of text none are counted
	Typed    string  `json:"typed"`     // sent as an agent's keys
	ReadBack string  `json:"read_back"` // what the program in the customer's terminal received
	Changed  int     `json:"changed"`   // pixels of the picture, or cells of the text, that the typing changed
	Trusted  string  `json:"trusted"`   // how the host's key was known
	Seconds  float64 `json:"seconds"`
}

// The parts of the script, each of which has to happen within its time.
const (
	patience = 20 * time.Second
	glance   = 50 * time.Millisecond
	focus    = 500 * time.Millisecond
)

// Play does what an agent would: looks, takes control, clicks into the customer's terminal, types a line. It returns what
// it saw; the error says what did not happen.
func (s *Stage) Play(ctx context.Context, seat Seat) (saw Saw, err error) {
	begin := time.Now()
	defer func() { saw.Seconds = time.Since(begin).Seconds() }()
	a := &actor{seat: seat}
	if s.Display == "" {
		return s.playText(ctx, a, begin)
	}
	if err := a.until(ctx, "the session to open", func() bool { return seat.State().Phase == console.In && seat.State().Display.Size.X > 0 }); err != nil {
		return saw, err
	}
	display := seat.State().Display.Size
	grid := image.Pt(160, 160*display.Y/display.X)
	seat.Look(screen.Viewport{Region: image.Rectangle{Max: display}, Grid: grid})
	if err := a.until(ctx, "the first picture", func() bool { return a.picture != nil && a.picture.Viewport.Grid == grid }); err != nil {
		return saw, err
	}
	before := a.picture
	saw.Grid, saw.Colours = fmt.Sprintf("%dx%d", grid.X, grid.Y), colours(before)

	if err := a.takeControl(ctx); err != nil {
		return saw, err
	}
	saw.Typed = fmt.Sprintf("assist was here, %s äöü € 日本語", begin.Format(time.TimeOnly))
	saw.ReadBack, err = s.typeLine(ctx, a, saw.Typed)
	if err != nil {
		return saw, err
	}
	if err := a.until(ctx, "the typing to be seen", func() bool { return differing(before, a.picture) > 0 }); err != nil {
		return saw, err
	}
	if err := a.until(ctx, "a round trip to be measured", func() bool { link := seat.State().Link; return link.RTT > 0 && link.Path != "" }); err != nil {
		return saw, err
	}
	now := seat.State()
	saw.Changed, saw.Frames = differing(before, a.picture), a.frames
	saw.Path, saw.RTTms, saw.Trusted = now.Link.Path, float64(now.Link.RTT.Microseconds())/1000, now.TrustedBy
	saw.OK = saw.ReadBack == saw.Typed && saw.Colours > 1
	if !saw.OK {
		return saw, fmt.Errorf("typed %q, the customer's terminal got %q", saw.Typed, saw.ReadBack)
	}
	return saw, nil
}

// typeLine clicks into the customer's terminal, types line and Enter, and returns what arrived there.
func (s *Stage) typeLine(ctx context.Context, a *actor, line string) (string, error) {
	middle := image.Pt(300, 250) // of the terminal that startDesktop places
	err := a.input(
		screen.Input{Kind: screen.PointerMove, At: middle},
		screen.Input{Kind: screen.ButtonPress, Button: 1, At: middle},
		screen.Input{Kind: screen.ButtonRelease, Button: 1, At: middle})
	if err != nil {
		return "", err
	}
	select { // the window manager gives the terminal the focus in its own time; a person would not type before
	case <-time.After(focus):
	case <-ctx.Done():
	}
	if err := a.input(screen.Input{Kind: screen.TypeText, Text: line}, screen.Input{Kind: screen.KeyTap, Key: screen.KeyEnter}); err != nil {
		return "", err
	}
	return s.arrived(ctx, a)
}

// arrived waits for a line in the customer's terminal.
func (s *Stage) arrived(ctx context.Context, a *actor) (string, error) {
	var got string
	err := a.until(ctx, "the line in the customer's terminal", func() bool {
		b, err := os.ReadFile(s.Typed)
		got = string(b)
		return err == nil && strings.HasSuffix(got, "\n")
	})
	return strings.TrimSuffix(got, "\n"), err
}

// actor follows a seat and counts the pictures it shows.
type actor struct {
	seat    Seat
	picture *screen.Picture
	text    *screen.TextGrid
	frames  int
}

// input plays events in order.
func (a *actor) input(events ...screen.Input) error {
	for _, ev := range events {
		if !a.seat.Input(ev) {
			return errors.New("the session took no input")
		}
	}
	return nil
}

func (a *actor) takeControl(ctx context.Context) error {
	a.seat.Do(console.TakeControl{})
	return a.until(ctx, "control to be granted", func() bool {
		st := a.seat.State()
		me, ok := st.Roster.Member(st.Self)
		return ok && me.Grants.Has(session.Control)
	})
}

// until waits for cond, which it asks at each change of the session and every 50 ms besides.
func (a *actor) until(ctx context.Context, what string, cond func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if p := a.seat.Picture(); p != nil && p != a.picture {
			a.picture = p
			a.frames++
		}
		if g := a.seat.Text(); g != nil && g != a.text {
			a.text = g
			a.frames++
		}
		if cond() {
			return nil
		}
		if st := a.seat.State(); st.Phase == console.Over {
			return fmt.Errorf("waiting for %s: the session is over: %s", what, st.Why)
		}
		select {
		case <-a.seat.Changed():
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		}
	}
}

func colours(p *screen.Picture) int {
	seen := slices.Clone(p.Pix)
	slices.Sort(seen)
	return len(slices.Compact(seen))
}

// differing counts the pixels in which two pictures of one grid differ.
func differing(a, b *screen.Picture) (n int) {
	if a.Viewport.Grid != b.Viewport.Grid {
		return 0
	}
	for i := range a.Pix {
		if a.Pix[i] != b.Pix[i] {
			n++
		}
	}
	return n
}
