package tui

import (
	"context"
	"errors"
	"image"
	"strings"
	"time"

	"assist/session"
	"assist/tui/cell"
	"assist/tui/control"
	"assist/tui/status"
	"assist/tui/textpane"
	"assist/tui/theme"
	"assist/tui/waiting"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// ErrNoText says that the host shares no text, so that there is no shell to show.
var ErrNoText = errors.New("this machine shares no terminal")

// noTextAfter is how long the host has to say that it shares text.
const noTextAfter = 5 * time.Second

// RunShell shows the host's text alone, on the whole terminal, and passes every key on, until ~. at the beginning of a line,
// the end of the session, ctx or a signal. As Run it gives the terminal back as it was and closes the session.
func RunShell(ctx context.Context, s Session, opt Options) (Result, error) {
	defer s.Close()
	opt = opt.filled()
	m := newShellModel(s, opt)
	err := opt.show(ctx, func(ctx context.Context) tea.Model {
		m.ctx = ctx
		return m
	})
	return Result{State: s.State(), Left: m.left}, errors.Join(err, m.err)
}

func newShellModel(s Session, opt Options) *shell {
	m := &shell{session: s, opt: opt, pane: textpane.New(), bol: true, now: time.Now, theme: theme.New(true, opt.ColorProfile)}
	m.control = control.New(s.Input)
	m.control.ToText = true
	if opt.ColorProfile != colorprofile.Unknown {
		m.pane.SetProfile(opt.ColorProfile)
	}
	return m
}

// shell is the model of RunShell.
type shell struct {
	ctx     context.Context
	session Session
	opt     Options
	now     func() time.Time
	theme   theme.Theme
	control *control.Control
	pane    *textpane.Pane
	size    image.Point
	state   State
	glanced image.Point
	takes   bool
	begun   time.Time // of being in
	bol     bool      // at the beginning of a line, where ~ means something
	tilde   bool
	message string
	left    bool
	err     error
}

// Init starts the pump of changes.
func (m *shell) Init() tea.Cmd {
	return tea.Batch(m.next(), func() tea.Msg { return changedMsg{} }, m.tick())
}

func (m *shell) next() tea.Cmd {
	return func() tea.Msg {
		select {
		case <-m.session.Changed():
			return pumpedMsg{}
		case <-m.ctx.Done():
			return nil
		}
	}
}

func (m *shell) tick() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return secondMsg{} })
}

// Update implements tea.Model.
func (m *shell) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case pumpedMsg:
		cmd = m.next()
		m.pull()
	case changedMsg:
		m.pull()
	case secondMsg:
		cmd = m.tick()
		m.control.Flush()
		if !m.begun.IsZero() && !m.state.Text.Offered && m.now().Sub(m.begun) > noTextAfter {
			m.err = ErrNoText
		}
	case tea.WindowSizeMsg:
		m.size = image.Pt(msg.Width, msg.Height)
		m.pane.SetSize(m.size)
	case tea.ColorProfileMsg:
		m.pane.SetProfile(msg.Profile)
	case tea.KeyPressMsg:
		m.key(msg)
	case tea.PasteMsg:
		m.paste(msg.Content)
	case tea.MouseMsg:
		m.mouse(msg)
	}
	m.look()
	if m.left || m.err != nil || m.state.Phase == Over {
		return m, tea.Quit
	}
	return m, cmd
}

func (m *shell) pull() {
	m.state = m.session.State()
	if m.state.Phase == In && m.begun.IsZero() {
		m.begun = m.now()
	}
	if g := m.session.Text(); g != nil {
		m.pane.SetGrid(g)
	}
}

// look tells the host how large this terminal is and that keys are coming, once there is a session.
func (m *shell) look() {
	if m.state.Phase != In || m.size.X == 0 {
		return
	}
	if m.glanced != m.size {
		m.glanced = m.size
		m.session.LookText(true, m.size)
	}
	if me, _ := m.state.Roster.Member(m.state.Self); !m.takes && me.Grants.Has(session.Control) {
		m.takes = true
		m.session.Do(TakeControl{})
	}
}

