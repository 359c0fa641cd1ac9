// Package console is text as a machine has it: a shell on a terminal of its own, an existing tmux session, or the machine's
// own console. What is drawn there is kept as cells (package vt); what is typed is translated to what the program asked for.
//
// A Terminal owns its program. One goroutine reads what the program writes, at most readBudget bytes a tick, so that a flood
// starves nobody; one writes what was typed, behind a queue of writeLimit bytes, and what does not fit is refused. Whoever
// looks takes the newest state and waits for the next: a state that nobody took is never made. Of scrollback the newest
// keepLines are kept, at most keepBytes.
//
// The package sends nothing anywhere and asks nobody: who may type is decided by whoever calls Play.
package console

import (
	"context"
	"errors"
	"image"
	"os"
	"strings"
	"sync"
	"time"

	"assist/screen"
	"assist/screen/console/vt"
)

// Limits.
const (
	readSize   = 64 << 10
	readBudget = 256 << 10             // bytes read a tick
	readTick   = 20 * time.Millisecond //
	writeLimit = 256 << 10             // bytes typed that the program has not read
	holdLimit  = 150 * time.Millisecond
)

// DefaultSize is that of a terminal that nobody looks at.
var DefaultSize = image.Pt(80, 24)

var (
	errFull = errors.New("the program does not read what is typed")
	errGone = errors.New("the program has ended")
)

// backend is the other side of a terminal: where the program is.
type backend interface {
	Read(b []byte) (int, error)
	Write(b []byte) (int, error)
	Resize(size image.Point) error
	Close() error // ends the program; Read returns
}

// Options of a Terminal.
type Options struct {
	Shell string      // a command for sh -c; empty: the login shell of this user
	Size  image.Point // fixed; zero: it follows those who look
	Lazy  bool        // the program starts when somebody looks; when it has ended another one does, at Enter or for who comes
}

// Terminal is a program on a terminal of its own.
type Terminal struct {
	watchers
	sizes
	name  string
	lazy  bool
	fixed func() (image.Point, error) // of somebody else's terminal, which it has to follow; nil: it is ours
	start func(size image.Point) (backend, error)

	mu      sync.Mutex
	term    *vt.Terminal
	back    backend // nil: no program
	grid    *screen.TextGrid
	stale   bool
	held    time.Time // since when the program is drawing
	past    history
	keys    map[uint64]*keyboard // of each who types
	typed   []byte
	ended   bool
	newKeys chan struct{} // cap 1
}

// Open prepares a shell. Nothing is started.
func Open(o Options) (*Terminal, error) {
	argv, env := shell(o.Shell)
	t := newTerminal(programName(argv, o.Shell), o.Size)
	t.lazy = o.Lazy
	t.start = func(size image.Point) (backend, error) { return startPTY(argv, env, size) }
	return t, nil
}

func programName(argv []string, command string) string {
	name := strings.TrimPrefix(argv[0], "-")
	if command != "" {
		name = "sh"
	}
	for word := range strings.FieldsSeq(command) {
		if word != "exec" && word != "env" && !strings.ContainsAny(word, "='\"$") {
			name = word
			break
		}
	}
	return name[strings.LastIndexByte(name, '/')+1:]
}

func newTerminal(name string, fixed image.Point) *Terminal {
	t := &Terminal{name: name, newKeys: make(chan struct{}, 1), stale: true}
	t.sizes.fixed, t.sizes.now = fixed, DefaultSize
	if fixed.X > 0 {
		t.sizes.now = screen.TextSize(fixed)
	}
	t.reset(t.sizes.now)
	return t
}

// reset makes an empty terminal; it needs mu, but for the first time.
func (t *Terminal) reset(size image.Point) {
	t.term = vt.New(size)
	t.term.Reply = func(b []byte) { _ = t.enqueue(b) } // a program that does not read gets no answers
	t.term.Scrolled = t.past.add
	t.term.Cleared = t.past.clear
	t.stale, t.typed, t.keys = true, nil, map[uint64]*keyboard{}
}

// About says what is shared.
func (t *Terminal) About() screen.TextAbout {
	t.mu.Lock()
	defer t.mu.Unlock()
	return screen.TextAbout{Name: t.name, Fixed: t.sizes.fixed.X > 0, Ended: t.ended}
}

// Run runs the program until it ends or ctx does; lazy ones are started again and again until ctx ends.
func (t *Terminal) Run(ctx context.Context) error {
	for again := false; ; again = true {
		if t.lazy && !t.awaitLook(ctx, again) {
			return nil
		}
		err := t.live(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !t.lazy {
			return err
		}
	}
}

// live is one run of the program.
func (t *Terminal) live(ctx context.Context) error {
	back, err := t.open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { t.write(ctx, back) })
	beside.Go(func() { t.follow(ctx, back) })
	beside.Go(func() {
		<-ctx.Done()
		_ = back.Close() // ends the reading
	})
	t.read(ctx, back)
	cancel()
	beside.Wait()
	t.mu.Lock()
	t.back, t.ended = nil, true
	t.mu.Unlock()
	t.wake()
	return nil
}

