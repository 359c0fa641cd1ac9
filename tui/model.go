package tui

import (
	"context"
	"image"
	"strings"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/screen/raster"
	"assist/session"
	"assist/tui/chatbox"
	"assist/tui/checkup"
	"assist/tui/control"
	"assist/tui/dialog"
	"assist/tui/keys"
	"assist/tui/notices"
	"assist/tui/painter"
	"assist/tui/status"
	"assist/tui/textpane"
	"assist/tui/theme"
	"assist/tui/viewer"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// The delays of the console.
const (
	lookAfter    = 80 * time.Millisecond   // a resize or zoom settles so long before the host is asked
	offerAgain   = 20 * time.Millisecond   // input that the session did not take is offered again
	exitTwice    = time.Second             // within it a second exit key goes to the customer
	messageLife  = 4 * time.Second         // of a sentence in the status line
	patienceOver = 1500 * time.Millisecond // how long leaving waits for the host to say goodbye
)

// The messages of the console's own.
type (
	changedMsg struct{}             // the session has news
	secondMsg  struct{}             // a second passed
	lookMsg    struct{ serial int } // a viewport has settled
	offerMsg   struct{}             // waiting input is to be offered again
	goneMsg    struct{}             // leaving has waited long enough
)

// model is the one tea.Model. It owns focus, mode, drafts and viewport, and belongs to the goroutine of the tea.Program.
type model struct {
	// Set once.
	ctx     context.Context
	session Session
	opt     Options
	now     func() time.Time

	// Of the terminal.
	size    image.Point
	theme   theme.Theme
	dark    bool
	profile colorprofile.Profile
	noMouse bool

	// Of the session.
	state   State
	wasIn   bool
	newest  chat.Seq
	history bool // the log was read once, so what comes now is news
	outcome uint64
	asked   screen.Viewport
	serial  int

	// Of the agent.
	mode       status.Mode
	showRoster bool
	picked     session.MemberID // in the roster
	showChat   bool
	layout     layout
	dialog     dialog.Dialog
	message    string
	messageEnd time.Time
	leftAt     time.Time // control was left by the exit key
	dragFrom   *image.Point
	offering   bool
	ticking    bool       // a second is on its way
	pin        screen.Pin // of the quality of pictures
	paint      drawn
	wanting    bool // control was asked for, where one agent has it at a time
	leaving    bool
	handing    session.MemberID // the lead leaves when this agent takes over
	invite     *dialog.Invite   // the dialog of that name, when it was open last
	offered    Offer            // the offer whose page was opened
	quitting   bool

	draws draws // the terminal
	drawn bool  // the picture is in the view
	// Of shared text.
	text      *textpane.Pane
	showText  bool
	chosen    bool // desktop or text, by hand
	glanced   textGlance
	selecting bool

	viewer  *viewer.Pane
	chat    *chatbox.Pane
	check   *checkup.Pane
	control *control.Control
	notices notices.Box
}

func newModel(ctx context.Context, s Session, opt Options) *model {
	m := &model{
		ctx: ctx, session: s, opt: opt, now: time.Now, dark: true, profile: opt.ColorProfile, noMouse: opt.NoMouse,
		viewer: viewer.New(opt.renderer()), chat: chatbox.New(), check: checkup.New(), text: textpane.New(),
	}
	m.control = control.New(s.Input)
	m.chat.Names = m.nameOf
	m.pin = opt.Quality
	if opt.Glyphs != nil {
		m.viewer.SetMode(*opt.Glyphs)
		if *opt.Glyphs == raster.Pixels && opt.painter != nil { // the person knows better, should the terminal not answer
			opt.painter.SetImages(painter.Kitty)
		}
	}
	m.restyle()
	return m
}

// Init starts the pump of changes and the clock, and asks the terminal whether it is dark.
func (m *model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.nextChange(), tea.RequestBackgroundColor, func() tea.Msg { return changedMsg{} }}
	if answers(m.opt.Env) {
		ask := question
		if strings.HasPrefix(value(m.opt.Env, "TERM"), "mlterm") && m.opt.ColorProfile == colorprofile.Unknown { // it gives no name
			ask += AskColours
		}
		cmds = append(cmds, tea.Raw(ask))
	}
	return tea.Batch(cmds...)
}

// nextChange waits for one signal of the session. The next is asked for only when this one was handled, so that at most one
// is ever pending.
func (m *model) nextChange() tea.Cmd {
	return func() tea.Msg {
		select {
		case <-m.session.Changed():
			return pumpedMsg{}
		case <-m.ctx.Done():
			return nil
		}
	}
}

// pumpedMsg is a change that came through the pump, which is to be started again.
type pumpedMsg struct{}

// after brings msg in a while, unless the console is gone by then.
func (m *model) after(d time.Duration, msg tea.Msg) tea.Cmd {
	return func() tea.Msg {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return msg
		case <-m.ctx.Done():
			return nil
		}
	}
}

