package main

import (
	"strings"
	"testing"
	"time"

	"assist/session"
	"assist/session/host"
)

// TestPeopleAtTerminalsAreTold: who comes, who is there, who went, each once.
func TestPeopleAtTerminalsAreTold(t *testing.T) {
	told := map[string]bool{}
	eve := session.Member{ID: 2, Name: "eve\x1b[2J", Handle: "eve@acme", Trust: session.VerifiedOrg, Grants: session.View, Consoles: 1}
	ask := &host.Question{Serial: 3, Name: "eve", Handle: "eve@acme", Grants: session.View | session.Control, Silence: session.View, Deadline: time.Now().Add(time.Minute)}
	for i, c := range []struct {
		view host.View
		says string // empty: nothing
	}{
		{host.View{Question: ask}, "comes in 60 s to: view,control. To refuse: assist host refuse"},
		{host.View{Question: ask}, ""},
		{host.View{Roster: session.Roster{Members: []session.Member{{ID: 1, Consoles: 1}, eve}}}, "is on this machine and may: view"},
		{host.View{Roster: session.Roster{Members: []session.Member{{ID: 1, Consoles: 1}, eve}}}, ""},
		{host.View{Roster: session.Roster{Members: []session.Member{{ID: 1, Consoles: 1}}}}, "eve@acme is no longer on this machine"},
		{host.View{Question: &host.Question{Serial: 4, Handle: "max@acme"}}, ""}, // not one that silence answers with yes
	} {
		got := strings.Join(wallLines(c.view, told), "|")
		if (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%d: %q", i, got)
		}
	}
}
