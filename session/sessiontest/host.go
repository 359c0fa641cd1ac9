package sessiontest

import (
	"context"
	"sync"
	"testing"
	"time"

	"assist/session"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport"
)

// Host is a running host with the customer before it.
type Host struct {
	*host.Host
	Display  *Display
	Recorder *Recorder
	Code     string
	URL      string
	Customer *Customer

	t    testing.TB
	done chan struct{}
	err  error
}

// NewHost starts a host; change may set more of its Config.
func (r *Relay) NewHost(change func(*host.Config)) *Host {
	t := r.t
	t.Helper()
	h := &Host{
		Display: NewDisplay(640, 480), Recorder: NewRecorder(), Customer: &Customer{t: t, changed: make(chan struct{}, 1)},
		t: t, done: make(chan struct{}),
	}
	code := make(chan host.Event, 1)
	conf := host.Config{
		Relay: r.Relay, Options: r.options(nil), Source: h.Display, Injector: h.Recorder, Fronts: []host.Front{h.Customer}, Customer: "Ada", Software: "assist test",
		Events: func(e host.Event) {
			if e.Event == "code" || e.Event == "called" {
				select {
				case code <- e:
				default:
				}
			}
		},
	}
	if change != nil {
		change(&conf)
	}
	var err error
	h.Host, err = host.New(conf)
	must(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() {
		defer close(h.done)
		h.err = h.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		h.Stop()
		select {
		case <-h.done:
		case <-time.After(patience):
			t.Error("the host does not end")
		}
	})
	select {
	case e := <-code:
		h.Code, h.URL = e.Code, e.URL
	case <-h.done:
		t.Fatalf("the host ended: %v", h.err)
	case <-time.After(patience):
		t.Fatal("the host has no code")
	}
	return h
}

// Result waits until the host has ended.
func (h *Host) Result() error {
	h.t.Helper()
	select {
	case <-h.done:
		return h.err
	case <-time.After(patience):
		h.t.Fatal("the host goes on")
		return nil
	}
}

// Pin is the host's key as the join URL has it.
func (h *Host) Pin() transport.Pin {
	h.t.Helper()
	i, err := inner.ParseJoin(h.URL)
	must(h.t, err)
	return transport.Pin(i.Pin)
}

// Customer is the person at the machine: a front that a test answers for.
type Customer struct {
	t       testing.TB
	changed chan struct{}

	mu   sync.Mutex
	view host.View
	act  func(host.Act)
}

// Run implements host.Front.
func (c *Customer) Run(ctx context.Context, views <-chan host.View, act func(host.Act)) error {
	c.mu.Lock()
	c.act = act
	c.mu.Unlock()
	defer func() { // what a host showed that is gone is no question of the next one's
		c.mu.Lock()
		c.view = host.View{}
		c.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case v := <-views:
			c.mu.Lock()
			c.view = v
			c.mu.Unlock()
			select {
			case c.changed <- struct{}{}:
			default:
			}
		}
	}
}

// View is what the customer sees now.
func (c *Customer) View() host.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.view
}

// Wait waits until the customer sees what ok wants.
func (c *Customer) Wait(what string, ok func(host.View) bool) host.View {
	c.t.Helper()
	Until(c.t, what, c.changed, func() bool { return ok(c.View()) })
	return c.View()
}

// Asked waits for the question of an agent, or of anybody.
func (c *Customer) Asked(handle string) host.Question {
	c.t.Helper()
	v := c.Wait("question of "+handle, func(v host.View) bool {
		return v.Question != nil && (handle == "" || v.Question.Handle == handle)
	})
	return *v.Question
}

// Answer answers the question that is up, and waits until it is gone.
func (c *Customer) Answer(q host.Question, allow session.Grants) {
	c.t.Helper()
	c.Do(host.Answer{Serial: q.Serial, Allow: allow})
	c.Wait("the question to go", func(v host.View) bool { return v.Question == nil || v.Question.Serial != q.Serial })
}

// Allow says yes to everything that an agent asks for until it may want.
func (c *Customer) Allow(handle string, want session.Grants) {
	c.t.Helper()
	Until(c.t, handle+" to be allowed "+want.String(), c.changed, func() bool {
		v := c.View()
		for _, m := range v.Roster.Members {
			if m.Handle == handle && m.Grants.Has(want) && (v.Question == nil || v.Question.Handle != handle) {
				return true
			}
		}
		if q := v.Question; q != nil && q.Handle == handle {
			c.Do(host.Answer{Serial: q.Serial, Allow: q.Grants})
		}
		return false
	})
}

// Do does something in the front.
func (c *Customer) Do(a host.Act) {
	c.t.Helper()
	c.mu.Lock()
	act := c.act
	c.mu.Unlock()
	if act == nil {
		c.t.Fatal("the front is not up")
	}
	act(a)
}
