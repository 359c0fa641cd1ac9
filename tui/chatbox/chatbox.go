// Package chatbox is the pane of the chat: what was said in both lanes, what happened, and a place to write.
//
// The pane belongs to the goroutine of the tea.Program and never waits; sending is a value that the model passes on. Lanes
// are told apart by words and by their gutter, and entries that no member wrote stand in a column that no text can reach.
// It keeps the newest MaxEntries entries; the whole log is the host's.
package chatbox

import (
	"slices"
	"strings"

	"assist/chat"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/theme"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
)

// MaxEntries is how many entries can be scrolled back to here; MaxText is how many characters one can write at once.
const (
	MaxEntries = 2000
	MaxText    = 4000
)

// Sent is what was written, for the model to pass on.
type Sent struct {
	Lane chat.Lane
	Text string
}

// Pane is the chat.
type Pane struct {
	Lane   chat.Lane // who reads what is written next
	Self   session.MemberID
	Unread int
	Unsent int                    // own messages that wait for contact
	Names  func(id uint32) string // of the members, for entries that are about one

	theme   theme.Theme
	w, h    int
	beside  bool
	entries []chat.Entry
	lines   []string // entries, wrapped to the pane
	starts  []int    // the first line of each entry
	unread  chat.Seq // the first entry that was not seen when it came; 0: all were
	find    *finding // nil: nothing is looked for
	back    int      // how many lines are scrolled back
	focused bool
	input   textarea.Model
}

// New is an empty chat.
func New() *Pane {
	in := textarea.New()
	in.Prompt, in.Placeholder = "> ", ""
	in.ShowLineNumbers = false
	in.CharLimit = MaxText
	in.DynamicHeight, in.MinHeight, in.MaxHeight = true, 1, 3
	in.SetVirtualCursor(false)
	in.KeyMap.InsertNewline.SetKeys("alt+enter", "ctrl+j", "shift+enter")
	in.KeyMap.Paste.SetEnabled(false) // it would read the agent's clipboard; terminals paste by themselves
	return &Pane{Lane: chat.Everyone, Names: func(uint32) string { return "" }, input: in}
}

// SetTheme changes the styles.
func (p *Pane) SetTheme(t theme.Theme) {
	p.theme = t
	plain := textarea.StyleState{Base: t.Text, Text: t.Text, CursorLine: t.Text, EndOfBuffer: t.Text, Placeholder: t.Dim, Prompt: t.Accent}
	p.input.SetStyles(textarea.Styles{Focused: plain, Blurred: plain, Cursor: textarea.CursorStyle{Blink: true, Shape: tea.CursorBar}})
	p.wrap()
}

// SetSize gives the pane its size in cells; beside means that it stands at the right of the picture, else under it.
func (p *Pane) SetSize(w, h int, beside bool) {
	if w == p.w && h == p.h && beside == p.beside {
		return
	}
	p.w, p.h, p.beside = w, h, beside
	p.input.SetWidth(max(4, p.room()))
	p.wrap()
}

// margin is the column of the edge and a blank, where the pane stands beside the picture.
func (p *Pane) margin() int {
	if p.beside {
		return 2
	}
	return 1
}

func (p *Pane) room() int { return p.w - p.margin() }

// Focus gives or takes the keys.
func (p *Pane) Focus(on bool) tea.Cmd {
	p.focused = on
	if !on {
		p.input.Blur()
		return nil
	}
	p.back = 0
	p.read()
	return p.input.Focus()
}

// Add appends entries; seen says that the pane is open, so that the agent has them before the eyes unless it is scrolled.
func (p *Pane) Add(entries []chat.Entry, seen bool) {
	for _, e := range entries {
		if e.Kind != chat.Said || seen && p.back == 0 || e.From == uint32(p.Self) {
			continue
		}
		if p.Unread == 0 {
			p.unread = e.Seq
		}
		p.Unread++
	}
	p.entries = append(p.entries, entries...)
	if over := len(p.entries) - MaxEntries; over > 0 {
		p.entries = slices.Delete(p.entries, 0, over)
	}
	before := len(p.lines)
	p.wrap()
	if p.back > 0 {
		p.back += max(0, len(p.lines)-before)
	}
}

// Draft is what was written and not sent yet.
func (p *Pane) Draft() string { return p.input.Value() }

// Update edits the draft. It returns what is to be sent, if anything, and whether the agent is done writing.
func (p *Pane) Update(msg tea.Msg) (sent *Sent, done bool, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if p.find != nil {
			return nil, p.seek(msg), nil
		}
		switch msg.String() {
		case "ctrl+f":
			p.Find()
			return nil, false, nil
		case "enter":
			return p.send(), false, nil
		case "esc", "ctrl+c":
			return nil, true, nil
		case "tab", "shift+tab":
			p.otherLane()
			return nil, false, nil
		case "pgup", "pgdown":
			p.page(msg.String())
			return nil, false, nil
		}
	case tea.PasteMsg:
		if p.find != nil {
			p.ask(msg.Content)
			return nil, false, nil
		}
		p.input.InsertString(tidy(msg.Content))
		return nil, false, nil
	}
	p.input, cmd = p.input.Update(msg)
	return nil, false, cmd
}

// tidy keeps of a paste what one can write: printable characters and line ends.
func tidy(s string) string {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n")
	for i := range lines {
		lines[i] = cell.Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

func (p *Pane) send() *Sent {
	text := strings.TrimSpace(p.input.Value())
	if text == "" {
		return nil
	}
	p.input.Reset()
	p.back, p.unread = 0, 0
	p.wrap()
	return &Sent{p.Lane, text}
}

func (p *Pane) otherLane() {
	if p.Lane == chat.Everyone {
		p.Lane = chat.AgentsOnly
	} else {
		p.Lane = chat.Everyone
	}
}

// Scroll goes back by lines, or on when negative.
func (p *Pane) Scroll(lines int) {
	p.back = max(0, min(p.back+lines, len(p.lines)-p.logRows()))
	if p.back == 0 {
		p.read()
	}
}

// read says that the agent has seen everything. The mark above what was new stays until the agent writes or more comes.
func (p *Pane) read() { p.Unread = 0 }

// page scrolls by what is seen.
func (p *Pane) page(key string) {
	p.Scroll(map[string]int{"pgup": 1, "pgdown": -1}[key] * max(1, p.logRows()-1))
}

// logRows is how many rows the log has: the title, the line that names the lane, and the input take the others.
func (p *Pane) logRows() int { return max(1, p.h-2-p.input.Height()) }
