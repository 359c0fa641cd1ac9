package dialog

import (
	"strings"
	"unicode"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// Paster is a dialog that takes pasted text.
type Paster interface{ Paste(text string) }

// Field is a place to type in. The caret stays at its end.
type Field struct {
	Max    int  // characters; 0: 200
	Lines  bool // Alt-Enter and Ctrl-J begin a new line
	Secret bool // shown as dots

	text []rune
}

// Text is what was typed.
func (f *Field) Text() string { return strings.TrimSpace(string(f.text)) }

// Raw is what was typed, blanks at its ends included: a password may have them.
func (f *Field) Raw() string { return string(f.text) }

// Row draws the end of the text in one row of w cells on the terminal's own ground.
func (f *Field) Row(t theme.Theme, w int, focused bool) string {
	text := string(f.text)
	if f.Secret {
		text = strings.Repeat("•", len(f.text))
	}
	if focused {
		text += "_"
	}
	if r := []rune(text); cell.Width(text) > w {
		for cell.Width(string(r)) > w-1 {
			r = r[1:]
		}
		text = "…" + string(r)
	}
	return t.Strong.Render(cell.Fit(text, w))
}

// Set replaces what was typed.
func (f *Field) Set(s string) { f.text = nil; f.Paste(s) }

// Press edits, and reports whether the key was one of the field's.
func (f *Field) Press(k tea.KeyPressMsg) bool {
	switch s := k.String(); s {
	case "backspace":
		f.text = f.text[:max(0, len(f.text)-1)]
	case "ctrl+u":
		f.text = nil
	case "ctrl+w":
		cut := strings.LastIndexFunc(strings.TrimRightFunc(string(f.text), unicode.IsSpace), unicode.IsSpace)
		f.text = []rune(string(f.text)[:cut+1])
	case "alt+enter", "ctrl+j", "shift+enter":
		if f.Lines {
			f.add([]rune{'\n'})
		}
		return f.Lines
	default:
		if k.Text == "" {
			return false
		}
		f.add([]rune(cell.Clean(k.Text)))
	}
	return true
}

// Paste adds text at the end; where a field has one line, so has the text.
func (f *Field) Paste(s string) {
	for i, l := range strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n") {
		switch {
		case i > 0 && f.Lines:
			f.add([]rune{'\n'})
		case i > 0 && l != "":
			f.add([]rune{' '})
		}
		f.add([]rune(cell.Clean(l)))
	}
}

func (f *Field) add(r []rune) {
	limit := f.Max
	if limit == 0 {
		limit = 200
	}
	f.text = append(f.text, r[:max(0, min(len(r), limit-len(f.text)))]...)
}

// rows draws the end of the text in exactly n rows of w cells, with a caret where the field has the keys.
func (f *Field) rows(t theme.Theme, w, n int, focused bool) []string {
	text := string(f.text)
	if f.Secret {
		text = strings.Repeat("•", len(f.text))
	}
	var lines []string
	for _, l := range strings.Split(text, "\n") {
		lines = append(lines, strings.Split(hard(l, max(1, w-1)), "\n")...)
	}
	lines = lines[max(0, len(lines)-n):]
	out := make([]string, 0, n)
	for i, l := range lines {
		if focused && i == len(lines)-1 {
			out = append(out, t.PanelTitle.Render(l+"_")+t.Panel.Render(cell.Fit("", w-cell.Width(l)-1)))
			continue
		}
		out = append(out, t.Panel.Render(cell.Fit(l, w)))
	}
	for len(out) < n {
		out = append(out, t.Panel.Render(cell.Fit("", w)))
	}
	return out
}

// hard breaks s after every w cells, so that what is typed does not jump.
func hard(s string, w int) string {
	var b strings.Builder
	at := 0
	for _, r := range s {
		n := cell.Width(string(r))
		if at+n > w {
			b.WriteByte('\n')
			at = 0
		}
		b.WriteRune(r)
		at += n
	}
	return b.String()
}
