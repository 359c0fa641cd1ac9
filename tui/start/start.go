// Package start is the screen of bare `assist`: where an agent joins or starts a session, goes to a machine or back to a
// recent session, and signs in.
//
// It is a tea.Model of its own, owned by the goroutine of its tea.Program. It dials nothing: signing in and listing machines
// are functions that it is given, which never run in Update. What was chosen is in Choice when the program is over.
package start

import (
	"context"
	"image"
	"time"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Options are what the screen shows and calls.
type Options struct {
	User, Relay string   // of the login; User is empty where there is none
	Joining     string   // only signing in is asked for, in order to do this: "join session 1234 5678"
	Recent      []Recent // newest first
	// Check says how a code or join address is read out, or what is wrong with it.
	Check func(text string) (shown string, err error)
	// SignIn signs in and says as whom. A *NewRelayError asks the agent to compare a key; then it is called with that key.
	SignIn func(ctx context.Context, in SignIn) (user string, err error)
	// Machines lists those of the login, nil where it has none.
	Machines func(ctx context.Context) ([]Machine, error)
}

// Recent is a session that this user was in.
type Recent struct {
	Join string // its code or address
	Name string // customer and machine
	When time.Time
	Over bool // it has ended: nobody can come back to it
}

// Machine is one that the login may go to.
type Machine struct {
	Name, Note string
	Why        string // not empty: it cannot be reached now
}

// SignIn is what the agent typed, Key what the agent compared.
type SignIn struct{ Relay, User, Password, Key string }

// NewRelayError says that a relay is seen for the first time.
type NewRelayError struct{ Relay, Key string }

func (e *NewRelayError) Error() string {
	return "the relay " + e.Relay + " is new here; its key is " + e.Key
}

// Do is what was chosen.
type Do uint8

// The choices.
const (
	Nothing  Do = iota
	Join        // Choice.Text is the code or address
	Begin       // a session of one's own
	Go          // to the machine Choice.Text
	SignedIn    // with Options.Joining: it is done
)

// Choice is what the screen was left with.
type Choice struct {
	Do    Do
	Text  string
	Relay string // where the agent signed in meanwhile; empty: as before
}

// page is one view of the screen.
type page interface {
	press(m *Model, k tea.KeyPressMsg) tea.Cmd
	paste(m *Model, text string)
	rows(t theme.Theme, w int) []string
	hint() string
}

// Model is the screen.
type Model struct {
	Choice Choice

	ctx      context.Context
	opt      Options
	theme    theme.Theme
	profile  colorprofile.Profile
	size     image.Point
	page     page
	machines []Machine
	listed   error
	busy     string            // what is being waited for
	wrong    string            // what went wrong
	pending  Choice            // what waits for signing in
	compared map[string]string // keys of relays that the agent said yes to
}

// New makes the screen for a terminal that shows so many colours.
func New(ctx context.Context, opt Options, p colorprofile.Profile) *Model {
	m := &Model{ctx: ctx, opt: opt, profile: p, theme: theme.New(true, p), compared: map[string]string{}}
	m.page = newHome(m)
	if opt.Joining != "" {
		m.pending = Choice{Do: SignedIn}
		m.page = newForm(opt.Relay, opt.User)
	}
	return m
}

// machinesMsg is the list of machines, signedMsg how signing in went.
type (
	machinesMsg struct {
		list []Machine
		err  error
	}
	signedMsg struct {
		in   SignIn
		user string
		err  error
	}
)

// Init asks for the machines and whether the terminal is dark.
func (m *Model) Init() tea.Cmd { return tea.Batch(tea.RequestBackgroundColor, m.list()) }

// list asks for the machines of the login.
func (m *Model) list() tea.Cmd {
	if m.opt.User == "" || m.opt.Machines == nil || m.opt.Joining != "" {
		return nil
	}
	return func() tea.Msg {
		list, err := m.opt.Machines(m.ctx)
		return machinesMsg{list, err}
	}
}

// Update takes one message. Nothing in it waits.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.size = image.Pt(msg.Width, msg.Height)
	case tea.BackgroundColorMsg:
		m.theme = theme.New(msg.IsDark(), m.profile)
	case tea.ColorProfileMsg:
		if m.profile == colorprofile.Unknown {
			m.profile = msg.Profile
			m.theme = theme.New(m.theme.Dark, m.profile)
		}
	case machinesMsg:
		m.machines, m.listed = msg.list, msg.err
		if h, home := m.page.(*home); home {
			h.refresh(m)
		}
	case signedMsg:
		return m, m.signed(msg)
	case tea.PasteMsg:
		if m.busy == "" {
			m.page.paste(m, msg.Content)
		}
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+c" {
			return m, tea.Quit
		}
		if m.busy != "" {
			return m, nil
		}
		m.wrong = ""
		return m, m.page.press(m, msg)
	}
	return m, nil
}

