//go:build desktop

package notice

import (
	"image"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb/xproto"

	"assist/screen"
	"assist/screen/inject"
)

// talking is a session with something in its chat.
func talking(more ...Line) Content {
	c := sharing
	c.People = []Person{{Member: 2, Name: "Anna Schmidt", Org: "Example Support GmbH", May: []string{"view", "control", "chat"}}, {Member: 3, Name: "Bo", May: []string{"view"}}}
	c.Log = append([]Line{{Seq: 1, Text: "Anna Schmidt joined: Example Support GmbH (verified)", Passing: true}}, more...)
	return c
}

var hello = Line{Seq: 2, Name: "Anna Schmidt", Text: "Hello! Please open the settings.\n• Anna left"}

// press clicks a spot of the chat or the bar.
func (d *desktop) press(p *pane, which does, nth int) {
	d.t.Helper()
	for _, s := range p.sheet.spots {
		if s.does != which {
			continue
		}
		if nth--; nth < 0 {
			d.click(p.at.Add(s.at.Min).Add(s.at.Size().Div(2)))
			return
		}
	}
	d.t.Fatalf("nothing does %d", which)
}

// say is the next act but Writing.
func (d *desktop) did() Action {
	d.t.Helper()
	for {
		if a := d.act(); a != (Writing{}) {
			return a
		}
	}
}

func TestCustomerChatsOnTheDesktop(t *testing.T) {
	d := newDesktop(t, "1280x800")
	d.start("xterm", "-geometry", "60x20+100+100")
	d.until("the terminal has the keyboard", func() bool {
		active := d.run("xprop", "-root", "_NET_ACTIVE_WINDOW")
		return strings.Contains(active, "# 0x") && !strings.HasSuffix(active, "# 0x0")
	})
	d.show(talking(), 1)
	d.picture("passing")
	d.show(talking(hello), 2) // the first words open it
	d.picture("chat")
	d.click(d.w.chat.rect().Min.Add(image.Pt(200, d.w.chat.rect().Dy()-80)))
	if d.act() != (Writing{}) || !d.w.IsWriting() {
		t.Fatal("a click into it does not begin to write")
	}
	for _, sym := range []xproto.Keysym{'h', 'x', symBackSpace, 'i'} {
		d.key(sym)
	}
	time.Sleep(300 * time.Millisecond)
	d.picture("chat-writing")
	d.key(symReturn)
	if a := d.did(); a != (Say{Text: "hi"}) {
		t.Fatalf("%#v", a)
	}
	d.key(symEscape)
	d.until("the keyboard is given back", func() bool { return !d.w.IsWriting() })
	d.press(d.w.chat, doTakeBack, 0)
	if a := d.did(); !reflect.DeepEqual(a, TakeBack{Member: 2, Grants: []string{"control"}}) {
		t.Fatalf("%#v", a)
	}
	d.press(d.w.chat, doChat, 0)
	d.until("it is shut", func() bool { return len(d.w.Rectangles()) == 1 })
	d.show(talking(hello, Line{Seq: 3, Name: "Anna Schmidt", Text: "Are you there?"}), 1) // by hand: it stays so
	d.picture("chat-shut")
	d.press(d.w.bar, doChat, 0)
	d.until("it is open", func() bool { return len(d.w.Rectangles()) == 2 })
	d.contents <- talking(hello, Line{Seq: 4, Text: "Bo left", Passing: true})
	d.until("the notice", func() bool { return d.w.Rectangles()[0].Dy() > barHeight })
	d.picture("passing")
	d.until("it has passed", func() bool { return d.w.Rectangles()[0].Dy() == barHeight && d.visible() })
}

// TestAgentsCannotUseTheChat has an agent click into it, and type while the customer writes.
func TestAgentsCannotUseTheChat(t *testing.T) {
	d := newDesktop(t, "1280x800")
	d.show(talking(), 1)
	d.show(talking(hello), 2)
	agent, err := inject.Open(d.name)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	agent.Exclude(d.w.Rectangles)
	agent.Deaf(d.w.IsWriting)
	in := d.w.chat.rect().Min.Add(image.Pt(200, d.w.chat.rect().Dy()-80))
	play := func(ev screen.Input) {
		t.Helper()
		if err := agent.Play(ev); err != nil {
			t.Fatal(err)
		}
	}
	play(screen.Input{Kind: screen.ButtonPress, Button: 1, At: in})
	play(screen.Input{Kind: screen.ButtonRelease, Button: 1, At: in})
	d.idle("an agent clicked into the chat")
	d.click(in)
	if d.act() != (Writing{}) {
		t.Fatal("the customer cannot write")
	}
	play(screen.Input{Kind: screen.TypeText, Text: "I pay at once"})
	play(screen.Input{Kind: screen.KeyTap, Key: 'x'})
	play(screen.Input{Kind: screen.KeyTap, Key: screen.KeyEnter})
	d.key('o')
	d.key(symReturn)
	if a := d.did(); a != (Say{Text: "o"}) {
		t.Fatalf("%#v", a)
	}
}

func TestDeadKeysAndLayouts(t *testing.T) {
	var w talk
	for _, sym := range []xproto.Keysym{0xfe51, 'e', 0xfe57, 'u', 0xfe51, 'x', 0x6c1, 0x1001e9e, 0xffe1} {
		w.write(sym)
	}
	if got := string(w.draft); got != "éüxаẞ" {
		t.Errorf("%q", got)
	}
}
