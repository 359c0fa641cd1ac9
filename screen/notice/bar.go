package notice

import (
	"fmt"
	"image"
	"slices"
	"strings"
)

// The bar is one line, no wider than what it says: it lies on the customer's windows, and may not be hidden.
const (
	barMost   = 860
	barLeast  = 480 // where the display has it
	barHeight = 40
	barStop   = 120 // width of its button
	barPause  = 168 // where it names the key, too
	barChat   = 84
	barLine   = 24 // of what passes
	maxNames  = 3
)

// bar draws the sharing notice, or the code while nobody is here yet.
func (p *painter) bar(c Content, passing []string, t talk, stopKey bool, scale, room int) *sheet {
	title, line := "Your screen is shared", who(c)
	if slices.ContainsFunc(c.People, func(p Person) bool { return p.Controls }) {
		title = "Your screen is controlled"
	}
	if !c.Sharing {
		title, line = "Your code: "+spaced(c.Code), "Give it only to somebody you called yourself."
	}
	bold, plain := style{true, 15, white}, style{false, 14, pale}
	return p.cached("bar", fmt.Sprint(c.Sharing, title, line, passing, t.open, t.unread, stopKey, scale, room), func() *sheet {
		ruler := p.brush(1, 1, scale)
		buttons, stopWidth, label := 10, barStop, "Stop"
		if c.Sharing {
			label, buttons = "Stop sharing", buttons+barChat+8
		}
		if stopKey {
			label, stopWidth = label+" (Pause)", barPause
		}
		buttons += stopWidth + 8
		titled := ruler.width(title, bold)
		width := max(min(barLeast, room), min(barMost, room, 34+titled+14+ruler.width(line, plain)+12+buttons))
		high := barHeight
		if len(passing) > 0 {
			high += 4 + barLine*len(passing)
		}
		b := p.brush(width, high, scale)
		dot := edge
		if c.Sharing {
			dot = red
		}
		b.fill(image.Rect(13, 14, 25, 26), dot)
		for i, text := range passing {
			b.text(34, barHeight+14+i*barLine, width-52, text, bold)
		}
		titled = min(titled, width-34-buttons)
		b.text(34, 25, titled, title, bold)
		b.text(34+titled+14, 25, width-34-titled-14-buttons-6, line, plain)
		stop := image.Rect(width-stopWidth-8, 6, width-8, barHeight-6)
		b.fill(stop, red)
		b.centred(stop, label, style{true, 14, white})
		spots := []spot{{at: b.scaled(stop), does: doStop}}
		if c.Sharing {
			chat, label, back := image.Rect(stop.Min.X-barChat-8, 6, stop.Min.X-8, barHeight-6), "Chat", raisedC
			if t.unread > 0 {
				label, back = fmt.Sprintf("Chat (%d)", t.unread), green
			}
			b.button(chat, label, back, false, t.open)
			spots = append([]spot{{at: b.scaled(chat), does: doChat}}, spots...)
		}
		return &sheet{img: b.img, spots: spots}
	})
}

// who says who is here, who controls first.
func who(c Content) string {
	people := slices.Clone(c.People)
	slices.SortStableFunc(people, func(a, b Person) int {
		switch {
		case a.Controls == b.Controls:
			return 0
		case a.Controls:
			return -1
		}
		return 1
	})
	var names []string
	for i, a := range people {
		if i == maxNames {
			names = append(names, fmt.Sprintf("%d more", len(c.People)-maxNames))
			break
		}
		n := a.Name
		if a.Org != "" {
			n += " (" + a.Org + ")"
		}
		switch {
		case a.Away:
			n += ", reconnecting"
		case a.Controls:
			n += " controls it"
		}
		names = append(names, n)
	}
	line := strings.Join(names, "; ")
	if c.Status != "" {
		line = strings.TrimSuffix(c.Status+" · "+line, " · ")
	}
	if line == "" {
		line = "Nobody is here"
	}
	return line
}

// spaced writes a code of digits in two groups.
func spaced(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + " " + code[4:]
}

// cached draws only what differs from the last drawing of that kind.
func (p *painter) cached(kind, key string, draw func() *sheet) *sheet {
	if s := p.last[kind]; s != nil && s.key == key {
		return s
	}
	s := draw()
	s.key = key
	p.last[kind] = s
	return s
}
