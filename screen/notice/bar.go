package notice

import (
	"fmt"
	"image"
	"strings"
)

const (
	barWidth  = 620
	barHeight = 60
	barStop   = 150 // width of its button
	maxNames  = 3
)

// bar draws the sharing notice, or the code while nobody is here yet.
func (p *painter) bar(c Content, stopKey bool, scale int) *sheet {
	title, line := "Your screen is shared", who(c)
	if s := controlling(c.People); s != "" {
		title += " · " + s
	}
	if !c.Sharing {
		title, line = "Your code: "+spaced(c.Code), "Give it only to somebody you called yourself."
	}
	return p.cached("bar", fmt.Sprint(c.Sharing, title, line, stopKey, scale), func() *sheet {
		b := p.brush(barWidth, barHeight, scale)
		dot := edge
		if c.Sharing {
			dot = red
		}
		b.fill(image.Rect(14, 14, 28, 28), dot)
		room := barWidth - barStop - 62
		b.text(38, 27, room, title, style{true, 17, white})
		b.text(38, 48, room+10, line, style{false, 14, pale})
		stop := image.Rect(barWidth-barStop-10, 10, barWidth-10, barHeight-10)
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
		return &sheet{img: b.img, spots: []spot{{at: b.scaled(stop), does: doStop}}}
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