func (t *Terminal) open() (backend, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := t.size()
	back, err := t.start(size)
	if err != nil {
		return nil, err
	}
	t.reset(size)
	t.back, t.ended = back, false
	return back, nil
}

// read takes what the program writes.
func (t *Terminal) read(ctx context.Context, back backend) {
	buf := make([]byte, readSize)
	left, begun := readBudget, time.Now()
	for {
		n, err := back.Read(buf)
		if n > 0 {
			t.take(buf[:n])
		}
		if err != nil {
			return
		}
		now := time.Now()
		if now.Sub(begun) >= readTick {
			left, begun = readBudget, now
		}
		if left -= n; left <= 0 {
			select {
			case <-time.After(readTick - now.Sub(begun)):
			case <-ctx.Done():
			}
		}
	}
}

func (t *Terminal) take(b []byte) {
	t.mu.Lock()
	_, _ = t.term.Write(b)
	t.stale = true
	holding := t.term.Holding()
	if holding && t.held.IsZero() {
		t.held = time.Now()
		time.AfterFunc(holdLimit, t.wake)
	} else if !holding {
		t.held = time.Time{}
	}
	t.mu.Unlock()
	if !holding {
		t.wake()
	}
}

// write hands over what was typed.
func (t *Terminal) write(ctx context.Context, back backend) {
	for {
		t.mu.Lock()
		b := t.typed
		t.typed = nil
		t.mu.Unlock()
		for len(b) > 0 {
			n, err := back.Write(b)
			if err != nil {
				return
			}
			b = b[n:]
		}
		select {
		case <-ctx.Done():
			return
		case <-t.newKeys:
		}
	}
}

// enqueue needs mu.
func (t *Terminal) enqueue(b []byte) error {
	switch {
	case t.back == nil:
		return errGone
	case len(t.typed)+len(b) > writeLimit:
		return errFull
	}
	t.typed = append(t.typed, b...)
	select {
	case t.newKeys <- struct{}{}:
	default:
	}
	return nil
}

// Play types, clicks or pastes for somebody: an event in the words of package screen, as the program asked for it. It does
// not wait.
func (t *Terminal) Play(who uint64, ev screen.Input) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.back == nil {
		if t.lazy && ev.Key == screen.KeyEnter && (ev.Kind == screen.KeyTap || ev.Kind == screen.KeyPress) {
			t.knock()
		}
		return errGone
	}
	k := t.keys[who]
	if k == nil {
		k = &keyboard{}
		t.keys[who] = k
	}
	b := k.encode(ev, t.term.Modes()|t.altMode(), t.term.Size())
	if len(b) == 0 {
		return nil
	}
	return t.enqueue(b)
}

func (t *Terminal) altMode() screen.TextModes {
	if t.term.Alternate() {
		return screen.AlternateScreen
	}
	return 0
}

// Grid is the newest state.
func (t *Terminal) Grid() *screen.TextGrid {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.grid != nil && (!t.stale || !t.held.IsZero() && time.Since(t.held) < holdLimit) {
		return t.grid
	}
	g := t.term.Grid()
	g.Oldest, g.Top = t.past.first, t.past.end()
	t.grid, t.stale = g, false
	return g
}

// Lines are lines of scrollback from number from on, at most n, and the number of the first.
func (t *Terminal) Lines(from uint64, n int) (uint64, []screen.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.past.lines(from, n)
}

// Find is the nearest line from number from on, upwards or downwards, with words in it, regardless of case.
func (t *Terminal) Find(from uint64, down bool, words string) (uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return find(&t.past, t.term.Grid().Rows, from, down, strings.ToLower(words))
}

// Want says that somebody looks and has room for so much, or, with a zero size, looks no more. The terminal is as large as
// the smallest of those who control, if any of them do, unless its size is fixed.
func (t *Terminal) Want(who uint64, size image.Point, controls bool) {
	if !t.want(who, size, controls) {
		return
	}
	t.mu.Lock()
	size = t.size()
	changed := size != t.term.Size()
	if changed {
		t.term.Resize(size)
		t.stale = true
		if t.back != nil {
			_ = t.back.Resize(size) // a program that is ending does not care
		}
	}
	t.mu.Unlock()
	t.wake()
}

// follow keeps the size that somebody else's terminal has.
func (t *Terminal) follow(ctx context.Context, back backend) {
	if t.fixed == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !t.watched() {
			continue
		}
		size, err := t.fixed()
		if err != nil || size == t.size() {
			continue
		}
		t.setFixed(size)
		t.mu.Lock()
		t.term.Resize(size)
		t.stale = true
		_ = back.Resize(size)
		t.mu.Unlock()
		t.wake()
	}
}

// environment is that of a program on a terminal: without what points to the terminal of the host.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "TERM", "COLORTERM", "TMUX", "TMUX_PANE", "STY", "WINDOW", "COLUMNS", "LINES", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "XTERM_VERSION", "VTE_VERSION":
		default:
			env = append(env, v)
		}
	}
	return append(env, "TERM=xterm-256color", "COLORTERM=truecolor")
}
