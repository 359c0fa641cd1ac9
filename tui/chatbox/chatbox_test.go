package chatbox

import (
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestSentences(t *testing.T) {
	names := func(id uint32) string { return map[uint32]string{3: "Carla"}[id] }
	for want, e := range map[string]chat.Entry{
		"Bob joined: Acme (verified)":               {Kind: chat.Joined, Name: "Bob", Text: "Acme (verified)"},
		"Bob is back":                               {Kind: chat.Joined, Name: "Bob", Text: "is back"},
		"Bob left":                                  {Kind: chat.Left, Name: "Bob"},
		"Carla lost contact":                        {Kind: chat.Dropped, Name: "Carla"},
		"Bob sent Carla out":                        {Kind: chat.Removed, Name: "Bob", From: 2, About: 3},
		"Carla was sent out":                        {Kind: chat.Removed, Name: "Carla", From: 3},
		"Anna allowed Carla view, control":          {Kind: chat.Granted, Name: "Anna", From: 1, About: 3, Text: "view, control"},
		"Carla may view now":                        {Kind: chat.Granted, Name: "Carla", From: 3, Text: "view"},
		"Anna took control back from Carla":         {Kind: chat.Revoked, Name: "Anna", From: 1, About: 3, Text: "control"},
		"Carla is the lead now":                     {Kind: chat.BecameLead, Name: "Carla", From: 3},
		"Bob handed the lead over to Carla":         {Kind: chat.HandedOver, Name: "Bob", From: 2, About: 3},
		"Bob took control":                          {Kind: chat.ControlTaken, Name: "Bob", From: 2},
		"Bob asks Carla for control":                {Kind: chat.Note, Name: "Bob", Text: "asks Carla for control"},
		"the session is over: nobody came back":     {Kind: chat.Ended, Text: "nobody came back"},
		"Dan something of a later build":            {Kind: 99, Name: "Dan", Text: "something of a later build"},
		"Bob did not take the lead":                 {Kind: chat.Declined, Name: "Bob", From: 2, About: 9},
		"Bob changed how control is shared: ask":    {Kind: chat.ModeChanged, Name: "Bob", Text: "ask"},
		"Bob looked at the machine's health: disks": {Kind: chat.Pulled, Name: "Bob", Text: "disks"},
	} {
		if got := Sentence(e, names); got != want {
			t.Errorf("%+v\n got %q\nwant %q", e, got, want)
		}
	}
}

func pane(w, h int) *Pane {
	p := New()
	p.Self = 2
	p.SetTheme(theme.New(true, colorprofile.ASCII))
	p.SetSize(w, h, true)
	return p
}

func said(n int, lane chat.Lane, text string) chat.Entry {
	at := time.Date(2026, 11, 23, 14, 0, n, 0, time.Local)
	return chat.Entry{Seq: chat.Seq(n), Time: at, From: 3, Name: "Carla", Lane: lane, Kind: chat.Said, Text: text}
}

func show(p *Pane) string {
	var out []string
	for _, l := range p.View() {
		out = append(out, strings.TrimRight(ansi.Strip(l), " "))
	}
	return strings.Join(out, "\n")
}

func TestChatAsADrawing(t *testing.T) {
	p := pane(34, 12)
	p.Add([]chat.Entry{
		said(1, chat.Everyone, "Hello, what is wrong with it?"), said(2, chat.Everyone, "Tell me."), said(3, chat.AgentsOnly, "Disk.\n· 14:00 Anna left"),
		{Seq: 4, Time: said(4, 0, "").Time, From: 1, Name: "Anna", Kind: chat.Left},
	}, true)
	want := `├─ Chat ──────────────────────────
│   Carla  14:00
│     Hello, what is wrong with
│     it?
│     Tell me.
│ ▌ Carla  14:00  agents only
│ ▌   Disk.
│ ▌   · 14:00 Anna left
│ · 14:00 Anna left
│ t writes, / finds, Esc closes
│ >`
	p.SetSize(34, 11, true)
	if got := show(p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestScrollingStaysWhileOthersWrite(t *testing.T) {
	p := pane(34, 8)
	for i := range 30 {
		p.Add([]chat.Entry{said(i+1, chat.Everyone, strings.Repeat("x", i+1))}, true)
	}
	p.Scroll(10)
	before := show(p)
	p.Add([]chat.Entry{said(31, chat.Everyone, "new")}, true)
	if after := show(p); strings.Split(after, "\n")[1] != strings.Split(before, "\n")[1] || !strings.Contains(after, "lines back") {
		t.Errorf("the lines moved from\n%s\nto\n%s", before, after)
	}
	p.Scroll(-999)
	if !strings.Contains(show(p), "new") {
		t.Error("the newest line is not at the end")
	}
	p.Scroll(999)
	if !strings.Contains(show(p), "│     x\n") {
		t.Errorf("the oldest line is not at the top:\n%s", show(p))
	}
}

func TestWriting(t *testing.T) {
	p := pane(34, 10)
	p.Focus(true)
	for _, r := range "hi" {
		p.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	p.Update(tea.KeyPressMsg{Code: tea.KeyEnter, Mod: tea.ModAlt})
	p.Update(tea.PasteMsg{Content: "two\x1b[2J\r\nthree"})
	sent, _, _ := p.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	if sent == nil || sent.Text != "hi\ntwo·[2J\nthree" || sent.Lane != chat.Everyone || p.Draft() != "" {
		t.Errorf("sent %+v, left %q", sent, p.Draft())
	}
	if sent, _, _ := p.Update(tea.KeyPressMsg{Code: tea.KeyEnter}); sent != nil {
		t.Errorf("sent %+v", sent)
	}
	if _, done, _ := p.Update(tea.KeyPressMsg{Code: tea.KeyEscape}); !done {
		t.Error("Esc goes on writing")
	}
}

func TestBounds(t *testing.T) {
	p := pane(34, 10)
	for i := range MaxEntries + 10 {
		p.entries = append(p.entries, said(i+1, chat.Everyone, "x"))
	}
	p.Add([]chat.Entry{said(MaxEntries+11, chat.Everyone, "y")}, false)
	if len(p.entries) != MaxEntries || p.Unread != 1 {
		t.Errorf("%d entries, %d unread", len(p.entries), p.Unread)
	}
	for _, size := range [][2]int{{10, 3}, {60, 7}, {200, 40}} {
		p.SetSize(size[0], size[1], false)
		v := p.View()
		if len(v) != size[1] {
			t.Errorf("%v: %d rows", size, len(v))
		}
		for _, l := range v {
			if cell.Width(l) != size[0] {
				t.Errorf("%v: a row of %d cells %q", size, cell.Width(l), l)
			}
		}
	}
}
