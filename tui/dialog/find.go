package dialog

import (
	"image"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// FindWords is the answer of Find.
type FindWords struct {
	Words string
	Down  bool
}

// Find asks for words to look for in the text and its scrollback.
type Find struct{ words Field }

// NewFind begins with the words of the last search.
func NewFind(words string) *Find {
	f := &Find{words: Field{Max: 100}}
	f.words.Set(words)
	return f
}

// Press searches upwards with Enter and Up, downwards with Down.
func (f *Find) Press(k tea.KeyPressMsg) (Answer, bool) {
	switch k.String() {
	case "esc", "ctrl+c":
		return nil, true
	case "enter", "up":
		return FindWords{Words: f.words.Text()}, true
	case "down":
		return FindWords{Words: f.words.Text(), Down: true}, true
	}
	f.words.Press(k)
	return nil, false
}

// Paste adds to the words.
func (f *Find) Paste(s string) { f.words.Paste(s) }

// Hint tells the keys.
func (f *Find) Hint() string { return "Enter or Up searches upwards, Down downwards, Esc closes" }

// View draws the field.
func (f *Find) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(48, limit)
	lines := []string{t.PanelKey.Render("/ ") + f.words.Row(t, inner-2, true)}
	return frame(t, "Find in the text", lines, inner)
}
