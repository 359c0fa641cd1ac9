package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestInvitesComeBackUntilTheSessionEnds(t *testing.T) {
	s := open(t, t.TempDir())
	_, a := people(t, s)
	ctx := t.Context()
	id := [16]byte{1}
	must(t, s.AddSession(ctx, Session{ID: id, Code: [32]byte{1}, Minted: noon}))
	want := []Invite{
		{Code: [32]byte{2}, Session: id, Sealed: []byte("sealed"), By: "eve@acme", For: "bolt", ViewOnly: true, Made: noon, Expires: noon.Add(time.Hour)},
		{Code: [32]byte{3}, Session: id, Sealed: []byte("other"), By: "eve@acme", Made: noon.Add(time.Second), Expires: noon.Add(time.Hour)},
	}
	for _, i := range want {
		must(t, s.AddInvite(ctx, i))
	}
	for code, why := range map[byte]error{1: ErrExists, 2: ErrExists} {
		if err := s.AddInvite(ctx, Invite{Code: [32]byte{code}, Session: id, Sealed: []byte{1}, Made: noon}); !errors.Is(err, why) {
			t.Errorf("code %d: %v", code, err)
		}
	}
	want[1].Revoked = noon.Add(time.Minute)
	must(t, s.RevokeInvite(ctx, want[1].Code, want[1].Revoked))
	got, err := s.Invites(ctx, nil)
	must(t, err)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	must(t, s.Joined(ctx, id, a.ID, true, noon))
	sessions, err := s.OpenSessions(ctx, "")
	must(t, err)
	if len(sessions) != 1 || len(sessions[0].Viewers) != 1 || sessions[0].Viewers[0] != a.ID {
		t.Errorf("%+v", sessions)
	}

	end := noon.Add(time.Hour)
	must(t, s.EndSession(ctx, id, "", end, end.Add(time.Hour)))
	if got, err = s.Invites(ctx, nil); err != nil || len(got) != 0 {
		t.Errorf("of a session that ended: %v, %v", got, err)
	}
	if err := s.AddInvite(ctx, Invite{Code: [32]byte{9}, Session: id, Sealed: []byte{1}, Made: end}); !errors.Is(err, ErrNotFound) {
		t.Errorf("into a session that ended: %v", err)
	}
	reuse := func(at time.Time) error {
		return s.AddSession(ctx, Session{ID: [16]byte{byte(at.Hour()), 2}, Code: [32]byte{2}, Minted: at})
	}
	if err := reuse(end); !errors.Is(err, ErrExists) {
		t.Errorf("a code that rests: %v", err)
	}
	must(t, reuse(end.Add(time.Hour)))
	must(t, s.Forget(ctx, end.Add(2*time.Hour)))
}
