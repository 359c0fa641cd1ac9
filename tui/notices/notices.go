// Package notices is the passing lines in the corner of the picture: who came, who went, what could not be done. Each stays
// about five seconds, three at a time; what was seen too briefly is in the chat as well.
//
// It is pure but for the clock that it is handed.
package notices

import (
	"time"

	"assist/tui/cell"
	"assist/tui/theme"
)

// Life is how long a notice stays; Most how many are seen at once.
const (
	Life = 5 * time.Second
	Most = 3
)

// Notice is one passing line.
type Notice struct {
	Text  string
	Loud  bool // something went wrong
	until time.Time
}

// Box holds the notices that are seen now. The zero value is ready.
type Box struct{ live []Notice }

// Add shows a notice from now on; the oldest gives way to it.
func (b *Box) Add(text string, loud bool, now time.Time) {
	b.live = append(b.live, Notice{cell.Clean(text), loud, now.Add(Life)})
	if len(b.live) > Most {
		b.live = b.live[len(b.live)-Most:]
	}
}

// Empty says whether there is nothing to show.
func (b *Box) Empty() bool { return len(b.live) == 0 }

// Expire forgets what has been seen long enough and reports whether any is left.
func (b *Box) Expire(now time.Time) bool {
	kept := b.live[:0]
	for _, n := range b.live {
		if now.Before(n.until) {
			kept = append(kept, n)
		}
	}
	b.live = kept
	return len(kept) > 0
}

// View draws the notices, at most w cells wide; nothing when there are none.
func (b *Box) View(t theme.Theme, w int) cell.Block {
	width := 0
	for _, n := range b.live {
		width = max(width, min(cell.Width(n.Text), w-2))
	}
	var out cell.Block
	for _, n := range b.live {
		style := t.Panel
		if n.Loud {
			style = t.PanelWarn
		}
		out = append(out, style.Render(" "+cell.Fit(n.Text, width)+" "))
	}
	return out
}
