package host

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/inner"
	"assist/session/inner/badge"
	"assist/transport/wire"
)

func TestFromTheDoorToThePicture(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		g := s.arrive("ann", nil)
		w := g.welcome()
		if w == nil || w.Member != 2 || w.Code != "12345678" {
			t.Fatalf("welcome: %v, refused: %v", w, g.refused())
		}
		roster, err := inner.ParseRoster(w.Roster)
		if err != nil || roster.Lead != 2 || len(roster.Members) != 2 || roster.Members[1].Org != "Acme Ltd" || roster.Members[1].Trust != session.RelayOnly {
			t.Fatalf("%+v %v", roster, err)
		}
		if v := s.seen(); len(v.Roster.Members) != 2 || !v.Roster.Members[1].Grants.Has(session.View|session.Control|session.File) || len(g.words) != 3 || !slices.Equal(v.Words[2], g.words) {
			t.Fatalf("the customer sees %+v, the agent the words %v", v, g.words)
		}
		s.display.paint(0x80)
		g.watch(1)
		if shade, n := g.newest(); shade < 0x7c || n != 1 {
			t.Fatalf("shade %#x after %d pictures", shade, n)
		}
		g.do(screen.Input{Kind: screen.TypeText, Text: "grüße"}, screen.Input{Kind: screen.KeyPress, Key: 'x'})
		if got := s.display.kinds(); !slices.Equal(got, []screen.InputKind{screen.TypeText, screen.KeyPress}) {
			t.Fatalf("played %v", got)
		}
		if r := s.seen().Roster; r.Controlling != 2 {
			t.Fatalf("who controls: %d", r.Controlling)
		}
		for _, e := range []string{"code", "consent_asked", "consent_answered", "member_joined"} {
			if !s.told(e) {
				t.Errorf("no event %s: %+v", e, s.events)
			}
		}
	})
}

func TestBadgesThatAreNotGoodEnough(t *testing.T) {
	for name, spoil := range map[string]func(*badge.Claims){
		"session": func(c *badge.Claims) { c.Session[0]++ },
		"host":    func(c *badge.Claims) { c.Host[0]++ },
		"device":  func(c *badge.Claims) { c.Device[0]++ },
		"expired": func(c *badge.Claims) {
			c.Issued, c.Expires = c.Issued.Add(-time.Hour), c.Issued.Add(-time.Hour+badge.Life)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, nil, func(s *stage) {
				g := s.arrive("ann", spoil)
				if r := g.refused(); r.GetCode() != inner.RefusedBadge || g.welcome() != nil {
					t.Fatalf("refused: %v", r)
				}
				time.Sleep(time.Second)
				if g.link.Err() == nil || s.told("consent_asked") {
					t.Fatal("the link stays, or the customer was asked")
				}
			})
		})
	}
	t.Run("used twice", func(t *testing.T) {
		onStage(t, nil, func(s *stage) {
			same := func(c *badge.Claims) { c.ID = "same" }
			if s.arrive("ann", same).welcome() == nil {
				t.Fatal("first time")
			}
			if r := s.arrive("ann", same).refused(); r.GetCode() != inner.RefusedBadge {
				t.Fatalf("second time: %v", r)
			}
		})
	})
}

func byHand(c *Config) { c.Answer = nil }

