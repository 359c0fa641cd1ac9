package notice

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
)

const (
	chatWidth  = 420
	chatEdge   = 14
	chatLine   = 20
	chatLog    = 240 // height of the log
	chatPeople = 4   // whose grants are shown
	chatWrite  = 3   // lines of what is being written
)

// chat draws what was said and happened, a place to write, and what each agent may do.
func (p *painter) chat(c Content, t *talk, focus bool, scale int) *sheet {
	key := fmt.Sprint(t.newest, t.draft, t.dead, t.back, focus, scale, c.People)
	return p.cached("chat", key, func() *sheet {
		people := c.People[:min(len(c.People), chatPeople)]
		high := 46 + len(people)*34 + 14 + chatLog + 12 + chatWrite*chatLine + 12 + 34
		d := &chatting{b: p.brush(chatWidth, high, scale), inside: chatWidth - 2*chatEdge}
		d.head()
		for _, one := range people {
			d.person(one)
		}
		d.log(c.Log, t)
		d.write(t, focus)
		return &sheet{img: d.b.img, spots: d.spots}
	})
}

// chatting is a chat that is being drawn from the top down.
type chatting struct {
	b      *brush
	y      int
	inside int
	spots  []spot
}

func (d *chatting) head() {
	d.b.text(chatEdge, 30, 200, "Chat", style{true, 18, white})
	shut := image.Rect(chatWidth-chatEdge-70, 10, chatWidth-chatEdge, 38)
	d.b.button(shut, "Close", raisedC, false, false)
	d.spots = append(d.spots, spot{at: d.b.scaled(shut), does: doChat})
	d.y = 46
}

// person is an agent, and what can be taken back from it.
func (d *chatting) person(one Person) {
	does := "looks"
	back, grants := "Take all back", []string{"view", "control", "chat", "diag", "clipboard", "file", "run"}
	switch {
	case slices.Contains(one.May, "control"):
		does, back, grants = "may control", "Take control back", []string{"control"}
	case !slices.Contains(one.May, "view"):
		does, back = "sees nothing", ""
	}
	room := d.inside
	if back != "" {
		r := image.Rect(chatWidth-chatEdge-150, d.y, chatWidth-chatEdge, d.y+28)
		d.b.button(r, back, red, false, false)
		d.spots = append(d.spots, spot{at: d.b.scaled(r), does: doTakeBack, grant: grants, member: one.Member})
		room -= 160
	}
	d.b.text(chatEdge, d.y+19, room, one.Name+" "+does, style{false, 15, pale})
	d.y += 34
}

// row is a line of the log: what happened stands in a column of its own that no words reach.
type row struct {
	text  string
	s     style
	dent  int
	event bool
}

func (d *chatting) rows(log []Line) (out []row) {
	last := ""
	for _, l := range log[max(0, len(log)-keepLines):] {
		if l.Name == "" {
			for i, text := range d.b.wrap(l.Text, d.inside-36, style{false, 14, pale}) {
				out = append(out, row{text, style{false, 14, pale}, 14, i == 0})
			}
			last = ""
			continue
		}
		if l.Name != last {
			out = append(out, row{l.Name, style{true, 14, map[bool]color.RGBA{true: lime, false: amber}[l.Mine]}, 14, false})
			last = l.Name
		}
		for _, line := range strings.Split(l.Text, "\n") {
			for _, text := range d.b.wrap(line, d.inside-46, style{false, 14, white}) {
				out = append(out, row{text, style{false, 14, white}, 26, false})
			}
		}
	}
	return out
}

func (d *chatting) log(log []Line, t *talk) {
	d.y += 8
	box := image.Rect(chatEdge, d.y, chatEdge+d.inside, d.y+chatLog)
	d.b.fill(box, raisedC)
	rows := d.rows(log)
	shown := chatLog/chatLine - 1
	t.back = max(0, min(t.back, len(rows)-shown))
	end := len(rows) - t.back
	for i, r := range rows[max(0, end-shown):end] {
		y := d.y + 8 + (i+1)*chatLine - 4
		if r.event {
			d.b.fill(image.Rect(chatEdge+5, y-8, chatEdge+9, y-4), edge)
		}
		d.b.text(chatEdge+r.dent, y, d.inside-r.dent-6, r.text, r.s)
	}
	d.y = box.Max.Y + 10
}

// write draws the end of what is being written.
func (d *chatting) write(t *talk, focus bool) {
	box := image.Rect(chatEdge, d.y, chatEdge+d.inside, d.y+chatWrite*chatLine+4)
	d.b.fill(box, ground)
	col := dim
	if focus {
		col = edge
	}
	d.b.frame(box, 2, col)
	s, text := style{false, 15, white}, string(t.draft)
	if focus {
		text += "|"
	}
	if text == "" {
		text, s.col = "Click here to write to everyone", pale
	}
	lines := d.b.wrap(text, d.inside-20, s)
	for i, line := range lines[max(0, len(lines)-chatWrite):] {
		d.b.text(chatEdge+10, d.y+(i+1)*chatLine-2, d.inside-20, line, s)
	}
	d.y = box.Max.Y + 8
	hint := "Agents cannot type while you write."
	if !focus {
		hint = "Everyone in the session reads it."
	}
	d.b.text(chatEdge, d.y+18, d.inside-100, hint, style{false, 13, pale})
	send := image.Rect(chatWidth-chatEdge-84, d.y, chatWidth-chatEdge, d.y+28)
	off := len(t.draft) == 0
	d.b.button(send, "Send", green, off, false)
	d.spots = append(d.spots, spot{at: d.b.scaled(send), does: doSend, off: off})
}

// cornerOf is the lower right of the display, where it covers least.
func cornerOf(area image.Rectangle, size image.Point) image.Point {
	return image.Pt(area.Max.X-size.X-24, area.Max.Y-size.Y-48)
}
