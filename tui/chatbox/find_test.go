package chatbox

import (
	"strings"
	"testing"

	"assist/chat"

	tea "charm.land/bubbletea/v2"
)

func press(p *Pane, keys ...string) (done bool) {
	named := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace}
	for _, k := range keys {
		if c, ok := named[k]; ok {
			_, done, _ = p.Update(tea.KeyPressMsg{Code: c})
			continue
		}
		for _, r := range k {
			_, done, _ = p.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return done
}

func TestWordsAreFound(t *testing.T) {
	p := pane(40, 10)
	for i := range 40 {
		text := strings.Repeat("x", i%7+1)
		if i == 5 || i == 20 {
			text = "The Printer is on fire"
		}
		p.Add([]chat.Entry{said(i+1, chat.Everyone, text)}, true)
	}
	p.Add([]chat.Entry{{Seq: 41, Kind: chat.Joined, Name: "Printer Man"}}, true)
	p.Focus(true)
	p.input.InsertString("a draft")
	p.Find()
	sees := func(words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(show(p), w) {
				t.Errorf("nothing says %q in\n%s", w, show(p))
			}
		}
	}
	press(p, "printer")
	sees("/printer_  3 of 3", "│>·", "Printer Man joined")
	press(p, "enter")
	sees("2 of 3", "│>    The Printer is on fire")
	press(p, "up", "up")
	sees("3 of 3")
	press(p, "down")
	sees("1 of 3", "│>    The Printer is on fire")
	press(p, "zzz")
	sees("nothing")
	press(p, "backspace", "backspace", "backspace")
	sees("3 of 3")
	if !press(p, "esc") || p.Finding() || p.back != 0 || p.Draft() != "a draft" {
		t.Errorf("back %d, draft %q", p.back, p.Draft())
	}
}

func TestUnreadIsMarked(t *testing.T) {
	p := pane(40, 12)
	p.Add([]chat.Entry{said(1, chat.Everyone, "read")}, true)
	p.Add([]chat.Entry{said(2, chat.Everyone, "one"), said(3, chat.Everyone, "two")}, false)
	if p.Unread != 2 {
		t.Fatalf("%d unread", p.Unread)
	}
	p.Focus(true)
	want := "│     read\n│ ── new since you looked ──\n│   Carla  14:00\n│     one"
	if got := show(p); !strings.Contains(got, want) || p.Unread != 0 {
		t.Errorf("%d unread in\n%s", p.Unread, got)
	}
	p.input.InsertString("hi")
	press(p, "enter")
	if strings.Contains(show(p), "new since") {
		t.Error("the mark stays after an answer")
	}
	for i := range 20 {
		p.Add([]chat.Entry{said(4+i, chat.Everyone, "more")}, true)
	}
	p.Scroll(10)
	p.Add([]chat.Entry{said(30, chat.Everyone, "while scrolled")}, true)
	if p.Unread != 1 {
		t.Errorf("%d unread while scrolled", p.Unread)
	}
	if p.Scroll(-99); p.Unread != 0 {
		t.Errorf("%d unread at the end", p.Unread)
	}
}

func TestWhatIsNotSentIsSaid(t *testing.T) {
	p := pane(40, 10)
	p.Unsent = 2
	if got := show(p); !strings.Contains(got, "no contact: 2 not sent yet") {
		t.Errorf("%s", got)
	}
}
