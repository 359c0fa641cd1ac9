package notice

import (
	"strings"
	"time"

	"github.com/jezek/xgb/xproto"
	"golang.org/x/text/unicode/norm"

	"assist/screen/inject"
)

// Limits of the chat.
const (
	maxDraft    = 1000             // characters
	keepLines   = 200              // entries
	writingLast = 15 * time.Second // without a key, then the keyboard goes back to who had it
	writingTell = time.Second      // how often Writing is said
)

// talk is what the customer does in the chat.
type talk struct {
	open   bool
	shut   bool // by the customer: it does not open by itself any more
	unread int
	newest uint64
	begun  bool // the log was seen once: what comes now is news
	draft  []rune
	dead   rune // a combining mark that waits for its letter; 0: none
	back   int  // lines that are scrolled back
	key    time.Time
	told   time.Time
}

// IsWriting says whether the customer writes into the chat, so that nobody else's keys may go there. For any goroutine.
func (w *Window) IsWriting() bool { return w.writing.Load() }

// hear takes what is new in the log. The first words to the customer open the chat.
func (w *Window) hear(c Content, now time.Time) {
	t := &w.talk
	for _, l := range c.Log {
		if l.Seq <= t.newest {
			continue
		}
		t.newest = l.Seq
		switch {
		case l.Mine || !t.begun:
		case l.Name != "":
			if !t.open && !t.shut {
				t.open = true
			}
			if !t.open {
				t.unread++
				w.passing.add(l.Name+": "+firstLine(l.Text), now)
			}
		case l.Passing:
			w.passing.add(l.Text, now)
		}
	}
	t.begun = t.begun || c.Sharing || c.Code != ""
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// openChat opens or shuts the chat by the customer's hand.
func (w *Window) openChat(open bool) {
	w.talk.open, w.talk.shut, w.talk.unread, w.talk.back = open, !open, 0, 0
	w.redraw()
}

func (w *Window) scroll(lines int) {
	w.talk.back = max(0, w.talk.back+lines) // how far there is to go is known when it is drawn
	w.redraw()
}

// nowWriting says that the keyboard is the chat's, or is not any more. Agents wait meanwhile.
func (w *Window) nowWriting(on bool) {
	w.writing.Store(on)
	w.talk.key, w.talk.told = time.Now(), time.Time{}
	if on {
		w.tellWriting(w.talk.key)
	}
}

func (w *Window) tellWriting(now time.Time) {
	if now.Sub(w.talk.told) >= writingTell {
		w.talk.told = now
		w.act(Writing{})
	}
}

// rest gives the keyboard back when the customer has not used it in the chat for a while.
func (w *Window) rest(now time.Time) {
	switch {
	case w.focus != w.chat || w.focus == nil:
	case now.Sub(w.talk.key) >= writingLast:
		w.giveFocus(w.chat)
		w.redraw()
	default:
		w.tellWriting(now)
	}
}

func (w *Window) send() {
	text := strings.TrimSpace(string(w.talk.draft))
	w.talk.draft, w.talk.dead, w.talk.back = nil, 0, 0
	if text != "" {
		w.act(Say{Text: text})
	}
	w.redraw()
}

// typed takes a key while the chat has the keyboard.
func (w *Window) typed(ev xproto.KeyPressEvent) {
	t := &w.talk
	t.key = time.Now()
	w.tellWriting(t.key)
	sym := w.symbol(ev)
	switch sym {
	case symReturn, symEnter:
		w.send()
		return
	case symEscape:
		w.giveFocus(w.chat)
	case symBackSpace:
		t.draft, t.dead = t.draft[:max(0, len(t.draft)-1)], 0
	case symPageUp:
		w.scroll(5)
	case symPageDown:
		w.scroll(-5)
	default:
		if ev.State&(xproto.ModMaskControl|xproto.ModMask1) == 0 {
			t.write(sym)
		}
	}
	w.redraw()
}

// write adds what a keysym stands for; a dead key waits for its letter.
func (t *talk) write(sym xproto.Keysym) {
	if mark, dead := deadKeys[sym]; dead {
		t.dead = mark
		return
	}
	r := inject.Rune(uint32(sym))
	if r == 0 || len(t.draft) >= maxDraft {
		return
	}
	if t.dead != 0 {
		both := []rune(norm.NFC.String(string([]rune{r, t.dead})))
		if t.dead = 0; len(both) == 1 {
			r = both[0]
		}
	}
	t.draft = append(t.draft, r)
}

// Keysyms (keysymdef.h) that edit.
const (
	symBackSpace = 0xff08
	symPageUp    = 0xff55
	symPageDown  = 0xff56
)

// deadKeys are the accents that one types before their letter.
var deadKeys = map[xproto.Keysym]rune{
	0xfe50: 0x300, 0xfe51: 0x301, 0xfe52: 0x302, 0xfe53: 0x303, 0xfe54: 0x304, 0xfe55: 0x306, 0xfe56: 0x307, 0xfe57: 0x308,
	0xfe58: 0x30a, 0xfe59: 0x30b, 0xfe5a: 0x30c, 0xfe5b: 0x327, 0xfe5c: 0x328,
}

// symbol is what a key means in the customer's layout: the columns of the core keyboard map are two levels of each of two
// groups, then the levels with AltGr (XKB, "Core keyboard mapping").
func (w *Window) symbol(ev xproto.KeyPressEvent) xproto.Keysym {
	r, err := xproto.GetKeyboardMapping(w.conn, ev.Detail, 1).Reply()
	if err != nil || len(r.Keysyms) == 0 {
		return 0
	}
	group := int(ev.State>>13&3) % 2
	column := 2 * group
	if ev.State&xproto.ModMask5 != 0 && len(r.Keysyms) > 4+column {
		column += 4
	}
	shift := ev.State&xproto.ModMaskShift != 0
	at := func(i int) xproto.Keysym {
		if i < len(r.Keysyms) {
			return r.Keysyms[i]
		}
		return 0
	}
	lower, upper := at(column), at(column+1)
	if lower == 0 && column > 0 {
		lower, upper = at(0), at(1)
	}
	if ev.State&xproto.ModMaskLock != 0 && upper != lower && isLetter(lower) {
		shift = !shift
	}
	if shift && upper != 0 {
		return upper
	}
	return lower
}

// isLetter says whether Caps Lock means something for a key.
func isLetter(sym xproto.Keysym) bool {
	s := string(inject.Rune(uint32(sym)))
	return strings.ToUpper(s) != strings.ToLower(s)
}
