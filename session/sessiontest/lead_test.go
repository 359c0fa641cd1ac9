package sessiontest

import (
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
)

// three is a lead and another agent who both control.
func three(t *testing.T, r *Relay) (*Host, *Console, *Console) {
	t.Helper()
	h, lead := pair(t, r, everything)
	other := Run(t, agent.Join(r.Config(r.NewAgent("eve@bolt"), h.Code)))
	h.allowOnly("eve@bolt", everything)
	other.granted(everything)
	return h, lead, other
}

// granted waits until a console may do exactly that.
func (c *Console) granted(want session.Grants) console.State {
	c.t.Helper()
	return c.Wait("grants "+want.String(), func(st console.State) bool {
		m, _ := st.Roster.Member(st.Self)
		return st.Phase == console.In && m.Grants == want && m.Asked == 0 && !st.Roster.Paused
	})
}

func TestHandOverIsOfferedDeclinedAndAccepted(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		_, lead, other := three(t, r)
		offered := func(st console.State) bool { return st.Offer != nil }
		lead.Do(console.HandOver{To: other.State().Self, Note: "disk full"})
		st := other.Wait("the offer", offered)
		if st.Offer.Note != "disk full" || st.Offer.From != lead.State().Self || lead.State().Offer != nil {
			t.Errorf("%+v", st.Offer)
		}
		other.Do(console.AnswerHandOver{})
		lead.Wait("the no", func(st console.State) bool {
			for _, e := range lead.Log(0) {
				if e.Kind == chat.Declined && e.From == uint32(other.State().Self) {
					return st.Roster.Lead == st.Self
				}
			}
			return false
		})
		lead.Do(console.HandOver{To: other.State().Self})
		other.Wait("another offer", offered)
		other.Do(console.AnswerHandOver{Accept: true})
		st = other.Wait("the lead", func(st console.State) bool { return st.Roster.Lead == st.Self })
		if st.Offer != nil {
			t.Errorf("the offer is still there: %+v", st.Offer)
		}
		other.Do(console.AnswerHandOver{Accept: true})
		st = other.Wait("a refusal", func(st console.State) bool { return st.Outcome.Serial > 0 })
		if st.Outcome.Text != session.ErrNoOffer.Error() {
			t.Errorf("outcome %+v", st.Outcome)
		}
	})
}

func TestOfferThatNobodyAnswersGoes(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		_, lead, other := three(t, r)
		lead.Do(console.HandOver{To: other.State().Self})
		other.Wait("the offer", func(st console.State) bool { return st.Offer != nil })
		time.Sleep(session.OfferTime)
		other.Wait("the offer to go", func(st console.State) bool { return st.Offer == nil && st.Roster.Lead != st.Self })
	})
}

func TestLeadSetsAMemberToViewOnly(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, lead, other := three(t, r)
		control(t, other)
		other.Input(screen.Input{Kind: screen.KeyPress, Key: 'a'})
		h.Recorder.Wait(t, "the key to go down", func([]screen.Input) bool { return h.Recorder.Down('a') })

		lead.Do(console.SetMember{Member: other.State().Self, Ceiling: session.View | session.Chat})
		h.Recorder.Wait(t, "the key to go up", func([]screen.Input) bool { return !h.Recorder.Down('a') })
		other.granted(session.View | session.Chat)
		if other.Input(screen.Input{Kind: screen.KeyTap, Key: 'x'}) {
			t.Error("the console took input that it may not send")
		}
		other.Do(console.TakeControl{})
		if st := other.Wait("a refusal", func(st console.State) bool { return st.Outcome.Serial > 0 }); st.Outcome.Text != session.ErrCeiling.Error() {
			t.Errorf("outcome %+v", st.Outcome)
		}
		other.Do(console.SetMember{Member: lead.State().Self, Ceiling: session.View})
		other.Wait("another refusal", func(st console.State) bool { return st.Outcome.Text == session.ErrLeadOnly.Error() })

		lead.Do(console.SetMember{Member: other.State().Self, Ceiling: session.AllGrants})
		other.granted(everything)
	})
}

func TestHostRefusesInputAboveTheLeadsCeiling(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, lead := pair(t, r, everything)
		rogue := r.rogue(t, r.NewAgent("eve@bolt"), h)
		h.allowOnly("eve@bolt", everything)
		rogue.welcome(t)
		st := lead.Wait("eve", func(st console.State) bool { return len(st.Roster.Members) == 3 })
		lead.Do(console.SetMember{Member: st.Roster.Members[2].ID, Ceiling: session.View})
		lead.Wait("the ceiling", func(st console.State) bool { return st.Roster.Members[2].Grants == session.View })
		rogue.input(t, screen.Input{Seq: 1, Kind: screen.KeyTap, Key: 'x'})
		rogue.echo(t)
		if got := h.Recorder.Played(); len(keys(got)) != 0 {
			t.Errorf("played %v", got)
		}
	})
}

func TestLeadChoosesHowControlIsShared(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		_, lead, other := three(t, r)
		lead.Do(console.SetMode{Mode: session.Baton})
		other.Wait("the mode", func(st console.State) bool { return st.Roster.Mode == session.Baton })
		other.Do(console.TakeControl{})
		other.Wait("a refusal", func(st console.State) bool { return st.Outcome.Text == session.ErrHeld.Error() })
		other.Do(console.SetMode{Mode: session.Free})
		other.Wait("another refusal", func(st console.State) bool { return st.Outcome.Text == session.ErrLeadOnly.Error() })
	})
}
