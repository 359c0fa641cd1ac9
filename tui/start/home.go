package start

import (
	"strings"
	"time"

	"assist/tui/cell"
	"assist/tui/dialog"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// item is one line of a list.
type item struct {
	text, note string
	why        string // not empty: cannot be chosen
	do         func(m *Model) tea.Cmd
}

// home is the first page: a place for a code, and what else there is to do.
type home struct {
	code  dialog.Field
	items []item
	at    int // 0: the place for the code; items count from 1
}

func newHome(m *Model) *home {
	h := &home{code: dialog.Field{Max: 512}}
	h.refresh(m)
	return h
}

// refresh makes the list anew; the place for the code keeps what was typed.
func (h *home) refresh(m *Model) {
	h.items = []item{{text: "Start session", note: "get a code for the customer", do: func(m *Model) tea.Cmd { return m.choose(Choice{Do: Begin}) }}}
	switch {
	case len(m.machines) > 0:
		h.items = append(h.items, item{text: "Machines", note: "that you may go to without a code", do: func(m *Model) tea.Cmd {
			m.page = machines(m)
			return nil
		}})
	case m.listed != nil:
		h.items = append(h.items, item{text: "Machines", note: "could not be listed", why: m.listed.Error()})
	}
	if len(m.opt.Recent) > 0 {
		h.items = append(h.items, item{text: "Recent sessions", do: func(m *Model) tea.Cmd {
			m.page = recent(m, time.Now())
			return nil
		}})
	}
	sign := "Sign in"
	if m.opt.User != "" {
		sign = "Sign in as somebody else, or elsewhere"
	}
	h.items = append(h.items, item{text: sign, do: func(m *Model) tea.Cmd {
		m.pending, m.page = Choice{}, newForm(m.opt.Relay, "")
		return nil
	}})
	h.at = min(h.at, len(h.items))
}

func (h *home) press(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch s := k.String(); s {
	case "up", "shift+tab":
		h.at = (h.at + len(h.items)) % (len(h.items) + 1)
	case "down", "tab":
		h.at = (h.at + 1) % (len(h.items) + 1)
	case "esc":
		return tea.Quit
	case "enter":
		if h.at > 0 {
			return pick(m, h.items[h.at-1])
		}
		return h.join(m)
	case "q":
		if h.code.Text() == "" {
			return tea.Quit
		}
		fallthrough
	default:
		if h.code.Press(k) {
			h.at = 0
		}
	}
	return nil
}

func (h *home) join(m *Model) tea.Cmd {
	text := h.code.Text()
	if text == "" {
		m.wrong = "Type the 8 digits of the code, or paste the address of the session."
		return nil
	}
	if _, err := m.opt.Check(text); err != nil {
		m.wrong = cell.Clean(err.Error())
		return nil
	}
	return m.choose(Choice{Do: Join, Text: text})
}

func (h *home) paste(_ *Model, text string) {
	h.at = 0
	h.code.Set(strings.TrimSpace(text))
}

func (h *home) rows(t theme.Theme, w int) []string {
	mark, label := "  ", t.Text
	if h.at == 0 {
		mark, label = "> ", t.Accent
	}
	field := t.Dim.Render("____ ____")
	if h.at == 0 || h.code.Text() != "" {
		field = h.code.Row(t, w-16, h.at == 0)
	}
	out := []string{label.Render(mark+"Join session") + "  " + field, t.Dim.Render("  8 digits, with spaces or dashes as you like, or the address"), ""}
	return append(out, list(t, h.items, h.at-1, w)...)
}

func (h *home) hint() string { return "Digits join, Up/Down choose, Enter goes on, Esc leaves" }

// pick does what an item says, or says why not.
func pick(m *Model, i item) tea.Cmd {
	if i.why != "" {
		m.wrong = cell.Clean(i.why)
		return nil
	}
	return i.do(m)
}

// list draws items, the chosen one marked.
func list(t theme.Theme, items []item, at, w int) (out []string) {
	for i, it := range items {
		mark, style := "  ", t.Text
		if i == at {
			mark, style = "> ", t.Accent
		}
		line := style.Render(cell.Cut(mark+cell.Clean(it.text), w))
		if room := w - cell.Width(line) - 2; it.note != "" && room > 4 {
			line += "  " + t.Dim.Render(cell.Cut(cell.Clean(it.note), room))
		}
		out = append(out, line)
	}
	return out
}

func joined(rows []string) string { return strings.Join(rows, "\n") }
