package notice

import (
	"fmt"
	"image"
	"strings"
)

const (
	barWidth  = 720
	barLeast  = 620 // on small displays
	barHeight = 60
	barStop   = 150 // width of its button
	barChat   = 96
	barLine   = 24 // of what passes
	maxNames  = 3
)

// bar draws the sharing notice, or the code while nobody is here yet.
func (p *painter) bar(c Content, passing []string, t talk, stopKey bool, scale, room int) *sheet {
	title, line := "Your screen is shared", who(c)
	if s := controlling(c.People); s != "" {
		title += " · " + s
	}
	if !c.Sharing {
		title, line = "Your code: "+spaced(c.Code), "Give it only to somebody you called yourself."
	}
	width := max(barLeast, min(barWidth, room))
	return p.cached("bar", fmt.Sprint(c.Sharing, title, line, passing, t.open, t.unread, stopKey, scale, width), func() *sheet {
		high := barHeight
		if len(passing) > 0 {
			high += 8 + barLine*len(passing)
		}
		b := p.brush(width, high, scale)
		dot := edge
		if c.Sharing {
			dot = red
		}
		b.fill(image.Rect(14, 14, 28, 28), dot)
		room := width - barStop - 62
		var spots []spot
		if c.Sharing {
			room -= barChat + 10
			chat, label, back := image.Rect(width-barStop-barChat-20, 10, width-barStop-20, barHeight-10), "Chat", raisedC
			if t.unread > 0 {
				label, back = fmt.Sprintf("Chat (%d)", t.unread), green
			}
			b.button(chat, label, back, false, t.open)
			spots = append(spots, spot{at: b.scaled(chat), does: doChat})
		}
		for i, text := range passing {
			b.text(38, barHeight+12+i*barLine, width-56, text, style{false, 15, white})
		}
		b.text(38, 27, room, title, style{true, 17, white})
		b.text(38, 48, room+10, line, style{false, 14, pale})
		stop := image.Rect(width-barStop-10, 10, width-10, barHeight-10)
		b.fill(stop, red)
		label := "Stop"
		if c.Sharing {
			label = "Stop sharing"
		}
		if stopKey {
			b.centred(image.Rect(stop.Min.X, stop.Min.Y+1, stop.Max.X, stop.Min.Y+23), label, style{true, 15, white})
			b.centred(image.Rect(stop.Min.X, stop.Min.Y+20, stop.Max.X, stop.Max.Y-1), "or press Pause", style{false, 12, white})
		} else {
			b.centred(stop, label, style{true, 15, white})
		}
		return &sheet{img: b.img, spots: append(spots, spot{at: b.scaled(stop), does: doStop})}
	})
}

// controlling says who controls, if anybody does.
func controlling(people []Person) string {
	var names []string
	for _, p := range people {
		if p.Controls {
			names = append(names, p.Name)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " controls it"
	}
	return fmt.Sprintf("%s and %d more control it", names[0], len(names)-1)
}

// who says who is here.
func who(c Content) string {
	var names []string
	for i, a := range c.People {
		if i == maxNames {
			names = append(names, fmt.Sprintf("%d more", len(c.People)-maxNames))
			break
		}
		n := a.Name
		if a.Org != "" {
			n += " (" + a.Org + ")"
		}
		if a.Away {
			n += ", reconnecting"
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
