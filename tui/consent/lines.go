package consent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/muesli/cancelreader"

	"assist/chat"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/chatbox"
)

// Lines is the screen for no terminal and for terminals that are read aloud: what is new is a line, what the customer types
// is a word and Enter. The end of in stops nothing: a script may have none.
func Lines(ctx context.Context, in io.Reader, out io.Writer, views <-chan View, act func(Act)) error {
	typed := make(chan string)
	reader, err := cancelreader.NewReader(in)
	if err == nil {
		done := make(chan struct{})
		reading, stop := context.WithCancel(ctx)
		go func() {
			defer close(done)
			read(reading, reader, typed)
		}()
		defer func() {
			stop()
			if reader.Cancel() {
				<-done // a reader that cannot be cancelled ends with its process
			}
			_ = reader.Close()
		}()
	}
	l := &lines{out: out, act: act}
	for !l.view.Ended {
		select {
		case <-ctx.Done():
			return nil
		case v := <-views:
			l.show(v)
		case text := <-typed:
			l.hear(text)
		}
		if l.err != nil {
			return fmt.Errorf("customer's screen: %w", l.err)
		}
	}
	return nil
}

func read(ctx context.Context, r io.Reader, typed chan<- string) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		select {
		case typed <- s.Text():
		case <-ctx.Done():
			return
		}
	}
}

type lines struct {
	out    io.Writer
	act    func(Act)
	view   View
	asked  time.Time
	serial uint64
	newest chat.Seq
	read   int // lines of the preview
	err    error
}

func (l *lines) say(format string, args ...any) {
	if _, err := fmt.Fprintf(l.out, format+"\n", args...); err != nil && l.err == nil && !errors.Is(err, io.ErrClosedPipe) {
		l.err = err
	}
}

// show says what v has that the view before had not.
func (l *lines) show(v View) {
	if v.Code != "" && v.Code != l.view.Code {
		l.say("Nothing is shared yet. The code for the person who helps you: %s (%s)", spaced(v.Code), digits(v.Code))
		l.say("Relay: %s", cell.Clean(v.Relay))
		if v.URL != "" {
			l.say("Or send this address: %s", cell.Clean(v.URL))
		}
		l.say("You will be asked before anybody sees anything. Type stop and Enter to stop at any time.")
	}
	names := func(id uint32) string {
		p, _ := v.Roster.Member(session.MemberID(id))
		return p.Name
	}
	for _, e := range v.Log {
		if e.Seq <= l.newest {
			continue
		}
		l.newest = e.Seq
		if e.Kind != chat.Said {
			l.say("* %s", chatbox.Sentence(e, names))
			continue
		}
		for _, text := range strings.Split(e.Text, "\n") {
			l.say("%s says: %s", cell.Clean(e.Name), cell.Clean(text))
		}
	}
	if q := v.Question; q != nil && q.Serial != l.serial {
		l.serial, l.asked = q.Serial, time.Now()
		l.ask(q)
	}
	if l.view.Question != nil && v.Question == nil {
		l.say("The question is closed.")
	}
	if !v.Alone.IsZero() && l.view.Alone.IsZero() {
		l.say("No agent is connected now. It ends by itself in %s.", left(v.Alone, time.Now()))
	}
	switch text, before := v.noContact(), l.view.noContact(); {
	case text == before:
	case text == "":
		l.say("There is contact again.")
	default:
		l.say("%s", text)
	}
	if v.Ended {
		l.say("Sharing has ended: %s. Nobody sees or controls this machine any more.", cell.Clean(v.Why))
	}
	l.view = v
}

func (l *lines) ask(q *Question) {
	l.say("")
	l.say("QUESTION: %s", q.asks())
	for _, w := range q.who() {
		l.say("%s", w)
	}
	l.say("A yes lets them %s.", strings.Join(q.lets(), ", and "))
	l.read = 0
	l.readOn(q)
	if later := q.means(q.Later); len(later) > 0 {
		l.say("You will be asked apart before they may %s.", strings.Join(later, ", "))
	}
	if len(q.Words) > 0 && q.Join {
		l.say("Read these three words to them, they must see the same: %s", strings.Join(q.Words, " "))
	}
	if q.Join && q.Trust != session.VerifiedOrg {
		l.say("%s", strings.Replace(warning, "press n", "type no", 1))
	}
	l.say("Type yes or no and Enter. No answer in %s is a %s.", left(q.Deadline, time.Now()), q.silent())
}

// hear does what a typed line says.
func (l *lines) hear(text string) {
	text = strings.TrimSpace(text)
	q := l.view.Question
	switch word := strings.ToLower(text); {
	case word == "":
	case word == "stop" || word == "s":
		l.act(Stop{})
	case word == "no" || word == "n":
		if q != nil {
			l.act(Answer{Serial: q.Serial})
		}
	case word == "yes" && q != nil && time.Since(l.asked) < q.yesAfter():
		l.say("Please read first, and type yes again in a few seconds.")
	case word == "yes":
		if q != nil {
			l.act(Answer{Serial: q.Serial, Allow: q.Grants})
		}
	case word == "more" && q != nil:
		l.readOn(q)
	case word == "back" || word == "r":
		l.act(TakeBack{})
	case strings.HasPrefix(word, "say ") && q == nil:
		l.act(Say{Text: text[4:]})
	default:
		l.say("Words that work: stop, yes, no, more, back (takes control back), say TEXT.")
	}
}

// digits is a code as a screen reader should say it.
func digits(code string) string { return strings.Join(strings.Split(code, ""), " ") }
