package dialog

import (
	"fmt"
	"image"
	"strings"
	"unicode"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// least is how many letters of a word must be typed. Each of 2048 words is told apart by a few; typing them from what the
// customer reads out cannot be clicked away, and three pairs right by chance happen about once in ten million.
const least = 2

// WordsRight is the answer when all words were right.
type WordsRight struct{}

// WordsWrong is the answer after too many wrong tries.
type WordsWrong struct{}

// maxTries is how often the words may be wrong.
const maxTries = 3

// Words asks the agent to type what the customer reads out. It never shows the words themselves.
type Words struct {
	want  []string
	typed []string
	at    int
	wrong string
	tries int
}

// NewWords compares with want.
func NewWords(want []string) *Words { return &Words{want: want, typed: make([]string, len(want))} }

// Press edits the fields and compares.
func (w *Words) Press(k tea.KeyPressMsg) (Answer, bool) {
	switch s := k.String(); s {
	case "esc", "ctrl+c":
		return nil, true
	case "tab", "down", "space":
		w.at = min(w.at+1, len(w.typed)-1)
	case "shift+tab", "up":
		w.at = max(w.at-1, 0)
	case "backspace":
		w.erase()
	case "enter":
		return w.compare()
	default:
		w.typed[w.at] += letters(k.Text)
		w.typed[w.at] = w.typed[w.at][:min(len(w.typed[w.at]), 16)]
	}
	return nil, false
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func (w *Words) erase() {
	if s := w.typed[w.at]; s != "" {
		w.typed[w.at] = s[:len(s)-1]
	} else {
		w.at = max(w.at-1, 0)
	}
}

// compare moves on to the next empty field first; with all filled it judges.
func (w *Words) compare() (Answer, bool) {
	for i, s := range w.typed {
		if len(s) < min(least, len(w.want[i])) {
			w.at, w.wrong = i, fmt.Sprintf("Word %d: at least the first %d letters.", i+1, least)
			return nil, false
		}
	}
	for i, s := range w.typed {
		if !strings.HasPrefix(strings.ToLower(w.want[i]), s) {
			return w.miss(i)
		}
	}
	return WordsRight{}, true
}

func (w *Words) miss(i int) (Answer, bool) {
	w.tries++
	if w.tries >= maxTries {
		return WordsWrong{}, true
	}
	w.at, w.typed[i] = i, ""
	w.wrong = fmt.Sprintf("Word %d is not the same here. Listen again; if it stays wrong, leave: someone may be in between.", i+1)
	return nil, false
}

// Hint tells the keys.
func (w *Words) Hint() string {
	return "type the first letters, Tab goes on, Enter compares, Esc closes"
}

// View draws the fields.
func (w *Words) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(58, limit)
	var lines []string
	say := func(text string) {
		for _, l := range cell.Wrap(text, inner) {
			lines = append(lines, t.Panel.Render(l))
		}
	}
	say("Ask the customer to read out the three words on their screen. Type at least the first two letters of each.")
	lines = append(lines, "")
	for i, s := range w.typed {
		label, field := t.PanelDim.Render(fmt.Sprintf("  word %d  ", i+1)), t.Panel.Render(cell.Fit(s, 18))
		if i == w.at {
			label = t.PanelKey.Render(fmt.Sprintf("> word %d  ", i+1))
			field = t.PanelTitle.Render(s+"_") + t.Panel.Render(cell.Fit("", 17-len(s)))
		}
		lines = append(lines, label+field)
	}
	if w.wrong != "" {
		lines = append(lines, "")
		for _, l := range cell.Wrap(w.wrong, inner) {
			lines = append(lines, t.PanelBad.Render(l))
		}
	}
	return frame(t, "Verify the connection", lines, inner)
}
