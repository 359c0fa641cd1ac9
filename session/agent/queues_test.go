package agent

import (
	"bufio"
	"bytes"
	"image"
	"strings"
	"testing"
	"unicode/utf8"

	"assist/chat"
	"assist/screen"
	"assist/session/inner"
)

func newInput() *inputQueue { return &inputQueue{ready: make(chan struct{}, 1)} }

// sent is what a host would take that has got every datagram.
func sent(t *testing.T, q *inputQueue) []screen.Input {
	t.Helper()
	var out []screen.Input
	for grams := q.datagrams(); len(grams) > 0; grams = q.datagrams() {
		for _, b := range grams {
			_, evs, err := inner.ParseInputs(b)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, evs...)
		}
		q.taken(out[len(out)-1].Seq)
	}
	return out
}

func TestEventsAreSentUntilTheyAreTaken(t *testing.T) {
	q := newInput()
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'a'})
	first := q.datagrams()
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'b'})
	q.taken(99) // of what was never sent
	both := q.datagrams()
	_, evs, err := inner.ParseInputs(both[0])
	if err != nil || len(first) != 1 || len(evs) != 1 || evs[0].Key != 'b' {
		t.Errorf("%v, %v", evs, err)
	}
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'c'})
	oldest, evs, err := inner.ParseInputs(q.datagrams()[0])
	if err != nil || oldest != 2 || len(evs) != 2 || evs[0].Seq != 2 || evs[1].Key != 'c' {
		t.Errorf("from %d: %v, %v", oldest, evs, err)
	}
	q.taken(3)
	if more := q.datagrams(); len(more) > 0 {
		t.Errorf("still sends %x", more)
	}
}

func TestAMoveThatWasSentStays(t *testing.T) {
	q := newInput()
	q.push(screen.Input{Kind: screen.PointerMove, At: image.Pt(1, 0)})
	q.datagrams()
	q.push(screen.Input{Kind: screen.PointerMove, At: image.Pt(2, 0)})
	q.push(screen.Input{Kind: screen.PointerMove, At: image.Pt(3, 0)})
	if got := sent(t, q); len(got) != 2 || got[0].At.X != 1 || got[1].At.X != 3 || got[1].Seq != 2 {
		t.Errorf("%v", got)
	}
}

func TestInputIsNumberedInOrderOverAllLinks(t *testing.T) {
	q := newInput()
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'a'})
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'b'})
	first := sent(t, q)
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'x'})
	q.clear() // the link broke
	q.push(screen.Input{Kind: screen.KeyTap, Key: 'c'})
	second := sent(t, q)
	if len(first) != 2 || first[0].Seq != 1 || first[0].Key != 'a' || first[1].Seq != 2 || first[1].Key != 'b' {
		t.Errorf("first link: %v", first)
	}
	if len(second) != 1 || second[0].Seq != 4 || second[0].Key != 'c' {
		t.Errorf("second link: %v", second)
	}
}

func TestMovesInARowAreOne(t *testing.T) {
	q := newInput()
	for x := range 5000 {
		if !q.push(screen.Input{Kind: screen.PointerMove, At: image.Pt(x, 0)}) {
			t.Fatal("a move was refused")
		}
	}
	q.push(screen.Input{Kind: screen.ButtonPress, Button: 1, At: image.Pt(9, 9)})
	q.push(screen.Input{Kind: screen.PointerMove, At: image.Pt(1, 1)})
	got := sent(t, q)
	if len(got) != 3 || got[0].At.X != 4999 || got[1].Kind != screen.ButtonPress || got[2].At.X != 1 {
		t.Errorf("%v", got)
	}
}

func TestFullQueueRefusesAndLosesNothing(t *testing.T) {
	q := newInput()
	n := 0
	for q.push(screen.Input{Kind: screen.KeyTap, Key: 'a'}) {
		n++
	}
	if q.push(screen.Input{Kind: screen.TypeText, Text: strings.Repeat("x", 3*screen.MaxText)}) {
		t.Error("a text was taken")
	}
	if got := len(sent(t, q)); n != inputSize || got != n {
		t.Errorf("%d taken, %d sent", n, got)
	}
	if !q.push(screen.Input{Kind: screen.KeyTap, Key: 'a'}) {
		t.Error("still full after it was sent")
	}
}

