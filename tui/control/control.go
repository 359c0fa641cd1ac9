// Package control is what happens to keys, clicks and pastes while they belong to the customer's machine: how a terminal's
// key is named there, what is held, which modifiers are latched, and in which order it goes out.
//
// It belongs to the goroutine of the tea.Program and never waits. Where the terminal reports releases a key is pressed and
// released as the agent does it; elsewhere a press is a tap, and modifiers that the terminal cannot report alone come from
// latches. What the session does not take at once waits here: motion as one event, newest wins; keys, buttons and text in
// order, up to a bound, behind which control is given up and said so. Nothing is dropped silently.
package control

import (
	"image"
	"strings"
	"unicode"
	"unicode/utf8"

	"assist/screen"

	tea "charm.land/bubbletea/v2"
)

// MaxWaiting is how many events wait for the session to take them. A paste of the longest size that Paste lets through is
// about a fifth of it.
const MaxWaiting = 256

// MaxPaste is the longest paste, in bytes; what is longer is refused as a whole.
const MaxPaste = 200 << 10

// Sink takes input in order; false means "not now".
type Sink func(screen.Input) bool

// Control is the state of the customer's keyboard and pointer as this console left them.
type Control struct {
	Releases bool        // the terminal reports releases
	Latched  screen.Mods // held around the next key or click
	ToText   bool        // all of it is for the text that the host shares

	sink    Sink
	waiting []screen.Input
	mods    screen.Mods            // modifiers that are pressed over there
	down    map[rune]screen.Key    // keys that are pressed over there, by the terminal's code
	buttons map[screen.Button]bool // buttons that are pressed over there
	at      image.Point            // newest place of the pointer
}

// New sends to sink.
func New(sink Sink) *Control {
	return &Control{sink: sink, down: map[rune]screen.Key{}, buttons: map[screen.Button]bool{}}
}

// send queues ev behind what waits and tries to be rid of it all. It reports false when too much waits.
func (c *Control) send(ev screen.Input) bool {
	ev.ToText = c.ToText
	if n := len(c.waiting); n > 0 && ev.Kind == screen.PointerMove && c.waiting[n-1].Kind == screen.PointerMove {
		c.waiting[n-1] = ev
	} else {
		c.waiting = append(c.waiting, ev)
	}
	c.Flush()
	return len(c.waiting) <= MaxWaiting
}

// Flush offers again what waits.
func (c *Control) Flush() {
	n := 0
	for n < len(c.waiting) && c.sink(c.waiting[n]) {
		n++
	}
	c.waiting = append(c.waiting[:0], c.waiting[n:]...)
}

// Waiting is how many events the session has not taken yet.
func (c *Control) Waiting() int { return len(c.waiting) }

// Stop lets go of everything: what waits is forgotten, what is pressed is released.
func (c *Control) Stop() {
	c.waiting = c.waiting[:0]
	c.Latched, c.mods = 0, 0
	clear(c.down)
	clear(c.buttons)
	c.send(screen.Input{Kind: screen.ReleaseAll})
}

// Press plays a key press of the terminal. It reports false when too much waits.
func (c *Control) Press(k tea.Key) bool {
	s, ok := translate(k)
	if !ok {
		return true
	}
	if s.mod != 0 {
		return !c.Releases || c.pressModifier(s.mod)
	}
	if k.IsRepeat && c.isDown(k.Code) {
		return true // it is held over there, and that machine repeats by itself
	}
	latched := c.Latched
	c.Latched = 0
	switch {
	case s.text != "":
		return c.hold(0) && c.send(screen.Input{Kind: screen.TypeText, Text: s.text})
	case !c.Releases || latched != 0:
		key, mods := s.shifted(s.mods | latched)
		return c.hold(0) && c.send(screen.Input{Kind: screen.KeyTap, Key: key, Mods: mods})
	}
	c.down[k.Code] = s.key
	return c.hold(s.mods) && c.send(screen.Input{Kind: screen.KeyPress, Key: s.key})
}

// Release plays a key release, which only some terminals report.
func (c *Control) Release(k tea.Key) bool {
	if m, ok := modifiers[k.Code]; ok {
		return c.hold(c.mods &^ m)
	}
	key, ok := c.down[k.Code]
	if !ok {
		return true
	}
	delete(c.down, k.Code)
	return c.send(screen.Input{Kind: screen.KeyRelease, Key: key})
}

