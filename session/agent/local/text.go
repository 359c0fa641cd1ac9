package local

import (
	"context"
	"fmt"
	"strconv"

	"assist/screen"
)

// Screen is `assist screen --json`: the shared text as it was at one moment.
type Screen struct {
	Columns   int      `json:"columns"`
	Rows      int      `json:"rows"`
	Cursor    Position `json:"cursor"`
	Alternate bool     `json:"alternate,omitempty"` // a program has the second screen
	Lines     []Line   `json:"lines"`
}

// Position is a column and row, from 0.
type Position struct {
	X      int  `json:"x"`
	Y      int  `json:"y"`
	Hidden bool `json:"hidden,omitempty"`
}

// Line is one row of a screen.
type Line struct {
	Text    string `json:"text"`              // up to the last cell that was written
	Wrapped bool   `json:"wrapped,omitempty"` // the next line goes on with it
	Cells   []Cell `json:"cells"`
}

// Cell is one place of a screen. A colour is a number of the palette of 256 or #rrggbb; without one it is the terminal's own.
type Cell struct {
	Text       string   `json:"text"` // empty: the second half of a wide character
	Fg         string   `json:"fg,omitempty"`
	Bg         string   `json:"bg,omitempty"`
	Line       string   `json:"line,omitempty"` // the underline's colour
	Attributes []string `json:"attributes,omitempty"`
	Wide       bool     `json:"wide,omitempty"`
}

var attrNames = []struct {
	attr screen.Attr
	name string
}{
	{screen.Bold, "bold"},
	{screen.Faint, "faint"},
	{screen.Italic, "italic"},
	{screen.Blink, "blink"},
	{screen.Reverse, "reverse"},
	{screen.Hidden, "hidden"},
	{screen.Strike, "strike"},
	{screen.Overline, "overline"},
}

var underlineNames = map[screen.Attr]string{
	screen.Underline: "underline", screen.DoubleLine: "double_underline", screen.CurlyLine: "curly_underline",
	screen.DottedLine: "dotted_underline", screen.DashedLine: "dashed_underline",
}

func newLine(r screen.Row) *Line {
	l := &Line{Text: r.Text(), Wrapped: r.Wrapped, Cells: make([]Cell, len(r.Cells))}
	for i, c := range r.Cells {
		l.Cells[i] = Cell{
			Text: c.Text(), Fg: colour(c.Style.Fg), Bg: colour(c.Style.Bg), Line: colour(c.Style.Line),
			Attributes: attributes(c.Style.Attr), Wide: c.Span == screen.WideLead,
		}
	}
	return l
}

func colour(c screen.Colour) string {
	if n, ok := c.Palette(); ok {
		return strconv.Itoa(int(n))
	}
	if r, g, b, ok := c.RGB(); ok {
		return fmt.Sprintf("#%02x%02x%02x", r, g, b)
	}
	return ""
}

func attributes(a screen.Attr) (out []string) {
	for _, n := range attrNames {
		if a&n.attr != 0 {
			out = append(out, n.name)
		}
	}
	if line, ok := underlineNames[a&screen.UnderlineMask]; ok {
		out = append(out, line)
	}
	return out
}

// text sends the shared text, a line at a time.
func text(ctx context.Context, c *call) error {
	if err := member(c.console.State()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*askTime)
	defer cancel()
	g, err := c.console.Snapshot(ctx)
	if err != nil {
		return c.refusal(err)
	}
	at := Position{X: g.Cursor.At.X, Y: g.Cursor.At.Y, Hidden: g.Cursor.Hidden}
	head := Screen{Columns: g.Size.X, Rows: g.Size.Y, Cursor: at, Alternate: g.Modes.Has(screen.AlternateScreen), Lines: []Line{}}
	if err := c.say(reply{Screen: &head}); err != nil {
		return err
	}
	for _, r := range g.Rows {
		if err := c.say(reply{Line: newLine(r)}); err != nil {
			return err
		}
	}
	return c.say(reply{Done: true})
}

// Text is the text that the host shares, as it is now.
func (c *Client) Text(ctx context.Context) (out Screen, err error) {
	err = c.call(ctx, request{Verb: verbText}, func(r reply) error {
		if r.Screen != nil {
			out = *r.Screen
		}
		if r.Line != nil {
			out.Lines = append(out.Lines, *r.Line)
		}
		return nil
	})
	return out, err
}
