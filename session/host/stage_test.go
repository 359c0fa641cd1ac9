package host

import (
	"context"
	"crypto/ed25519"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"assist/session"
	"assist/session/inner/badge"
	"assist/transport"
)

// stage is a host on virtual time with consoles around it.
type stage struct {
	t       *testing.T
	h       *Host
	display *fakeDisplay
	door    fakeDoor
	broker  ed25519.PrivateKey
	at      place
	cancel  context.CancelFunc
	ended   chan error
	acts    chan Act
	mu      sync.Mutex
	view    View
	events  []Event
	badges  int
}

// Run makes the stage a front.
func (s *stage) Run(ctx context.Context, views <-chan View, act func(Act)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case v := <-views:
			s.mu.Lock()
			s.view = v
			s.mu.Unlock()
		case a := <-s.acts:
			act(a)
		}
	}
}

func (s *stage) seen() View {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

func (s *stage) told(event string) bool {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.events, func(e Event) bool { return e.Event == event })
}

// onStage runs a test on virtual time.
func onStage(t *testing.T, change func(*Config), play func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		pub, key, _ := ed25519.GenerateKey(nil)
		s := &stage{t: t, display: newFakeDisplay(), door: make(fakeDoor), broker: key, ended: make(chan error, 1), acts: make(chan Act)}
		cfg := Config{Source: s.display, Injector: s.display, Customer: "Sam", Answer: &AutoAnswer{Allow: session.AllGrants}, Fronts: []Front{s}}
		cfg.Events = func(e Event) { s.mu.Lock(); s.events = append(s.events, e); s.mu.Unlock() }
		if change != nil {
			change(&cfg)
		}
		var err error
		if s.h, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		s.at = place{code: "12345678", url: "https://relay/j/12345678", session: [16]byte{1}, key: pub}
		ctx, cancel := context.WithCancel(t.Context())
		s.cancel = cancel
		s.h.loop = newLoop(s.h, s.at)
		go func() { s.ended <- s.h.serve(ctx, s.door) }()
		play(s)
		cancel()
		select {
		case err := <-s.ended:
			s.ended <- err
		case <-time.After(5 * time.Second):
			t.Fatal("the host does not end")
		}
	})
}

// badge makes one for a device; change may spoil it.
func (s *stage) badge(agent string, device transport.Fingerprint, change func(*badge.Claims)) string {
	s.badges++
	c := badge.Claims{
		ID: time.Now().String() + agent + string(rune('a'+s.badges)), Session: s.at.session, Host: s.h.id.Fingerprint, Device: device, Agent: agent,
		Name: agent, Handle: agent + "@acme", Org: "acme", OrgTitle: "Acme Ltd", Ceiling: session.Lead, Issued: time.Now(), Expires: time.Now().Add(badge.Life),
	}
	if change != nil {
		change(&c)
	}
	text, err := badge.Sign(s.broker, c)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// groups is how many encoders there are.
func (s *stage) groups() int {
	n := make(chan int)
	s.h.studio.post(func(o *studio) { n <- len(o.groups) })
	return <-n
}
