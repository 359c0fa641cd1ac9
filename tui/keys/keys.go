// Package keys is the one table of the console's own keys. The status line, the help overlay, the dispatch of key presses
// and the README are made from it, so that they cannot tell different stories.
//
// It is pure. A key that does not work now says why in words.
package keys

import (
	"fmt"
	"strings"

	"assist/session"
	"assist/session/console"
)

// Action is what a key does.
type Action uint8

// The actions of browse mode, in the order in which the help tells them.
const (
	None Action = iota
	TakeControl
	Special
	Ask
	Write
	CloseChat
	ScrollBack
	ScrollOn
	People
	Verify
	Cycle
	ZoomIn
	ZoomOut
	Fit
	Left
	Down
	Up
	Right
	Follow
	Mouse
	Help
	Quit
	Invite
	PickUp
	PickDown
	ViewOnly
	MayControl
	GiveBaton
	Sharing
	HandOver
	Remove
	FindWords
	Glyphs
	Pin
	SwitchText
	CopyText
	Overview
	Monitor
	Read
	Shot
	Still
	Checkup
)

// Section is a heading of the help.
type Section string

// The sections.
const (
	Session Section = "Session"
	Picture Section = "Picture"
	Talk    Section = "Chat"
	Members Section = "People, once r opened them"
	Machine Section = "Diagnostics, once d opened them"
)

// Key is one line of the table.
type Key struct {
	Do      Action
	Press   []string // as tea.KeyPressMsg.String says them
	Show    string   // as people read it
	Label   string   // in the status line; empty: not shown there
	Help    string
	Section Section
	why     func(Now) string
}

// Now is what decides which keys work.
type Now struct {
	Phase    console.Phase
	Grants   session.Grants // that this agent has
	Asked    session.Grants // that wait for the customer
	Trusted  bool
	Words    bool // there are words to compare
	Picture  bool
	Zoomed   bool
	Monitors int
	ChatOpen bool
	ViewOnly bool // asked for at the start
	Paused   string
	Lead     bool // this agent leads
	Self     session.MemberID
	Picked   session.Member // in the roster
	Mode     session.ControlMode
	Text     bool // text is shown
	Both     bool // desktop and text are there
	Selected bool // some of the text is
}

// Table is every key of browse mode. The first ones win when the status line is short.
func Table() []Key {
	return []Key{
		{TakeControl, []string{"c"}, "c", "control", "take control: keys, clicks and pastes go to the customer", Session, whyControl},
		{Verify, []string{"v"}, "v", "verify", "compare the three words, which proves that nobody listens in between", Session, whyVerify},
		{Write, []string{"t", "enter"}, "t", "chat", "write to everyone or to agents only", Talk, whyIn},
		{Cycle, []string{"z"}, "z", "zoom", "whole screen, 2:1, 1:1", Picture, whyPicture},
		{Help, []string{"?", "f1"}, "?", "help", "this list", Session, always},
		{Quit, []string{"q", "ctrl+c"}, "q", "leave", "leave; the lead chooses whether it ends for everyone", Session, always},
		{People, []string{"r"}, "r", "people", "who is here, what each may do, and what the lead decides about it", Session, whyIn},
		{Invite, []string{"i"}, "i", "invite", "bring one more agent in: a code and an address, and what is still open", Session, whyInvite},
		{Checkup, []string{"d"}, "d", "diagnostics", "what is wrong with the machine, what is known of it, live values and its event log", Session, whyIn},
		{Special, []string{"s"}, "s", "special keys", "Ctrl-Alt-Del, Super, F1 to F12, Print, and modifiers to hold", Session, whyControl},
		{Ask, []string{"g"}, "g", "ask for more", "ask the customer for what you may not do yet", Session, whyAsk},
		{SwitchText, []string{"tab"}, "Tab", "desktop/text", "change between the desktop and the terminal of a machine that shares both", Picture, whyBoth},
		{CopyText, []string{"y"}, "y", "", "in the text: copy what the mouse has selected", Picture, whySelected},
		{ZoomIn, []string{"+", "="}, "+", "", "closer, about the pointer", Picture, whyPicture},
		{ZoomOut, []string{"-", "_"}, "-", "", "farther", Picture, whyZoomed},
		{Fit, []string{"0"}, "0", "", "the whole screen", Picture, whyZoomed},
		{Left, []string{"left", "h"}, "h, left", "", "move the view to the left", Picture, whyZoomed},
		{Down, []string{"down", "j"}, "j, down", "", "move the view down", Picture, whyZoomed},
		{Up, []string{"up", "k"}, "k, up", "", "move the view up", Picture, whyZoomed},
		{Right, []string{"right", "l"}, "l, right", "", "move the view to the right", Picture, whyZoomed},
		{Read, []string{"x"}, "x", "read", "so near that text can be read, about the pointer; again: the whole screen", Picture, whyPicture},
		{Follow, []string{"f"}, "f", "", "the view follows the pointer, what is typed, the active window, or stays", Picture, whyPicture},
		{Overview, []string{"o"}, "o", "", "the whole screen small in a corner while zoomed; a click there goes there", Picture, whyPicture},
		{Monitor, []string{"n"}, "n", "", "the next monitor", Picture, whyMonitor},
		{Still, []string{"P"}, "P", "", "a still picture at the terminal's full resolution, where it shows Sixels; any key goes on", Picture, whyPicture},
		{Shot, []string{"p"}, "p", "", "save what is seen, as PNG at full resolution and as text", Picture, whyPicture},
		{Pin, []string{"b"}, "b", "", "pictures by the line, always sharp, always fast, or of few bytes", Picture, whyIn},
		{Glyphs, []string{"G"}, "G", "", "finer or plainer glyphs: half-blocks, quadrants, sextants, octants, letters, images", Picture, whyPicture},
		{Mouse, []string{"m"}, "m", "mouse", "leave the mouse to the terminal, to select and copy text; again takes it back", Session, always},
		{FindWords, []string{"/"}, "/", "", "find words in the chat; in the text while it is shown and the chat is not", Talk, whyIn},
		{ScrollBack, []string{"pgup"}, "PgUp", "", "older lines, of the chat or else of the text", Talk, whyLines},
		{ScrollOn, []string{"pgdown"}, "PgDn", "", "newer lines, of the chat or else of the text", Talk, whyLines},
		{CloseChat, []string{"esc"}, "Esc", "", "close the chat; in the text go back to the newest line", Talk, whyLines},
	}
}