// Update takes one message. Nothing in it waits.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.handle(msg)
	if m.quitting {
		return m, tea.Quit
	}
	m.watchOffer()
	return m, tea.Batch(cmd, m.handedOver(), m.settle())
}

func (m *model) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case pumpedMsg:
		m.pull()
		return m.nextChange()
	case changedMsg:
		m.pull()
	case secondMsg:
		return m.second()
	case lookMsg:
		m.look(msg.serial)
	case offerMsg:
		m.offering = false
		m.control.Flush()
	case linesMsg, foundMsg:
		m.hearText(msg)
	case stillMsg:
		m.showStill(msg)
	case savedMsg:
		m.saved(msg)
	case sharedMsg:
		m.shared(msg)
	case goneMsg:
		m.quitting = true
	case tea.WindowSizeMsg:
		m.size = image.Pt(msg.Width, msg.Height)
		if m.draws.behind != nil { // another terminal, perhaps, or another font
			m.cellSize(cellPixels(m.opt.Out))
			return m.lookAround()
		}
	case tea.ColorProfileMsg:
		if m.opt.ColorProfile == colorprofile.Unknown {
			m.profile = msg.Profile
			m.restyle()
			m.choose()
		}
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.restyle()
	case tea.KeyboardEnhancementsMsg:
		m.control.Releases = m.mode == status.Control && !m.showText && msg.SupportsEventTypes() && msg.SupportsAllKeysAsEscapeCodes()
	case tea.BlurMsg:
		if m.mode == status.Control { // releases go elsewhere from now on
			m.control.Stop()
		}
	default:
		if cmd, ok := m.told(msg); ok {
			return cmd
		}
		return m.input(msg)
	}
	return nil
}

// restyle makes everything that depends on colours anew.
func (m *model) restyle() {
	m.theme = theme.New(m.dark, m.profile)
	m.chat.SetTheme(m.theme)
	m.text.SetProfile(m.profile)
	m.viewer.SetDepth(raster.DepthOf(m.profile))
	m.viewer.SetOthers(m.others())
}

// settle brings layout and viewport up to date and starts whatever timers that needs.
func (m *model) settle() tea.Cmd {
	m.arrange()
	cmds := []tea.Cmd{m.settleText(), m.tick()}
	want := m.viewer.Wanted()
	if m.showText && want.Grid != (image.Point{}) { // nobody looks at the picture: one pixel of it costs nothing
		want.Grid = image.Pt(1, 1)
	}
	if want.Grid != (image.Point{}) && !want.Same(m.asked) && m.state.Phase == In {
		if m.asked.Grid == (image.Point{}) {
			m.asked = want
			m.session.Look(want)
		} else {
			m.serial++
			m.asked = want
			cmds = append(cmds, m.after(lookAfter, lookMsg{m.serial}))
		}
	}
	if m.control.Waiting() > 0 && !m.offering {
		m.offering = true
		cmds = append(cmds, m.after(offerAgain, offerMsg{}))
	}
	return tea.Batch(cmds...)
}

// look asks the host for the viewport that has settled; older requests are moot.
func (m *model) look(serial int) {
	if serial == m.serial {
		m.session.Look(m.asked)
	}
}

// keysNow is what decides which keys work.
func (m *model) keysNow() keys.Now {
	me, _ := m.state.Roster.Member(m.state.Self)
	n := keys.Now{
		Phase: m.state.Phase, Grants: me.Grants, Asked: me.Asked, Trusted: m.state.Trusted, Words: len(m.state.Words) > 0,
		Picture: m.session.Picture() != nil, Zoomed: !m.showText && !m.viewer.Lens.Fits() || m.showText && m.text.Larger(), ChatOpen: m.showChat, ViewOnly: m.opt.ViewOnly,
		Text: m.showText, Both: m.both(), Selected: m.text.Selecting(),
		Monitors: len(m.state.Display.Monitors),
		Lead:     m.state.Roster.Lead == m.state.Self, Self: m.state.Self, Mode: m.state.Roster.Mode,
	}
	if m.mode == status.People {
		n.Picked, _ = m.state.Roster.Member(m.picked)
	}
	if m.state.Roster.Paused {
		n.Paused = m.state.Roster.WhyPaused
		if n.Paused == "" {
			n.Paused = "input is paused"
		}
	}
	return n
}

// mayControl says why control cannot go on; a pause is no reason to give it up.
func (m *model) mayControl() string {
	n := m.keysNow()
	n.Paused = ""
	k, _ := keys.Find("c")
	return k.Why(n)
}

// say puts a sentence into the status line for a few seconds.
func (m *model) say(text string) { m.message, m.messageEnd = text, m.now().Add(messageLife) }