func (c *Control) isDown(code rune) bool { _, ok := c.down[code]; return ok }

// pressModifier plays a modifier that was pressed alone. Shift and AltGr wait for the key that needs them: by themselves
// they only choose characters, and characters travel as characters, because layouts differ.
func (c *Control) pressModifier(m screen.Mods) bool {
	if m&(screen.ModShift|screen.ModAltGr) != 0 {
		return true
	}
	return c.hold(c.mods | m)
}

// hold presses and releases modifiers until exactly want are down.
func (c *Control) hold(want screen.Mods) bool {
	ok := true
	for _, m := range modKeys {
		switch {
		case want&m.mod != 0 && c.mods&m.mod == 0:
			ok = c.send(screen.Input{Kind: screen.KeyPress, Key: m.key}) && ok
		case want&m.mod == 0 && c.mods&m.mod != 0:
			ok = c.send(screen.Input{Kind: screen.KeyRelease, Key: m.key}) && ok
		}
	}
	c.mods = want
	return ok
}

// Tap plays one key with modifiers, as the menu of special keys does.
func (c *Control) Tap(k screen.Key, m screen.Mods) bool {
	m |= c.Latched
	c.Latched = 0
	return c.send(screen.Input{Kind: screen.KeyTap, Key: k, Mods: m})
}

// Move plays a motion of the pointer to a place of the display.
func (c *Control) Move(at image.Point) bool {
	if at == c.at {
		return true
	}
	c.at = at
	return c.send(screen.Input{Kind: screen.PointerMove, At: at})
}

// Button plays a press of a button; modifiers of the terminal and latches are held until the last button is up.
func (c *Control) Button(b screen.Button, at image.Point, m tea.KeyMod) bool {
	c.at = at
	ok := c.hold(c.clickMods(m))
	c.Latched = 0
	c.buttons[b] = true
	return c.send(screen.Input{Kind: screen.ButtonPress, Button: b, At: at}) && ok
}

// clickMods are the modifiers around a click. With releases the terminal's own are held already, but for Shift.
func (c *Control) clickMods(m tea.KeyMod) screen.Mods { return c.Latched | modsOf(m) }

// ButtonUp plays the release of a button; 0 stands for whichever are down, which is all that old terminals tell.
func (c *Control) ButtonUp(b screen.Button, at image.Point) bool {
	c.at = at
	ok := true
	for _, held := range [...]screen.Button{1, 2, 3, 8, 9} {
		if c.buttons[held] && (b == 0 || b == held) {
			delete(c.buttons, held)
			ok = c.send(screen.Input{Kind: screen.ButtonRelease, Button: held, At: at}) && ok
		}
	}
	if len(c.buttons) == 0 && !c.Releases {
		ok = c.hold(0) && ok
	}
	return ok
}

// Dragging says whether a button is down.
func (c *Control) Dragging() bool { return len(c.buttons) > 0 }

// Wheel plays notches of the wheel at a place.
func (c *Control) Wheel(steps, at image.Point, m tea.KeyMod) bool {
	c.at = at
	before := c.mods
	ok := c.hold(c.clickMods(m) | before)
	c.Latched = 0
	ok = c.send(screen.Input{Kind: screen.Wheel, Steps: steps, At: at}) && ok
	return c.hold(before) && ok
}

// Paste types text as it is. Control characters but line feed and tab are left out; line ends become line feeds. It reports
// false when the text is too long or too much waits.
func (c *Control) Paste(s string) bool {
	if len(s) > MaxPaste {
		return false
	}
	ok, kind := c.hold(0), screen.TypeText
	if c.ToText {
		kind = screen.PasteText
	}
	for _, part := range split(tidy(s), screen.MaxText) {
		ok = c.send(screen.Input{Kind: kind, Text: part}) && ok
	}
	return ok
}

func tidy(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// split cuts s into parts of at most n bytes, never inside a character.
func split(s string, n int) []string {
	var out []string
	for len(s) > n {
		cut := n
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		out, s = append(out, s[:cut]), s[cut:]
	}
	if s != "" {
		out = append(out, s)
	}
	return out
}