func TestLongTextIsCutBetweenCharacters(t *testing.T) {
	text := strings.Repeat("日本語 ", 1500)
	q := newInput()
	q.push(screen.Input{Kind: screen.TypeText, Text: text})
	var whole strings.Builder
	for _, ev := range sent(t, q) {
		if len(ev.Text) > inner.MaxTyped || !utf8.ValidString(ev.Text) {
			t.Errorf("piece of %d bytes", len(ev.Text))
		}
		whole.WriteString(ev.Text)
	}
	if whole.String() != text {
		t.Error("the pieces are not the text")
	}
}

func newOutbox() *outbox {
	o := &outbox{ready: make(chan struct{}, 1)}
	o.release()
	return o
}

func saying(text string) *inner.ToHost {
	return &inner.ToHost{Kind: &inner.ToHost_Say{Say: &inner.Say{Lane: 1, Text: text}}}
}

func takeAll(o *outbox) (texts []string, ids []uint64) {
	for m := o.take(); m != nil; m = o.take() {
		texts, ids = append(texts, m.GetSay().GetText()), append(ids, m.Id)
	}
	return texts, ids
}

func TestOutboxResendsWhatWasNotAnswered(t *testing.T) {
	o := newOutbox()
	o.add(saying("one"), still)
	o.add(takeControl(), once)
	o.add(saying("two"), still)
	_, ids := takeAll(o)
	if o.answered(ids[0]).GetSay().GetText() != "one" {
		t.Error("the answer is for something else")
	}
	o.add(saying("three"), still)
	o.rewind()
	if texts, _ := takeAll(o); len(texts) != 0 {
		t.Errorf("%v sent before the host let us in", texts)
	}
	o.release()
	texts, again := takeAll(o)
	if strings.Join(texts, " ") != "two three" || again[0] != ids[2] {
		t.Errorf("%v %v after %v", texts, again, ids)
	}
	if o.answered(ids[0]) != nil || o.answered(99) != nil {
		t.Error("something was answered twice, or that was never asked")
	}
}

func TestOutboxDoesNotTakeAnAnswerBeforeTheQuestion(t *testing.T) {
	o := newOutbox()
	o.add(saying("one"), still)
	if o.answered(1) != nil {
		t.Error("an answer to what was not sent")
	}
	if texts, _ := takeAll(o); len(texts) != 1 {
		t.Errorf("%v left", texts)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	o := newOutbox()
	for range outboxSize {
		if !o.add(saying("x"), still) {
			t.Fatal("refused too early")
		}
	}
	if o.add(saying("x"), still) {
		t.Error("took more than it holds")
	}
}

func TestReplicaHasEachEntryOnce(t *testing.T) {
	var r replica
	for _, seq := range []chat.Seq{1, 2, 2, 1, 3} {
		r.add(chat.Entry{Seq: seq})
	}
	if len(r.entries) != 3 || r.newest() != 3 || len(r.after(1)) != 2 || r.after(1)[0].Seq != 2 || len(r.after(3)) != 0 {
		t.Errorf("%v", r.entries)
	}
	handed := r.after(0)
	for seq := chat.Seq(4); seq < chat.KeepEntries+10; seq++ {
		r.add(chat.Entry{Seq: seq})
	}
	if len(r.entries) != chat.KeepEntries || r.newest() != chat.KeepEntries+9 {
		t.Errorf("%d entries, newest %d", len(r.entries), r.newest())
	}
	if len(handed) != 3 || handed[0].Seq != 1 {
		t.Errorf("what was handed out changed: %v", handed)
	}
}

func newLookout() *lookout {
	return &lookout{ready: make(chan struct{}, 1), asked: map[uint32]screen.Viewport{}}
}

func view(x int) screen.Viewport {
	return screen.Viewport{Region: image.Rect(0, 0, 100, 100), Grid: image.Pt(x, 10)}
}

func messages(t *testing.T, l *lookout) []screen.Message {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(l.take()))
	var out []screen.Message
	for {
		m, err := inner.ReadScreen(r)
		if err != nil {
			return out
		}
		out = append(out, m)
	}
}