// key passes a key on, but for ~. at the beginning of a line.
func (m *shell) key(k tea.KeyPressMsg) {
	press := k.String()
	if m.state.Phase != In || m.pane.Grid() == nil {
		m.left = press == "ctrl+c" || press == "q" || m.escaped(press) && press == "."
		return
	}
	if m.escaped(press) {
		switch press {
		case ".":
			m.left = true
			return
		case "?":
			m.message = "~. leaves, ~~ sends ~"
			return
		case "~":
		default:
			m.played(m.control.Press(tea.Key{Code: '~', Text: "~"}))
		}
	} else if m.tilde {
		return
	}
	m.message = ""
	m.pane.Typed()
	m.bol = press == "enter" || press == "ctrl+c"
	m.played(m.control.Press(k.Key()))
}

// escaped says whether the key follows a ~ that was held back; such a ~ sets tilde.
func (m *shell) escaped(press string) bool {
	was := m.tilde
	m.tilde = !was && m.bol && press == "~"
	if m.tilde || was {
		m.bol = false
	}
	return was
}

func (m *shell) paste(text string) {
	if m.state.Phase == In {
		m.bol = strings.HasSuffix(text, "\n")
		m.played(m.control.Paste(text))
	}
}

// played says why input does not arrive, if it does not.
func (m *shell) played(ok bool) {
	me, _ := m.state.Roster.Member(m.state.Self)
	switch {
	case m.opt.ViewOnly:
		m.message = "you joined to view only; ~. leaves"
	case !me.Grants.Has(session.Control):
		m.message = "the customer has not allowed you to type; ~. leaves"
	case m.state.Roster.Paused:
		m.message = "input is paused: " + cell.Clean(m.state.Roster.WhyPaused)
	case !ok:
		m.message = "the machine takes no input"
		m.control.Stop()
	}
}

func (m *shell) mouse(msg tea.MouseMsg) {
	mouse := msg.Mouse()
	at, in := m.pane.Cell(image.Pt(mouse.X, mouse.Y))
	switch msg.(type) {
	case tea.MouseMotionMsg:
		m.control.Move(at)
	case tea.MouseReleaseMsg:
		m.control.ButtonUp(buttons[mouse.Button], at)
	case tea.MouseClickMsg:
		if b := buttons[mouse.Button]; in && b != 0 {
			m.control.Button(b, at, mouse.Mod)
		}
	case tea.MouseWheelMsg:
		m.control.Wheel(notches[mouse.Button], at, mouse.Mod)
	}
}

// View implements tea.Model.
func (m *shell) View() tea.View {
	var v tea.View
	v.AltScreen = true
	v.WindowTitle = "assist " + status.Code(m.state.Code)
	if m.size.X <= 0 || m.size.Y <= 0 {
		return v
	}
	if m.state.Phase != In && m.state.Phase != Lost || m.pane.Grid() == nil {
		scene := waiting.Scene{State: m.state, Command: m.opt.command(m.state.Code), Now: m.now()}
		v.SetContent(strings.Join(waiting.View(m.theme, scene, m.size.X, m.size.Y), "\n"))
		return v
	}
	rows := m.pane.View()
	if say := m.says(); say != "" {
		rows = append(cell.Block(nil), rows...)
		rows[len(rows)-1] = m.theme.BarWarn.Render(cell.Fit(" assist: "+say, m.size.X))
	}
	v.SetContent(strings.Join(rows, "\n"))
	if at, seen := m.pane.Cursor(); seen {
		v.Cursor = tea.NewCursor(at.X, at.Y)
	}
	if m.pane.Grid().Modes.WantsMouse() {
		v.MouseMode = tea.MouseModeAllMotion
	}
	return v
}

// says is what has to be said over the last row.
func (m *shell) says() string {
	switch {
	case m.state.Phase == Lost:
		return "no contact since " + m.state.LostSince.Local().Format("15:04:05") + "; trying again. ~. leaves"
	case m.message != "":
		return m.message
	case m.state.Text.Ended:
		return cell.Clean(m.state.Text.Name) + " has ended; Enter begins anew, ~. leaves"
	case !m.state.Trusted && len(m.state.Words) > 0 && m.now().Sub(m.begun) < 20*time.Second:
		return "compare with the customer: " + strings.Join(m.state.Words, " ")
	}
	return ""
}
