package inner

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/session"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

func TestRosterSurvivesTheWay(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	r := session.Roster{
		Version: 9, Lead: 2, Controlling: 3, Holder: 4, Mode: session.Baton, Paused: true, WhyPaused: "a question is up",
		Members: []session.Member{
			{ID: 1, Name: "Ada", Role: session.Customer, Presence: session.Here, Since: at, Grants: session.AllGrants},
			{
				ID: 2, Name: "Max", Handle: "max@acme", Org: "Acme", Trust: session.VerifiedOrg, Role: session.Lead, Presence: session.Reconnecting,
				Since: at, Grants: session.View, Asked: session.Control, Consoles: 2, WordsChecked: true,
			},
		},
	}
	b := must(proto.Marshal(NewRoster(r)))
	var m Roster
	if err := proto.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, must(ParseRoster(&m))); d != "" {
		t.Error(d)
	}
}

func TestRosterClaimsNoMoreThanIsUnderstood(t *testing.T) {
	m := &Member{Id: 1, Name: "a\x1b]0;x\a", Trust: 9, Role: 1, State: 2, Grants: 0xffffffff}
	r := must(ParseRoster(&Roster{Members: []*Member{m}}))
	got := r.Members[0]
	if got.Trust != session.UnknownOrg || got.Grants != session.AllGrants || strings.ContainsAny(got.Name, "\x1b\a") {
		t.Errorf("%+v", got)
	}
}

func TestRosterRefuses(t *testing.T) {
	ok := func() *Member { return &Member{Id: 1, Role: 1, State: 2} }
	for what, m := range map[string]*Roster{
		"nothing":          nil,
		"unknown role":     {Members: []*Member{{Id: 1, Role: 4, State: 2}}},
		"no role":          {Members: []*Member{{Id: 1, State: 2}}},
		"unknown presence": {Members: []*Member{{Id: 1, Role: 1, State: 99}}},
		"role wraps":       {Members: []*Member{{Id: 1, Role: 257, State: 2}}},
		"no id":            {Members: []*Member{{Role: 1, State: 2}}},
		"twice":            {Members: []*Member{ok(), ok()}},
		"unknown mode":     {Mode: 3},
		"too many":         {Members: make([]*Member, MaxMembers+1)},
	} {
		if _, err := ParseRoster(m); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestEntrySurvivesTheWay(t *testing.T) {
	e := chat.Entry{Seq: 4, Time: time.UnixMilli(5).UTC(), From: 2, Name: "Max", Lane: chat.AgentsOnly, Kind: chat.Said, Text: "one\ntwo", About: 3}
	if d := cmp.Diff(e, must(ParseEntry(NewEntry(e)))); d != "" {
		t.Error(d)
	}
}

func TestEntriesAreCleanedByKind(t *testing.T) {
	text := "a\x1b[2J\nb"
	said := must(ParseEntry(&Entry{Seq: 1, Lane: 1, Kind: uint32(chat.Said), Text: text}))
	note := must(ParseEntry(&Entry{Seq: 1, Lane: 1, Kind: uint32(chat.Note), Text: text}))
	if strings.Contains(said.Text, "\x1b") || !strings.Contains(said.Text, "\n") {
		t.Errorf("said: %q", said.Text)
	}
	if strings.ContainsAny(note.Text, "\x1b\n") {
		t.Errorf("a line of the session's own may not have two: %q", note.Text)
	}
}

func TestLogRefuses(t *testing.T) {
	ok := &Entry{Seq: 1, Lane: 1, Kind: 1}
	for what, log := range map[string][]*Entry{
		"unknown kind": {{Seq: 1, Lane: 1, Kind: 200}},
		"kind wraps":   {{Seq: 1, Lane: 1, Kind: 257}},
		"no lane":      {{Seq: 1, Kind: 1}},
		"unknown lane": {{Seq: 1, Lane: 258, Kind: 1}},
		"no number":    {{Lane: 1, Kind: 1}},
		"twice":        {ok, ok},
		"too many":     make([]*Entry, MaxLog+1),
	} {
		if _, err := ParseLog(log); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestNonce(t *testing.T) {
	if n, err := ParseNonce([]byte("0123456789abcdef")); err != nil || string(n[:]) != "0123456789abcdef" {
		t.Error(n, err)
	}
	if n, err := ParseNonce(nil); err != nil || n != (chat.Nonce{}) {
		t.Error(n, err)
	}
	if _, err := ParseNonce([]byte("short")); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func FuzzParseWelcome(f *testing.F) {
	f.Add(must(proto.Marshal(&Welcome{Member: 2, Roster: &Roster{Members: []*Member{{Id: 1, Role: 1, State: 2, Name: "\x1b"}}}, Log: []*Entry{{Seq: 1, Lane: 1, Kind: 1, Text: "\u0085"}}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Welcome
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		clean := func(s string) {
			for _, r := range s {
				if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 {
					t.Fatalf("%q came through", s)
				}
			}
		}
		if r, err := ParseRoster(m.Roster); err == nil {
			clean(r.WhyPaused)
			for _, x := range r.Members {
				clean(x.Name + x.Handle + x.Org)
			}
		}
		if log, err := ParseLog(m.Log); err == nil {
			for _, e := range log {
				clean(e.Name + e.Text)
			}
		}
	})
}
