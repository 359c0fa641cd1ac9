package consent

import (
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"assist/chat"
	"assist/session"
	"assist/tui/chatbox"
	"assist/tui/notices"
	"assist/tui/theme"
)

// How long keys are held back after a question has come up, so that nobody answers who was doing something else. A no needs
// the shortest; a yes to somebody whom nothing vouches for takes the time to read the warning (threats, protection of the customer).
const (
	swallow     = 700 * time.Millisecond
	yesAfter    = 1500 * time.Millisecond
	strangerYes = 5 * time.Second
)

// model is the customer's screen.
type model struct {
	act     func(Act)
	view    View
	w, h    int
	dark    bool
	profile colorprofile.Profile
	theme   theme.Theme
	now     time.Time
	asked   time.Time // when the question that is up came
	serial  uint64
	writing bool
	draft   string
	said    string // what the last key did, in words

	page, pageRows, pageRoom int // of the preview: first line shown, all lines, lines shown
	stopped                  bool

	passing notices.Box // who came and who went
	newest  chat.Seq
}

type tickMsg time.Time

func newModel(act func(Act)) *model {
	m := &model{act: act, w: 80, h: 24, dark: true, profile: colorprofile.ANSI256, now: time.Now()}
	m.dress()
	return m
}

func (m *model) dress() { m.theme = theme.New(m.dark, m.profile) }

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return tea.Batch(tick(), tea.RequestBackgroundColor) }

// tick moves the countdowns. While nothing counts it costs one comparison a second.
func tick() tea.Cmd {
	return tea.Tick(time.Second/2, func(t time.Time) tea.Msg { return tickMsg(t) })
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case View:
		m.take(msg)
		if msg.Ended {
			return m, tea.Quit
		}
	case tickMsg:
		m.now = time.Time(msg)
		m.passing.Expire(m.now)
		return m, tick()
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.ColorProfileMsg:
		m.profile = msg.Profile
		m.dress()
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.dress()
	case tea.PasteMsg:
		if m.writing && m.view.Question == nil {
			m.write(msg.Content)
		}
	case tea.KeyPressMsg:
		return m, m.press(msg)
	}
	return m, nil
}

// take shows a newer view.
func (m *model) take(v View) {
	m.now = time.Now()
	if v.Question != nil && v.Question.Serial != m.serial {
		m.serial, m.asked, m.said, m.page = v.Question.Serial, m.now, "", 0
	}
	if v.Question == nil && m.view.Question != nil {
		m.said = ""
	}
	m.view = v
	names := m.names()
	for _, e := range v.Log {
		if e.Seq > m.newest && chat.Passing(e.Kind) && e.Kind != chat.Note {
			m.passing.Add(chatbox.Sentence(e, names), false, m.now)
		}
		m.newest = max(m.newest, e.Seq)
	}
}

// names knows the members of the view.
func (m *model) names() func(uint32) string {
	return func(id uint32) string {
		p, _ := m.view.Roster.Member(session.MemberID(id))
		return p.Name
	}
}

// press does what a key says. Ctrl-C stops from everywhere and is asked of nobody.
func (m *model) press(k tea.KeyPressMsg) tea.Cmd {
	m.now = time.Now()
	if k.String() == "ctrl+c" {
		return m.stop()
	}
	if q := m.view.Question; q != nil {
		return m.answer(q, k.String())
	}
	if m.writing {
		m.edit(k)
		return nil
	}
	switch k.String() {
	case "s", "S":
		return m.stop()
	case "r", "R":
		if controls(m.view.Roster) {
			m.act(TakeBack{})
			m.said = "You have taken control back. Agents can ask for it again."
		}
	case "t", "T", "enter":
		if agents(m.view.Roster) > 0 {
			m.writing, m.said = true, ""
		}
	}
	return nil
}

func (m *model) stop() tea.Cmd {
	if m.stopped {
		return tea.Quit
	}
	m.stopped = true
	m.act(Stop{})
	return nil
}

// answer takes a key while a question is up.
func (m *model) answer(q *Question, key string) tea.Cmd {
	since := m.now.Sub(m.asked)
	if since < swallow {
		return nil
	}
	switch key {
	case "n", "N", "esc":
		m.act(Answer{Serial: q.Serial})
		m.said = "You said no."
	case "y", "Y":
		if since < q.yesAfter() {
			m.said = "Please read first; y works in a moment."
			return nil
		}
		m.act(Answer{Serial: q.Serial, Allow: q.Grants})
		m.said = "You said yes."
	case "s", "S":
		return m.stop()
	default:
		m.turn(key)
	}
	return nil
}

// yesAfter is when a yes begins to count.
func (q *Question) yesAfter() time.Duration {
	if q.Join && q.Trust != session.VerifiedOrg {
		return strangerYes
	}
	return yesAfter
}

// edit changes the line that is being written.
func (m *model) edit(k tea.KeyPressMsg) {
	switch k.String() {
	case "esc":
		m.writing, m.draft = false, ""
	case "enter":
		if text := strings.TrimSpace(m.draft); text != "" {
			m.act(Say{Text: text})
		}
		m.writing, m.draft = false, ""
	case "backspace":
		_, n := utf8.DecodeLastRuneInString(m.draft)
		m.draft = m.draft[:len(m.draft)-n]
	default:
		m.write(k.Text)
	}
}

func (m *model) write(text string) {
	if len(m.draft)+len(text) <= chat.MaxBodyBytes/4 {
		m.draft += chat.Line(text)
	}
}

// View implements tea.Model.
func (m *model) View() tea.View {
	var v tea.View
	v.AltScreen = true
	v.Content = strings.Join(m.draw(), "\n")
	v.WindowTitle = "assist: sharing this machine"
	return v
}

func agents(r session.Roster) int {
	n := 0
	for _, m := range r.Members {
		if m.Role != session.Customer && (m.Presence == session.Here || m.Presence == session.Reconnecting) {
			n++
		}
	}
	return n
}

// controls says whether an agent may control.
func controls(r session.Roster) bool {
	for _, m := range r.Members {
		if m.Role != session.Customer && m.Grants.Has(session.Control) {
			return true
		}
	}
	return false
}