// Sections are the headings in the order of the help.
func Sections() []Section { return []Section{Session, Picture, Talk, Members, Machine} }

// Everything is every key there is, wherever it works.
func Everything() []Key { return append(append(Table(), PeopleTable()...), CheckupTable()...) }

// Find is the key for what was pressed.
func Find(press string) (Key, bool) { return find(Table(), press) }

func find(table []Key, press string) (Key, bool) {
	for _, k := range table {
		for _, p := range k.Press {
			if p == press {
				return k, true
			}
		}
	}
	return Key{}, false
}

// Why says why k does not work now; empty means that it does.
func (k Key) Why(n Now) string { return k.why(n) }

func always(Now) string { return "" }

func whyIn(n Now) string {
	switch n.Phase {
	case console.In, console.Lost:
		return ""
	case console.Over:
		return "the session is over"
	}
	return "you are not in the session yet"
}

func whyControl(n Now) string {
	switch {
	case n.Phase == console.Lost:
		return "there is no contact with the customer's machine"
	case whyIn(n) != "":
		return whyIn(n)
	case n.ViewOnly:
		return "you joined to view only"
	case n.Asked.Has(session.Control):
		return "the customer is being asked for it"
	case !n.Grants.Has(session.Control):
		return "the customer has not allowed control; g asks for it"
	case n.Paused != "":
		return n.Paused
	}
	return ""
}

func whyVerify(n Now) string {
	switch {
	case n.Phase != console.Knocking && whyIn(n) != "":
		return whyIn(n)
	case n.Trusted:
		return "already verified"
	case !n.Words:
		return "the words are not there yet"
	}
	return ""
}

func whyAsk(n Now) string {
	switch {
	case whyIn(n) != "":
		return whyIn(n)
	case Askable(n) == 0 && n.Asked != 0:
		return "the customer is being asked"
	case Askable(n) == 0:
		return "you may do everything already"
	}
	return ""
}

// Askable is what this agent may still ask for: to see and control, and what the verbs in a shell work with.
func Askable(n Now) session.Grants {
	all := session.View | session.Control | session.Chat | session.Diag | session.File | session.Run
	if n.ViewOnly {
		all = session.View | session.Chat
	}
	return all &^ (n.Grants | n.Asked)
}

func whyPicture(n Now) string {
	if n.Text {
		return "the text is shown: it has the size that it has"
	}
	if !n.Picture {
		return "there is no picture yet"
	}
	return ""
}

func whyMonitor(n Now) string {
	if why := whyPicture(n); why != "" {
		return why
	}
	if n.Monitors < 2 {
		return "the customer has one monitor"
	}
	return ""
}

func whyZoomed(n Now) string {
	if n.Text {
		if !n.Zoomed {
			return "all of the text is in view"
		}
		return whyIn(n)
	}
	if why := whyPicture(n); why != "" {
		return why
	}
	if !n.Zoomed {
		return "the whole screen is in view"
	}
	return ""
}

// whyLines is for keys that move in lines: of the chat, or of the text.
func whyLines(n Now) string {
	if !n.ChatOpen && !n.Text {
		return "the chat is closed"
	}
	return ""
}

func whyBoth(n Now) string {
	if !n.Both {
		return "this machine shares only one of desktop and text"
	}
	return whyIn(n)
}

func whySelected(n Now) string {
	switch {
	case !n.Text:
		return "the text is not shown"
	case !n.Selected:
		return "nothing is selected: draw over text with the mouse"
	}
	return ""
}

// Markdown is the table for the README; exit is the key that leads out of control mode.
func Markdown(exit string) string {
	var b strings.Builder
	b.WriteString("| key | what it does |\n|---|---|\n")
	for _, section := range Sections() {
		for _, k := range Everything() {
			if k.Section == section {
				fmt.Fprintf(&b, "| `%s` | %s |\n", k.Show, k.Help)
			}
		}
	}
	fmt.Fprintf(&b, "| `%s` | in control: back to browsing; pressed twice it goes to the customer |\n", exit)
	return b.String()
}