func TestNewestViewportAndNewestAcknowledgementAreSent(t *testing.T) {
	l := newLookout()
	l.look(view(10))
	l.look(view(20))
	v, _, _ := l.begin(inner.PictureHead{Viewport: 2})
	l.shown(&screen.Picture{Viewport: v, Seq: 5})
	l.shown(&screen.Picture{Viewport: v, Seq: 6})
	got := messages(t, l)
	if len(got) != 2 || got[0].(screen.Viewport).Grid.X != 20 || got[1] != (screen.Shown{Viewport: 2, Seq: 6}) {
		t.Errorf("%v", got)
	}
	if got := messages(t, l); len(got) != 0 {
		t.Errorf("sent twice: %v", got)
	}
}

func TestPicturesOfOlderViewportsAreNotWanted(t *testing.T) {
	l := newLookout()
	l.look(view(10))
	l.look(view(20))
	if _, _, ok := l.begin(inner.PictureHead{Viewport: 3}); ok {
		t.Error("a viewport that was never asked for")
	}
	old, _, ok := l.begin(inner.PictureHead{Viewport: 1})
	if !ok || old.Grid.X != 10 {
		t.Error("the older one is wanted until the newer one comes")
	}
	if _, _, ok := l.begin(inner.PictureHead{Viewport: 2}); !ok {
		t.Error("the newest is not wanted")
	}
	if l.shown(&screen.Picture{Viewport: old, Seq: 1}) {
		t.Error("an older viewport's picture after the newer began")
	}
	if _, _, ok := l.begin(inner.PictureHead{Viewport: 1}); ok {
		t.Error("an older viewport's stream after the newer began")
	}
}

func TestLookoutForgetsOldViewports(t *testing.T) {
	l := newLookout()
	for range 1000 {
		l.look(view(10))
	}
	if len(l.asked) != keepAsked {
		t.Errorf("%d remembered", len(l.asked))
	}
}

func TestNewLinkAsksUnderANewNumber(t *testing.T) {
	l := newLookout()
	l.renew()
	if got := messages(t, l); len(got) != 0 {
		t.Errorf("asked for nothing, sent %v", got)
	}
	l.look(view(10))
	messages(t, l)
	l.renew()
	got := messages(t, l)
	if len(got) != 1 || got[0].(screen.Viewport).ID != 2 || got[0].(screen.Viewport).Grid.X != 10 {
		t.Errorf("%v", got)
	}
}

func TestSeparateStreamsOfOneGridShareWhatTheyStartFrom(t *testing.T) {
	l := newLookout()
	l.look(view(10))
	_, first, _ := l.begin(inner.PictureHead{Viewport: 1, Shrink: 1, Separate: true})
	_, same, _ := l.begin(inner.PictureHead{Viewport: 1, Shrink: 1, Separate: true})
	small, other, _ := l.begin(inner.PictureHead{Viewport: 1, Shrink: 2, Separate: true})
	if first == nil || first != same || first == other || small.Grid != image.Pt(5, 5) {
		t.Errorf("%p %p %p, grid %v", first, same, other, small.Grid)
	}
	l.begin(inner.PictureHead{Viewport: 1, Shrink: 2}) // with a history again
	if _, anew, _ := l.begin(inner.PictureHead{Viewport: 1, Shrink: 2, Separate: true}); anew == other {
		t.Error("pictures from before the history")
	}
}

func TestPinIsSaidAgainToANewHostConnection(t *testing.T) {
	l := newLookout()
	l.look(view(10))
	l.want(screen.Fast)
	l.want(screen.Thin)
	if got := messages(t, l); len(got) != 2 || got[1] != screen.Thin {
		t.Errorf("%v", got)
	}
	l.renew()
	if got := messages(t, l); len(got) != 2 || got[0] != screen.Thin {
		t.Errorf("%v", got)
	}
}