// choose ends the screen with c, or asks to sign in first.
func (m *Model) choose(c Choice) tea.Cmd {
	if m.opt.User == "" && c.Do != SignedIn {
		m.pending, m.page = c, newForm(m.opt.Relay, "")
		return nil
	}
	m.Choice = c
	return tea.Quit
}

// signIn calls Options.SignIn beside the screen.
func (m *Model) signIn(in SignIn) tea.Cmd {
	if in.Key == "" {
		in.Key = m.compared[in.Relay]
	}
	m.busy = "Signing in at " + cell.Clean(in.Relay) + " ..."
	return func() tea.Msg {
		user, err := m.opt.SignIn(m.ctx, in)
		return signedMsg{in, user, err}
	}
}

// signed goes on with what waited for it.
func (m *Model) signed(msg signedMsg) tea.Cmd {
	m.busy = ""
	if msg.err != nil {
		if fresh, ok := msg.err.(*NewRelayError); ok && msg.in.Key == "" {
			m.page = &keyPage{msg.in, fresh}
			return nil
		}
		m.wrong = cell.Clean(msg.err.Error())
		form := newForm(msg.in.Relay, msg.in.User)
		form.at = 2
		m.page = form
		return nil
	}
	m.opt.User, m.opt.Relay = msg.user, msg.in.Relay
	if m.pending.Do != Nothing {
		m.pending.Relay = msg.in.Relay
		return m.choose(m.pending)
	}
	m.page = newHome(m)
	return m.list()
}

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen, v.WindowTitle = true, "assist"
	if m.size.X <= 0 || m.size.Y <= 0 {
		return v
	}
	t, w := m.theme, min(64, m.size.X-4)
	out := []string{t.Strong.Render("assist"), t.Dim.Render(cell.Cut(m.who(), w)), ""}
	out = append(out, m.page.rows(t, w)...)
	told, style := m.wrong, t.Bad
	if m.busy != "" {
		told, style = m.busy, t.Accent
	}
	out = append(out, "")
	for _, l := range cell.Wrap(told, w) {
		out = append(out, style.Render(l))
	}
	rows := cell.Fill(m.size.X, m.size.Y)
	left := max(0, (m.size.X-w)/2)
	top := max(0, (m.size.Y-1-len(out))/3)
	for i, l := range out {
		if top+i < m.size.Y-1 {
			rows[top+i] = cell.Fit(cell.Fit("", left)+l, m.size.X)
		}
	}
	rows[m.size.Y-1] = t.Bar.Render(cell.Fit(" "+m.page.hint(), m.size.X))
	v.SetContent(joined(rows))
	return v
}

func (m *Model) who() string {
	switch {
	case m.opt.Joining != "":
		return "You are not signed in. Sign in to " + cell.Clean(m.opt.Joining) + "."
	case m.opt.User == "":
		return "Remote support in a terminal. You are not signed in."
	}
	return "Signed in as " + cell.Clean(m.opt.User) + " at " + cell.Clean(m.opt.Relay)
}
