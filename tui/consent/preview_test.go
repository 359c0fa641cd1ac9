package consent

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"assist/session"
)

func report() *Question {
	var b strings.Builder
	b.WriteString("2 bad, 1 warn.\n\n")
	for i := range 200 {
		fmt.Fprintf(&b, "fact %03d\x1b[31m\n", i)
	}
	return &Question{
		Serial: 9, Name: "Dana", Handle: "dana@northwind", Org: "Northwind", Trust: session.VerifiedOrg, Grants: session.Diag,
		What: "read this report about your computer", Detail: b.String(), Deadline: time.Now().Add(time.Minute),
	}
}

func TestALongPreviewIsPaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(View{Question: report()})
		time.Sleep(yesAfter)
		first := s.text()
		for _, want := range []string{"read this report about your computer", "2 bad, 1 warn.", "fact 000", "of 203: Up, Down, PgUp, PgDn", "y  yes", "n  no"} {
			if !strings.Contains(first, want) {
				t.Errorf("%q is missing from\n%s", want, first)
			}
		}
		if strings.Contains(first, "fact 199") || strings.Contains(first, "\x1b[31m") {
			t.Errorf("%s", first)
		}
		s.Update(press("pgdown"))
		if text := s.text(); strings.Contains(text, "fact 000") || !strings.Contains(text, "fact 015") {
			t.Errorf("a page on:\n%s", text)
		}
		s.Update(press("end"))
		if text := s.text(); !strings.Contains(text, "fact 199") || !strings.Contains(text, "to 203 of 203") {
			t.Errorf("at the end:\n%s", text)
		}
		s.Update(press("home"))
		if text := s.text(); !strings.Contains(text, "lines 1 to") || !strings.Contains(text, "fact 000") {
			t.Errorf("not back at the beginning:\n%s", text)
		}
		if len(s.acts) != 0 {
			t.Errorf("reading answered: %s", s.did())
		}
		s.key("y")
		if len(s.acts) != 1 || s.acts[0] != (Answer{Serial: 9, Allow: session.Diag}) {
			t.Error(s.did())
		}
		for _, size := range [][2]int{{80, 24}, {40, 12}, {20, 6}, {1, 1}} {
			s := newStage(View{Question: report()})
			s.w, s.h = size[0], size[1]
			if lines := s.draw(); len(lines) != s.h {
				t.Errorf("%v: %d lines", size, len(lines))
			}
		}
	})
}

func TestALongPreviewIsReadOutInPieces(t *testing.T) {
	var out strings.Builder
	l := &lines{out: &out, act: func(Act) {}}
	l.show(View{Question: report()})
	if text := out.String(); !strings.Contains(text, "fact 009") || strings.Contains(text, "fact 010") || !strings.Contains(text, "191 more lines") {
		t.Errorf("%s", text)
	}
	l.hear("more")
	if text := out.String(); !strings.Contains(text, "fact 021") || strings.Contains(text, "fact 022") {
		t.Errorf("%s", text)
	}
}

func press(key string) tea.KeyPressMsg {
	return tea.KeyPressMsg{Code: map[string]rune{"pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd}[key]}
}