func TestTheCustomerIsAsked(t *testing.T) {
	onStage(t, byHand, func(s *stage) {
		g := s.arrive("ann", nil)
		q := s.seen().Question
		if q == nil || !q.Join || q.Grants != session.View|session.Chat || q.Name != "ann" || q.Org != "Acme Ltd" || !slices.Equal(q.Words, g.words) {
			t.Fatalf("%+v", q)
		}
		g.watch(1)
		if _, n := g.newest(); n != 0 || len(g.told) != 0 {
			t.Fatalf("%d pictures and %v before the yes", n, g.told)
		}
		s.acts <- Answer{Serial: q.Serial, Allow: q.Grants}
		if g.welcome() == nil {
			t.Fatal("not in")
		}
		if _, n := g.newest(); n != 1 || len(g.told) == 0 {
			t.Fatalf("%d pictures and %v after the yes", n, g.told)
		}
		g.do(screen.Input{Kind: screen.KeyTap, Key: 'x'})
		if q = s.seen().Question; q == nil || q.Grants != session.Control || len(s.display.kinds()) != 0 {
			t.Fatalf("%+v, played %v", q, s.display.kinds())
		}
		s.acts <- Answer{Serial: q.Serial, Allow: q.Grants}
		g.do(screen.Input{Kind: screen.KeyTap, Key: 'y'})
		if len(s.display.kinds()) != 0 {
			t.Fatal("played while the next question is up")
		}
		time.Sleep(session.AnswerTime * 5)
		g.do(screen.Input{Kind: screen.KeyTap, Key: 'z'})
		if len(s.display.kinds()) != 1 {
			t.Fatalf("played %v after the last question", s.display.kinds())
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	onStage(t, byHand, func(s *stage) {
		g := s.arrive("ann", nil)
		time.Sleep(session.AnswerTime + time.Second)
		if r := g.refused(); r.GetCode() != inner.RefusedNoAnswer || g.link.Err() == nil {
			t.Fatalf("%v", r)
		}
	})
}

func TestSilentConsoleLosesItsKeys(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		g := s.arrive("ann", nil)
		time.Sleep(3 * time.Second)
		g.do(screen.Input{Kind: screen.KeyPress, Key: screen.KeyControl}, screen.Input{Kind: screen.ButtonPress, Button: 1})
		g.pings.Store(false)
		time.Sleep(silence + time.Second)
		if got := s.display.kinds(); len(got) != 4 || !slices.Contains(got, screen.KeyRelease) || !slices.Contains(got, screen.ButtonRelease) {
			t.Fatalf("played %v", got)
		}
		if m := s.seen().Roster.Members[1]; m.Presence != session.Reconnecting || g.link.Err() == nil {
			t.Fatalf("%+v", m)
		}
		again := s.arrive("ann", nil)
		if w := again.welcome(); w == nil || w.Member != 2 || s.seen().Roster.Members[1].Presence != session.Here {
			t.Fatalf("back: %v", w)
		}
	})
}

func TestInputIsCheckedEventByEvent(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		ann, bob := s.arrive("ann", nil), s.arrive("bob", nil)
		ann.do(screen.Input{Kind: screen.KeyPress, Key: 'a'})
		bob.do(screen.Input{Kind: screen.KeyPress, Key: 'b'}, screen.Input{Kind: screen.KeyPress, Key: 'a'})
		if out := ann.say(&inner.ToHost{Kind: &inner.ToHost_SetMember{SetMember: &inner.SetMember{Member: 3, Ceiling: uint32(session.View)}}}); out.Code != outcomeDone {
			t.Fatal(out)
		}
		bob.do(screen.Input{Kind: screen.KeyTap, Key: 'c'})
		if got := s.display.kinds(); !slices.Equal(got, []screen.InputKind{screen.KeyPress, screen.KeyPress, screen.KeyPress, screen.KeyRelease}) {
			t.Fatalf("played %v: 'a' is still held by ann", got)
		}
		if last := s.display.played[3]; last.Key != 'b' {
			t.Fatalf("released %c", last.Key)
		}
		ann.send(1, screen.Input{Kind: screen.KeyTap, Key: 'd', Seq: 1}) // a number that was there before
		if len(s.display.kinds()) != 4 {
			t.Fatal("a number was played twice")
		}
		s.acts <- Revoke{Grants: session.Control}
		s.seen()
		ann.do(screen.Input{Kind: screen.KeyTap, Key: 'e'})
		if got := s.display.kinds(); len(got) != 5 || got[4] != screen.KeyRelease {
			t.Fatalf("after the customer took control back: %v", got)
		}
	})
}

