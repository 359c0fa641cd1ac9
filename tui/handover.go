package tui

import (
	"fmt"
	"strings"

	"assist/chat"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/chatbox"
	"assist/tui/dialog"
	"assist/tui/theme"
	"assist/tui/waiting"

	tea "charm.land/bubbletea/v2"
)

// The answers about the lead.
type (
	handOverAnswer struct{ leaving bool }  // choose to whom
	offerAnswer    struct{ accept bool }   // to an offer
	stayAnswer     struct{}                // do not leave when the offer is taken
	goAnswer       struct{}                // leave without waiting for the answer
	withdrawn      struct{ dialog.Dialog } // marks the page of an offer, so that it is closed with it
)

// lastEvents is how many entries of the log the page of a hand-over tells.
const lastEvents = 8

// Paste hands pasted text on.
func (w withdrawn) Paste(string) {}

// heirs are the agents to whom the lead can be handed over.
func (m *model) heirs() []session.Member {
	var out []session.Member
	for _, a := range m.state.Roster.Members {
		if a.Role == session.Agent && a.Presence == session.Here && a.ID != m.state.Self {
			out = append(out, a)
		}
	}
	return out
}

// chooseHeir asks to whom the lead goes, with first picked.
func (m *model) chooseHeir(first session.MemberID, leaving bool) {
	if heirs := m.heirs(); len(heirs) > 0 {
		m.dialog = dialog.NewHandOver(heirs, first, leaving)
	}
}

// offerLead offers it. A lead who wants to leave waits for the answer, because the offer would go with them.
func (m *model) offerLead(a dialog.HandOverTo) {
	m.session.Do(HandOver{To: a.To, Note: a.Note})
	who, _ := m.state.Roster.Member(a.To)
	m.say(cell.Clean(who.Name) + " is asked to take the lead")
	if a.Leaving {
		m.handing = a.To
		m.dialog = &dialog.Menu{
			Title: "Handing over", Lead: who.Name + " is asked to take the lead. You leave as soon as they say yes.",
			Choices: []dialog.Choice{
				{Text: "Stay after all", Press: "s", Answer: stayAnswer{}},
				{Text: "Leave now, the longest present leads", Press: "l", Answer: goAnswer{}},
			},
		}
	}
}

// handedOver leaves once the offer is taken.
func (m *model) handedOver() tea.Cmd {
	if m.handing == session.Nobody || m.leaving || m.state.Roster.Lead != m.handing {
		return nil
	}
	m.dialog = nil
	return m.leave(leaveAnswer{how: session.LeaveOnly})
}

// declined brings the question how to leave back, when the one who was asked does not take the lead.
func (m *model) declined(e chat.Entry) {
	if e.Kind != chat.Declined || m.handing == session.Nobody || m.leaving {
		return
	}
	m.handing = session.Nobody
	m.askLeave()
	m.dialog = dialog.WithGrace(m.dialog, m.now)
}

// watchOffer opens the page of an offer when no other dialog is open, and closes it when the offer is gone.
func (m *model) watchOffer() {
	o := m.state.Offer
	_, open := m.dialog.(withdrawn)
	switch {
	case open && (o == nil || *o != m.offered):
		m.dialog = nil
		m.say("the lead is no longer offered")
	case !open && o != nil && *o != m.offered && m.dialog == nil && m.state.Phase == In:
		m.offered = *o
		m.control.Stop() // the dialog has the keys now; nothing stays pressed over there
		m.dialog = withdrawn{dialog.WithGrace(m.handOverPage(*o), m.now)}
	}
	if o == nil {
		m.offered = Offer{}
	}
}

// handOverPage is all that the one who is to lead should know, on one page.
func (m *model) handOverPage(o Offer) *dialog.Page {
	from := m.nameOf(uint32(o.From))
	customer := cell.Clean(m.state.Customer)
	if m.state.HostName != "" {
		customer += " at " + cell.Clean(m.state.HostName)
	}
	if m.state.HostOS != "" {
		customer += " (" + cell.Clean(m.state.HostOS) + ")"
	}
	p := &dialog.Page{Title: "Hand-over", Parts: []dialog.Part{
		{Head: cell.Clean(from) + " offers you the lead of this session", Lines: []string{"You would answer for it, and could end it for everyone."}},
		{Head: "Customer", Lines: []string{customer, m.sinceWhen()}},
	}, Choices: []dialog.Choice{
		{Press: "a", Text: "accept the lead", Answer: offerAnswer{true}},
		{Press: "d", Text: "decline", Answer: offerAnswer{false}},
	}}
	if o.Note != "" {
		p.Parts = append(p.Parts, dialog.Part{Head: "Note from " + cell.Clean(from), Lines: []string{o.Note}, Typed: true})
	}
	people, asks := m.peopleNow()
	p.Parts = append(p.Parts, dialog.Part{Head: "In the session", Lines: people})
	if len(asks) > 0 {
		p.Parts = append(p.Parts, dialog.Part{Head: "Open questions", Lines: asks})
	}
	if last := m.lately(); len(last) > 0 {
		p.Parts = append(p.Parts, dialog.Part{Head: "Lately", Lines: last})
	}
	return p
}

func (m *model) sinceWhen() string {
	if m.state.Started.IsZero() {
		return ""
	}
	return "since " + m.state.Started.Local().Format("15:04") + ", for " + waiting.Lasted(max(0, m.now().Sub(m.state.Started)))
}

// peopleNow tells who is here, and what waits for the customer's answer.
func (m *model) peopleNow() (people, asks []string) {
	for _, a := range m.state.Roster.Members {
		if a.Presence == session.Gone {
			continue
		}
		line := theme.Mark(uint32(a.ID)) + " " + cell.Clean(a.Name)
		if a.Org != "" {
			line += ", " + cell.Clean(a.Org) + " (" + a.Trust.String() + ")"
		}
		if a.Presence == session.Reconnecting {
			line += ", reconnecting"
		}
		people = append(people, line)
		switch {
		case a.Presence == session.Knocking:
			asks = append(asks, cell.Clean(a.Name)+" waits to be let in")
		case a.Asked != 0:
			asks = append(asks, cell.Clean(a.Name)+" asks for "+strings.Join(a.Asked.Names(), ", "))
		}
	}
	return people, asks
}

// lately is what the log told last, a line an entry.
func (m *model) lately() []string {
	after := chat.Seq(0)
	if m.newest > lastEvents {
		after = m.newest - lastEvents
	}
	var out []string
	for _, e := range m.session.Log(after) {
		text := chatbox.Sentence(e, m.nameOf)
		if e.Kind == chat.Said {
			lane := ""
			if e.Lane == chat.AgentsOnly {
				lane = " to agents only"
			}
			text = fmt.Sprintf("%s wrote%s: “%s”", cell.Clean(e.Name), lane, cell.Clean(e.Text))
		}
		out = append(out, e.Time.Local().Format("15:04")+" "+text)
	}
	return out
}
