package tui

import "image"

// The smallest terminal in which the console can be used. What is smaller is told so.
const (
	MinWidth  = 60
	MinHeight = 16
)

// sideFrom is the width from which roster and chat stand beside the picture; below it the chat goes under it.
const sideFrom = 110

// panes says which panes are wanted.
type panes struct {
	roster     bool
	rosterRows int // rows that it could use
	chat       bool
}

// layout is where each part of the console stands, in cells of the terminal. What is not shown is empty.
type layout struct {
	small                                 bool
	header, picture, roster, chat, status image.Rectangle
}

// arrange divides a terminal of size among header, picture, panes and status line. The picture gets whatever the others
// leave; a pane's rectangle includes the rule that sets it off from the picture.
func arrange(size image.Point, want panes) layout {
	if size.X < MinWidth || size.Y < MinHeight {
		return layout{small: true}
	}
	l := layout{
		header: image.Rect(0, 0, size.X, 1),
		status: image.Rect(0, size.Y-1, size.X, size.Y),
	}
	body := image.Rect(0, 1, size.X, size.Y-1)
	if size.X >= sideFrom {
		l.picture, l.roster, l.chat = beside(body, want)
	} else {
		l.picture, l.roster, l.chat = below(body, want)
	}
	return l
}

// beside puts the panes into one column at the right.
func beside(body image.Rectangle, want panes) (picture, roster, chat image.Rectangle) {
	if !want.roster && !want.chat {
		return body, roster, chat
	}
	picture, side := body, body
	side.Min.X = body.Max.X - max(34, min(48, body.Dx()/4))
	picture.Max.X = side.Min.X
	switch {
	case !want.chat:
		return picture, side, chat
	case !want.roster:
		return picture, roster, side
	}
	roster, chat = side, side
	roster.Max.Y = side.Min.Y + min(want.rosterRows, side.Dy()/2)
	chat.Min.Y = roster.Max.Y
	return picture, roster, chat
}

// below puts the chat under the picture and the roster at its right.
func below(body image.Rectangle, want panes) (picture, roster, chat image.Rectangle) {
	picture = body
	if want.chat {
		chat = body
		chat.Min.Y = body.Max.Y - max(7, body.Dy()/3)
		picture.Max.Y = chat.Min.Y
	}
	if want.roster {
		roster = picture
		roster.Min.X = picture.Max.X - 30
		picture.Max.X = roster.Min.X
	}
	return picture, roster, chat
}