// What a lossy path makes of three datagrams: doubled, overtaken, one of them lost at first.
func TestInputIsTakenOnceAndInOrder(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		g := s.arrive("ann", nil)
		tap := func(seq uint64) screen.Input {
			return screen.Input{Seq: seq, Kind: screen.KeyTap, Key: screen.Key('a' + seq)}
		}
		g.send(41, tap(41)) // numbers go on from the link before
		g.send(42, tap(44)) // overtakes
		if taken := <-g.link.taken; taken != 41 {
			t.Errorf("taken up to %d with a gap", taken)
		}
		g.send(42, tap(42), tap(43), tap(44))
		g.send(42, tap(42))
		g.send(41, tap(41), tap(42), tap(43))
		if taken := <-g.link.taken; taken != 44 {
			t.Errorf("taken up to %d", taken)
		}
		var got []uint64
		for _, ev := range s.display.played {
			got = append(got, ev.Seq)
		}
		if !slices.Equal(got, []uint64{41, 42, 43, 44}) {
			t.Errorf("played %d", got)
		}
	})
}

// A console that sends faster than may be played keeps what does not fit, and loses nothing.
func TestInputThatIsTooFastWaits(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		g := s.arrive("ann", nil)
		const all = 3000
		for next := uint64(1); next <= all; {
			var evs []screen.Input
			for seq := next; seq < next+50 && seq <= all; seq++ {
				evs = append(evs, screen.Input{Seq: seq, Kind: screen.KeyTap, Key: 'x'})
			}
			g.send(next, evs...)
			taken := <-g.link.taken
			if taken+1 == next {
				time.Sleep(20 * time.Millisecond)
			}
			next = taken + 1
		}
		if waiting := all - len(s.display.kinds()); waiting > inputSize+1 {
			t.Errorf("%d wait", waiting)
		}
		time.Sleep(2 * time.Second)
		if n := len(s.display.kinds()); n != all {
			t.Errorf("%d of %d played", n, all)
		}
	})
}

func TestStopIsAtOnceAndWaitsForNobody(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		g := s.arrive("ann", nil)
		g.do(screen.Input{Kind: screen.KeyPress, Key: 'a'})
		began := time.Now()
		s.acts <- Stop{}
		err := <-s.ended
		s.ended <- err
		if took := time.Since(began); took > 250*time.Millisecond {
			t.Fatalf("took %v", took)
		}
		if s.display.release != 1 || g.link.Err() == nil || !s.told("ended") {
			t.Fatalf("released %d times, link %v", s.display.release, g.link.Err())
		}
		var ended *EndedError
		if !errors.As(err, &ended) || !s.h.Stopped() || !strings.Contains(ended.Why, "stopped") {
			t.Fatalf("%v", err)
		}
	})
}

func TestStopDoesNotWaitForTheDisplay(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		g := s.arrive("ann", nil)
		stuck := make(chan struct{})
		s.display.mu.Lock()
		s.display.stuck = stuck
		s.display.mu.Unlock()
		g.do(screen.Input{Kind: screen.KeyTap, Key: 'a'}) // never comes back
		began := time.Now()
		s.acts <- Stop{}
		<-g.link.done
		if took := time.Since(began); took > 250*time.Millisecond {
			t.Fatalf("the link was closed after %v", took)
		}
		close(stuck)
		g.do(screen.Input{Kind: screen.KeyTap, Key: 'b'})
		if got := s.display.kinds(); len(got) > 1 {
			t.Fatalf("played %v after the stop", got)
		}
	})
}

