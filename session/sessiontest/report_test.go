package sessiontest

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"assist/chat"
	"assist/diag"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// patient is a prober of which a test says what it reads.
type patient struct {
	mu     sync.Mutex
	asked  []diag.ID
	events chan diag.Event
}

var readAt = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)

func (m *patient) Report(_ context.Context, ids []diag.ID) diag.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = ids
	r := diag.Report{
		At: readAt, Host: "web-01",
		Categories: []diag.Category{{ID: diag.Disks, Items: []diag.Item{{Name: "evil \x1b]0;x\x07", Value: "a\u202eb"}}}},
		Findings:   []diag.Finding{diag.Space("/", 99, 1), diag.MemoryLeft(100, 50)},
	}
	r.Order()
	return r
}

func (m *patient) Live(ctx context.Context, each func(diag.Sample) error) error {
	for n := 1.0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		if err := each(diag.Sample{At: readAt, Load: n}); err != nil {
			return err
		}
	}
}

func (m *patient) Events(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) (string, error) {
	if err := each(diag.Event{At: readAt, Priority: 3, Unit: "a.service", Text: "old"}); err != nil {
		return "", err
	}
	for q.Follow {
		select {
		case <-ctx.Done():
			return "the journal", nil
		case e := <-m.events:
			if err := each(e); err != nil {
				return "", err
			}
		}
	}
	return "the journal", nil
}

// checked is a console in a session with a host that can be read.
type checked struct {
	t       *testing.T
	h       *Host
	c       *Console
	machine *patient
	mu      sync.Mutex
	events  []host.Event
}

func newChecked(t *testing.T, r *Relay) *checked {
	k := &checked{t: t, machine: &patient{events: make(chan diag.Event, 4)}}
	k.h = r.NewHost(func(conf *host.Config) {
		conf.Prober = k.machine
		tell := conf.Events
		conf.Events = func(e host.Event) {
			k.mu.Lock()
			k.events = append(k.events, e)
			k.mu.Unlock()
			tell(e)
		}
	})
	k.c = Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), k.h.Code)))
	k.h.Customer.Allow("max@acme", session.View)
	k.c.Phase(console.In)
	return k
}

func (k *checked) stream() transport.Stream {
	k.t.Helper()
	s, err := k.c.Open(k.t.Context(), wire.StreamReport)
	must(k.t, err)
	return s
}

func (k *checked) giveDiag() {
	k.t.Helper()
	done := make(chan error, 1)
	go func() { done <- k.c.Obtain(k.t.Context(), session.Diag) }()
	k.h.Customer.Allow("max@acme", session.Diag)
	must(k.t, <-done)
}

// looks waits for the preview of a text and answers it.
func (k *checked) looks(yes bool) host.Question {
	k.t.Helper()
	v := k.h.Customer.Wait("a preview", func(v host.View) bool { return v.Question != nil && v.Question.What != "" })
	allow := session.Grants(0)
	if yes {
		allow = v.Question.Grants
	}
	k.h.Customer.Answer(*v.Question, allow)
	return *v.Question
}

func (k *checked) pulled() (out []string) {
	for _, e := range k.c.Log(0) {
		if e.Kind == chat.Pulled {
			out = append(out, e.Text)
		}
	}
	return out
}

func TestReportGoesWhenTheCustomerHasSeenIt(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		k := newChecked(t, r)
		var no *inner.ReportError
		if _, err := agent.PullReport(k.stream(), nil, nil); !errors.As(err, &no) || no.Code != inner.ReportNotGiven {
			t.Fatalf("without the grant: %v", err)
		}
		k.giveDiag()

		type got struct {
			r   diag.Report
			err error
		}
		done := make(chan got, 1)
		asked := make(chan struct{}, 1)
		pull := func(ids ...diag.ID) {
			go func() {
				r, err := agent.PullReport(k.stream(), ids, func() { asked <- struct{}{} })
				done <- got{r, err}
			}()
		}
		pull(diag.Disks)
		<-asked
		k.h.Customer.Wait("a preview", func(v host.View) bool { return v.Question != nil })
		time.Sleep(10 * time.Second) // of virtual time: the customer reads
		select {
		case g := <-done:
			t.Fatalf("it went before the customer's yes: %+v", g)
		default:
		}
		q := k.looks(true)
		if q.What != "read this report about your computer" || !strings.Contains(q.Detail, "bad disk.space /") || !strings.Contains(q.Detail, "\n  evil") {
			t.Errorf("asked: %s\n%s", q.What, q.Detail)
		}
		g := <-done
		if g.err != nil || g.r.Host != "web-01" || len(g.r.Findings) != 2 || g.r.Findings[0].Severity != diag.Bad {
			t.Fatalf("%+v", g)
		}
		if it := g.r.Categories[0].Items[0]; it.Name != "evil ␛]0;x␇" || it.Value != "a�b" {
			t.Errorf("not inert: %+v", it)
		}
		k.c.Wait("the chat to tell", func(console.State) bool { return len(k.pulled()) == 1 })
		if text := k.pulled()[0]; text != "a report on Disks and space: 1 bad, 0 warn, 0 note, 1 ok" {
			t.Errorf("%q", text)
		}
		k.mu.Lock()
		found := false
		for _, e := range k.events {
			found = found || e.Event == "diagnostics" && e.Handle == "max@acme"
		}
		k.mu.Unlock()
		if !found {
			t.Error("scripts were not told")
		}

		pull()
		<-asked
		k.looks(false)
		if g := <-done; !errors.Is(g.err, console.ErrRefused) || len(k.pulled()) != 1 {
			t.Errorf("after a no: %+v", g)
		}
	})
}

