package tui

import (
	"errors"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

const address = "https://relay.example/j/87654321#1.mfrggzdfmztwq2lknnwg23tp"

func invited(f *fake) {
	f.state.Invites = []Invitation{
		{Code: "11112222", URL: "https://relay.example/j/11112222", ViewOnly: true, Expires: began.Add(time.Hour + 40*time.Second)},
		{Code: "87654321", URL: address, For: "beta\x1b[2J", Expires: began.Add(time.Hour + 15*time.Minute)},
	}
}

func TestInviteAndRevoke(t *testing.T) {
	d := newDesk(t, 100, 40)
	d.press("i", "e", "v", "e", "@", "b", "down")
	d.send(pressed("enter"))
	d.did("Invite{eve@b true 15m0s}")
	d.s.change(func() { invited(d.s) })
	d.news()
	d.sees("8765 4321  beta·[2J", "15 min left", "whoever has it, view only", "40 s left", address)
	d.press("x")
	d.did("RevokeInvite{87654321}")
	d.press("k", "x")
	d.did("RevokeInvite{11112222}")
	d.press("esc", "i", "q", "esc")
	d.did("")
}

func TestHooksRunOutsideUpdate(t *testing.T) {
	d := newDesk(t, 100, 40, invited)
	calls := 0
	d.m.opt.Copy = func(url string) (string, error) { calls++; return "tmux, " + url, nil }
	d.m.opt.Email = func(url, code string) (string, error) { calls++; return "", errors.New("no mail \x1b[2J") }
	d.press("i", "tab", "j")
	cmd := d.m.input(pressed("y"))
	if cmd == nil || calls != 0 {
		t.Fatalf("called %d times in Update", calls)
	}
	d.send(cmd())
	d.sees("copied: tmux, https://relay.example/j/87654321")
	d.send(d.m.input(pressed("e"))())
	d.sees("not done: no mail ·[2J")
}

func TestCopyWithoutHook(t *testing.T) {
	d := newDesk(t, 100, 40, invited)
	d.press("i", "tab")
	if cmd := d.m.input(pressed("y")); cmd == nil || cmd() == tea.Msg(nil) {
		t.Error("nothing goes to the clipboard")
	}
	d.press("e")
	d.sees("there is no mail program here")
}
