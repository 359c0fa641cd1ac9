package dialog

import (
	"image"
	"strings"
	"testing"
	"time"

	"assist/session"
	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/keys"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

var plain = theme.New(true, colorprofile.ASCII)

func show(d Dialog, w, h int) string {
	return ansi.Strip(strings.Join(d.View(plain, image.Pt(w, h)), "\n"))
}

func press(d Dialog, keys ...tea.KeyPressMsg) (Answer, bool) {
	var a Answer
	done := false
	for _, k := range keys {
		a, done = d.Press(k)
	}
	return a, done
}

var (
	down  = tea.KeyPressMsg{Code: tea.KeyDown}
	up    = tea.KeyPressMsg{Code: tea.KeyUp}
	enter = tea.KeyPressMsg{Code: tea.KeyEnter}
	esc   = tea.KeyPressMsg{Code: tea.KeyEscape}
	space = tea.KeyPressMsg{Code: ' ', Text: " "}
)

func letter(s string) tea.KeyPressMsg { return tea.KeyPressMsg{Code: rune(s[0]), Text: s} }

func TestMenuAsADrawing(t *testing.T) {
	m := &Menu{Title: "Leave", Choices: []Choice{
		{Text: "End it", Press: "e", Answer: 1}, {Text: "Hand over", Why: "nobody is here"}, {Text: "Stay", Press: "s", Note: "a while"},
	}}
	want := `┌─ Leave ─────────────────────────┐
│                                 │
│  > e End it                     │
│      Hand over  nobody is here  │
│    s Stay              a while  │
│                                 │
└─────────────────────────────────┘`
	if got := show(m, 80, 24); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if a, done := press(m, down, enter); done || a != nil {
		t.Error("what cannot be chosen was")
	}
	if a, done := press(m, letter("e")); !done || a != 1 {
		t.Errorf("e answers %v", a)
	}
	if a, done := press(m, esc); !done || a != nil {
		t.Errorf("Esc answers %v", a)
	}
}

func TestLongMenuScrolls(t *testing.T) {
	m := &Menu{Title: "Many"}
	for i := range 30 {
		m.Choices = append(m.Choices, Choice{Text: "choice " + string(rune('A'+i)), Answer: i})
	}
	if s := show(m, 60, 12); !strings.Contains(s, "more below") || len(strings.Split(s, "\n")) > 12 {
		t.Errorf("drawn\n%s", s)
	}
	press(m, up) // round to the last
	if s := show(m, 60, 12); !strings.Contains(s, "> choice ^") || !strings.Contains(s, "more above") {
		t.Errorf("drawn\n%s", s)
	}
	if a, _ := press(m, enter); a != 29 {
		t.Errorf("answer %v", a)
	}
}

func TestGrantsArePicked(t *testing.T) {
	g := NewGrants(session.Control | session.Chat)
	if s := show(g, 80, 24); !strings.Contains(s, "> [x] control: use keyboard and mouse") || !strings.Contains(s, "[x] chat") {
		t.Errorf("drawn\n%s", s)
	}
	more := NewGrants(session.Chat | session.File | session.Run)
	if s := show(more, 80, 24); !strings.Contains(s, "[x] chat") || !strings.Contains(s, "[ ] file: send and fetch files") || !strings.Contains(s, "[ ] run: run commands") {
		t.Errorf("drawn\n%s", s)
	}
	if a, done := press(more, down, down, space, enter); !done || a != session.Chat|session.Run {
		t.Errorf("answer %v", a)
	}
	if a, done := press(g, space, enter); !done || a != session.Chat {
		t.Errorf("answer %v", a)
	}
	if a, done := press(g, down, space, enter); !done || a != nil {
		t.Errorf("asking for nothing answers %v", a)
	}
}

func TestHelpScrollsAndCloses(t *testing.T) {
	h := &Help{Now: keys.Now{Phase: console.In}, Exit: "Ctrl-]"}
	first := show(h, 80, 14)
	press(h, down, down)
	if second := show(h, 80, 14); second == first || !strings.Contains(second, "more above and below") {
		t.Errorf("drawn\n%s", second)
	}
	for range 99 {
		press(h, down)
	}
	if s := show(h, 80, 14); !strings.Contains(s, "drag") || strings.Contains(s, "more below") {
		t.Errorf("the end is\n%s", s)
	}
	if _, done := press(h, letter("x")); !done {
		t.Error("x does not close it")
	}
}

func TestNothingIsWiderThanItMayBe(t *testing.T) {
	long := strings.Repeat("long ", 40)
	for _, d := range []Dialog{
		&Menu{Title: long, Lead: long, Choices: []Choice{{Text: long, Note: long}, {Text: long, Why: long}}},
		NewWords([]string{"harbor", "violin", "zebra"}), NewGrants(session.AllGrants), &Help{Exit: "Ctrl-]"},
	} {
		for _, size := range []image.Point{{56, 12}, {76, 20}, {190, 50}} {
			w, h := d.View(plain, size).Size()
			if w > size.X || h > size.Y && size.Y > 12 {
				t.Errorf("%T takes %dx%d of %v", d, w, h, size)
			}
			for _, l := range d.View(plain, size) {
				if cell.Width(l) != w {
					t.Errorf("%T: rows of %d and %d cells", d, cell.Width(l), w)
				}
			}
		}
	}
}

func TestGrace(t *testing.T) {
	now := time.Unix(0, 0)
	d := WithGrace(&Menu{Choices: []Choice{{Text: "yes", Answer: true}}}, func() time.Time { return now })
	if _, done := d.Press(enter); done {
		t.Error("a key from before was taken for an answer")
	}
	now = now.Add(Grace)
	if a, done := d.Press(enter); !done || a != true {
		t.Error("deaf for ever")
	}
}