func TestLiveValuesEndWithTheGrant(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		k := newChecked(t, r)
		k.giveDiag()
		done := make(chan error, 1)
		n := make(chan float64, 64)
		go func() {
			done <- agent.WatchLive(k.stream(), func(s diag.Sample) error {
				n <- s.Load
				return nil
			})
		}()
		for want := 1.0; want < 4; want++ {
			if got := <-n; got != want {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
		k.h.Customer.Do(host.Revoke{Member: session.Nobody, Grants: session.Diag})
		var no *inner.ReportError
		if err := <-done; !errors.As(err, &no) || no.Code != inner.ReportNotGiven {
			t.Fatalf("after it was taken back: %v", err)
		}
	})
}

func TestEventsAreShownAndFollowed(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		k := newChecked(t, r)
		k.giveDiag()
		told := make(chan inner.ReportSaid, 64)
		done := make(chan error, 1)
		s := k.stream()
		go func() {
			done <- agent.WatchEvents(s, diag.EventQuery{Most: diag.Debug, Unit: "a.service", Last: 5, Follow: true}, func(said inner.ReportSaid) error {
				told <- said
				return nil
			})
		}()
		if said := <-told; !said.Asking {
			t.Fatalf("%+v", said)
		}
		if q := k.looks(true); !strings.Contains(q.What, "the last 5 lines of the event log of a.service, and those that come") || !strings.Contains(q.Detail, "a.service: old") {
			t.Errorf("%+v", q)
		}
		if said := <-told; said.Event == nil || said.Event.Text != "old" {
			t.Fatalf("%+v", said)
		}
		if said := <-told; said.Source != "the journal" {
			t.Fatalf("%+v", said)
		}
		k.machine.events <- diag.Event{At: readAt.Add(time.Second), Priority: 4, Unit: "a.service", Text: "new\x1b[2J"}
		if said := <-told; said.Event == nil || said.Event.Text != "new␛[2J" {
			t.Fatalf("%+v", said)
		}
		s.CancelRead(0)
		s.CancelWrite(0)
		if err := <-done; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
	})
}

func TestOnlySoManyReportsAtOnce(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		k := newChecked(t, r)
		k.giveDiag()
		begun := make(chan struct{}, 16)
		var all sync.WaitGroup
		var streams []transport.Stream
		for range 4 {
			s := k.stream()
			streams = append(streams, s)
			all.Go(func() {
				_ = agent.WatchLive(s, func(diag.Sample) error {
					begun <- struct{}{}
					return nil
				})
			})
			<-begun
		}
		var no *inner.ReportError
		if err := agent.WatchLive(k.stream(), nil); !errors.As(err, &no) || no.Code != inner.ReportBusy {
			t.Errorf("a fifth: %v", err)
		}
		for _, s := range streams {
			s.CancelRead(0)
			s.CancelWrite(0)
		}
		for len(begun) > 0 {
			<-begun
		}
		all.Wait()
		Until(t, "room for another", nil, func() bool {
			return agent.WatchLive(k.stream(), func(diag.Sample) error { return io.EOF }) == io.EOF
		})
	})
}

func TestConsoleKeepsWhatItLearns(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		k := newChecked(t, r)
		k.c.Do(console.FollowLive{On: true})
		k.c.Do(console.PullReport{})
		k.h.Customer.Allow("max@acme", session.Diag) // asked for because it was missing
		st := k.c.Wait("that the customer looks", func(st console.State) bool { return st.Checkup != nil && st.Checkup.Doing != "" })
		if !st.Checkup.Pulling || len(st.Checkup.Reports) != 0 {
			t.Errorf("%+v", st.Checkup)
		}
		k.looks(true)
		k.c.Wait("the report and live values", func(st console.State) bool {
			u := st.Checkup
			return !u.Pulling && len(u.Reports) == 1 && len(u.Live) > 1 && u.Live[len(u.Live)-1].Load > u.Live[0].Load
		})
		k.c.Do(console.FollowEvents{Query: &diag.EventQuery{Most: diag.Debug, Last: 5, Follow: true}})
		k.looks(true)
		k.machine.events <- diag.Event{At: readAt.Add(time.Second), Text: "new"}
		st = k.c.Wait("events", func(st console.State) bool { return len(st.Checkup.Events) == 2 })
		if u := st.Checkup; u.EventsFrom != "the journal" || !u.Following || u.Events[1].Text != "new" {
			t.Errorf("%+v", u)
		}
		k.c.Do(console.FollowLive{})
		k.c.Do(console.FollowEvents{})
		k.c.Wait("that nothing is followed", func(st console.State) bool { return !st.Checkup.Following })
		k.c.Do(console.PullReport{})
		k.looks(false)
		st = k.c.Wait("the customer's no", func(st console.State) bool { return st.Checkup.Why != "" })
		if u := st.Checkup; u.Pulling || len(u.Reports) != 1 || u.Why != console.ErrRefused.Error() {
			t.Errorf("%+v", u)
		}
	})
}
