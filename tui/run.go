package tui

import (
	"context"
	"fmt"
	"image"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"assist/screen"
	"assist/screen/raster"
	"assist/tui/guard"
	"assist/tui/painter"
	"assist/tui/start"
	"assist/tui/viewer"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// DefaultExitKey leads out of control mode.
const DefaultExitKey = "ctrl+]"

// Options are what can be chosen about a console. The zero value is a console on the standard terminal.
type Options struct {
	In, Out      *os.File             // nil: standard input and output
	Env          []string             // nil: os.Environ
	ExitKey      string               // as tea.KeyPressMsg.String says it; empty: DefaultExitKey
	NoMouse      bool                 // leave the mouse to the terminal from the start; m changes it
	ColorProfile colorprofile.Profile // Unknown: what the terminal and NO_COLOR say
	ViewOnly     bool                 // the session was joined to look only
	HostArgs     string               // what follows "assist host CODE" on the customer's machine, e.g. "--relay relay.example:4433"
	// Copy puts text on a clipboard and says by which way; nil: through the terminal (OSC 52). Email opens the mail program
	// with an invitation and says how; nil: there is none. Both may take their time: they never run in Update.
	Copy  func(text string) (how string, err error)
	Email func(url, code string) (how string, err error)

	// Around says in which terminals the tmux is shown that this runs in, by the names that they give themselves, and whether it
	// lets images through to them; nil: nobody knows. It never runs in Update.
	Around func() (terminals []string, passes bool)

	Renderer viewer.Renderer // how the picture reaches the terminal; nil: Plain decides
	Plain    bool            // as text in the view; else it is painted past it
	Quality  screen.Pin      // how pictures are made, as the session was told
	Glyphs   *raster.Mode    // by which the picture is drawn; nil: what the terminal is known to show

	// Save keeps a file that the agent asked for, and says where; nil: nothing is saved. It never runs in Update.
	Save   func(name string, b []byte) (path string, err error)
	Record io.Writer // gets an asciicast of the console; nil: none

	painter *painter.Painter
}

func (o Options) renderer() viewer.Renderer {
	switch {
	case o.Renderer != nil:
		return o.Renderer
	case o.painter != nil:
		return o.painter
	}
	return &viewer.Plain{}
}

// command is what the customer runs.
func (o Options) command(code string) string {
	c := "assist host " + code
	if o.HostArgs != "" {
		c += " " + o.HostArgs
	}
	return c
}

// Result is how the console was left.
type Result struct {
	State State // of the session, when the console closed
	Left  bool  // the agent asked to go; else the session was over, or the console was stopped
}

// NoTerminalError says that there is no terminal to draw on.
type NoTerminalError struct{ What string }

func (e *NoTerminalError) Error() string { return e.What + " is not a terminal" }

// Run shows the session until it is over, the agent leaves, ctx ends or a signal (SIGHUP, SIGINT, SIGTERM) says so, and gives
// the terminal back as it was, whatever happens (package guard sees to panics elsewhere and SIGKILL). The session is closed when it returns. The error is a
// *NoTerminalError, wraps context.Canceled after a signal or the end of ctx, or says what went wrong with the terminal; how
// the session itself ended is in Result.State.
func Run(ctx context.Context, s Session, opt Options) (Result, error) {
	defer s.Close()
	opt = opt.filled()
	if opt.Renderer == nil && !opt.Plain {
		opt.painter = painter.New(opt.Out)
	}
	var m *model
	err := opt.show(ctx, func(ctx context.Context) tea.Model {
		m = newModel(ctx, s, opt)
		return m
	})
	if m == nil {
		return Result{}, err
	}
	return Result{State: s.State(), Left: m.leaving || m.quitting && m.state.Phase != Over}, err
}

// Start shows the first screen, for an agent who has not said yet where to go.
func Start(ctx context.Context, opt Options, what start.Options) (start.Choice, error) {
	opt = opt.filled()
	var m *start.Model
	err := opt.show(ctx, func(ctx context.Context) tea.Model {
		m = start.New(ctx, what, opt.ColorProfile)
		return m
	})
	if m == nil {
		return start.Choice{}, err
	}
	return m.Choice, err
}

// show runs a model on the terminal until it quits, ctx ends or a signal says so.
func (o Options) show(ctx context.Context, make func(context.Context) tea.Model) error {
	for _, f := range []struct {
		file *os.File
		name string
	}{{o.In, "standard input"}, {o.Out, "standard output"}} {
		if !term.IsTerminal(f.file.Fd()) {
			return &NoTerminalError{f.name}
		}
	}
	if value(o.Env, "TERM") == "dumb" {
		return &NoTerminalError{"by TERM=dumb, standard output"}
	}
	defer silence()()
	defer guard.Watch(o.In)()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	if o.painter != nil {
		if o.Record != nil {
			t := newTape(o.Record, value(o.Env, "TERM"), time.Now(), sizeOf(o.Out))
			o.painter.Tap(t.write)
		}
		defer paint(o.painter)()
	}
	tick := &ticker{}
	defer tick.stop()
	p := tea.NewProgram(make(ctx), append(o.program(), tea.WithFilter(tick.filter))...)
	tick.p = p
	// Quit, not tea.WithContext: killed so, the program would leave its reader of the terminal behind.
	defer context.AfterFunc(ctx, p.Quit)()
	_, err := p.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("console: %w", ctx.Err())
	case err != nil:
		return fmt.Errorf("console: %w", err)
	}
	return nil
}

// filled is o with its defaults.
func (o Options) filled() Options {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.ExitKey == "" {
		o.ExitKey = DefaultExitKey
	}
	if o.ColorProfile == colorprofile.Unknown {
		o.ColorProfile = profile(o.Env)
	}
	return o
}

// sizeOf is the size of a terminal as it is when it is asked for.
func sizeOf(f *os.File) func() image.Point {
	return func() image.Point {
		w, h, err := term.GetSize(f.Fd())
		if err != nil {
			return image.Pt(80, 24)
		}
		return image.Pt(w, h)
	}
}

// lastWrite is how long what is left for the terminal may take once the console is closed.
const lastWrite = time.Second

// paint runs a painter until the function that it returns is called, which waits for it.
func paint(p *painter.Painter) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Run(ctx) // Bubble Tea hears of it by its next write
	}()
	return func() {
		cancel()
		select {
		case <-done:
		case <-time.After(lastWrite): // the terminal takes nothing: the write ends with the process
		}
	}
}

// framesAsked is how often Bubble Tea looks whether its text is another one, a second, while there are messages (ticker). Pictures
// are painted past it.
const framesAsked = 15

// program are the options of Bubble Tea.
func (o Options) program() []tea.ProgramOption {
	out := []tea.ProgramOption{tea.WithoutSignalHandler(), tea.WithInput(o.In), tea.WithEnvironment(o.Env), tea.WithFPS(framesAsked)}
	if o.painter != nil {
		out = append(out, tea.WithOutput(o.painter))
	} else {
		out = append(out, tea.WithOutput(o.Out))
	}
	if o.ColorProfile != colorprofile.Unknown {
		out = append(out, tea.WithColorProfile(o.ColorProfile))
	}
	return out
}

// silence keeps the log of the standard library off the screen, where quic-go and others would write into the picture, and
// returns what brings it back.
func silence() func() {
	was := log.Writer()
	log.SetOutput(io.Discard)
	return func() { log.SetOutput(was) }
}