func TestChatIsOneOrderAndIsSaidOnce(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		ann, bob := s.arrive("ann", nil), s.arrive("bob", nil)
		nonce := make([]byte, 16)
		nonce[3] = 1
		speak := func(g *guest, lane chat.Lane, text string, nonce []byte) *inner.Outcome {
			return g.say(&inner.ToHost{Kind: &inner.ToHost_Say{Say: &inner.Say{Lane: uint32(lane), Text: text, Nonce: nonce}}})
		}
		first := speak(ann, chat.Everyone, "hello \x1b[31m", nonce)
		speak(bob, chat.AgentsOnly, "between us", nil)
		again := speak(ann, chat.Everyone, "hello \x1b[31m", nonce)
		if first.Seq == 0 || first.Seq != again.Seq {
			t.Fatalf("%v %v", first, again)
		}
		s.acts <- Say{Text: "thank you"}
		want := []string{"hello ␛[31m", "between us", "thank you"}
		late := s.arrive("cid", nil)
		for _, g := range []*guest{ann, bob, late} {
			if got := g.entries(); !slices.Equal(got, want) {
				t.Errorf("an agent reads %q", got)
			}
		}
		for _, e := range s.seen().Log {
			if e.Text == "between us" {
				t.Error("the customer reads what is between agents")
			}
		}
		if out := speak(ann, 9, "nowhere", nil); out.Code == outcomeDone {
			t.Error("a lane that does not exist")
		}
		slow := false
		for range 40 {
			slow = speak(ann, chat.Everyone, "x", nil).Code == outcomeSlow || slow
		}
		if !slow {
			t.Error("a flood passes")
		}
	})
}

func TestFrozenViewerDelaysNobody(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		ann, bob := s.arrive("ann", nil), s.arrive("bob", nil)
		ann.watch(1)
		bob.watch(1)
		time.Sleep(2 * settleTime)
		synctestPaint(s, 20)
		if n := s.groups(); n != 1 {
			t.Fatalf("%d encoders for two viewers of one viewport", n)
		}
		if a, n := ann.newest(); a < 20*4-8 || n < 10 {
			t.Fatalf("ann: shade %d after %d", a, n)
		}
		_, before := ann.newest()
		thaw := make(chan struct{})
		bob.mu.Lock()
		bob.frozen = thaw
		bob.mu.Unlock()
		synctestPaint(s, 45)
		_, after := ann.newest()
		if after-before < 35 {
			t.Fatalf("ann got %d of 45 pictures while bob was frozen", after-before)
		}
		if n := s.groups(); n != 2 {
			t.Fatalf("%d encoders while one of two viewers is frozen", n)
		}
		var worst time.Duration
		for i := before + 1; i < after; i++ {
			worst = max(worst, ann.at[i].Sub(ann.at[i-1]))
		}
		if worst > 400*time.Millisecond {
			t.Fatalf("ann waited %v", worst)
		}
		close(thaw)
		synctestPaint(s, 10)
		if b, _ := bob.newest(); b < 10*4-8 {
			t.Fatalf("bob, thawed, sees %d", b)
		}
		time.Sleep(mergeAfter + 2*settleTime)
		synctestPaint(s, 5)
		b, _ := bob.newest()
		if a, _ := ann.newest(); a != b || s.groups() != 1 {
			t.Fatalf("ann sees %d, bob %d, %d encoders", a, b, s.groups())
		}
	})
}

// synctestPaint changes the display n times, as often as pictures are made.
func synctestPaint(s *stage, n int) {
	for i := range n {
		s.display.paint(byte(i+1) * 4)
		time.Sleep(pace)
	}
}

func TestLeadLeavesAndEnds(t *testing.T) {
	leave := func(how session.LeaveHow) *inner.ToHost {
		return &inner.ToHost{Kind: &inner.ToHost_Leave{Leave: &inner.Leave{How: uint32(how)}}}
	}
	onStage(t, nil, func(s *stage) {
		ann, bob := s.arrive("ann", nil), s.arrive("bob", nil)
		if out := bob.say(leave(session.EndForAll)); out.Code == outcomeDone {
			t.Fatal("ended by one who is not the lead")
		}
		if out := ann.say(leave(session.LeaveOnly)); out.Code != outcomeDone {
			t.Fatal(out)
		}
		time.Sleep(time.Second)
		if r := s.seen().Roster; r.Lead != 3 || ann.link.Err() == nil {
			t.Fatalf("%+v", r)
		}
		if err := wire.WriteMsg(bob.control, leave(session.EndForAll)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		err := <-s.ended
		s.ended <- err
		var ended *EndedError
		e, ok := find(bob, (*inner.ToConsole).GetEnded, func(e *inner.Ended) bool { return e != nil })
		if !errors.As(err, &ended) || !ok || e.Why != "ended by bob" {
			t.Fatalf("%v, bob hears %v", err, e)
		}
	})
}
