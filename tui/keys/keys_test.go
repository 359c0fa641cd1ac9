package keys

import (
	"strings"
	"testing"

	"assist/session"
	"assist/session/console"
)

func TestNoKeyMeansTwoThings(t *testing.T) {
	seen := map[string]Action{}
	for _, k := range Table() {
		if k.Help == "" || k.Show == "" || k.Section == "" {
			t.Errorf("%v is not explained", k.Press)
		}
		for _, p := range k.Press {
			if other, twice := seen[p]; twice {
				t.Errorf("%q does both %d and %d", p, other, k.Do)
			}
			seen[p] = k.Do
		}
	}
}

func TestDisabledKeySaysWhy(t *testing.T) {
	in := Now{Phase: console.In, Grants: session.View | session.Chat, Words: true, Picture: true}
	for _, c := range []struct {
		press, want string
		now         Now
	}{
		{"c", "the customer has not allowed control; g asks for it", in},
		{"c", "the customer is being asked for it", with(in, func(n *Now) { n.Asked = session.Control })},
		{"c", "", with(in, func(n *Now) { n.Grants |= session.Control })},
		{"c", "you joined to view only", with(in, func(n *Now) { n.Grants |= session.Control; n.ViewOnly = true })},
		{"c", "a question is on the screen", with(in, func(n *Now) { n.Grants |= session.Control; n.Paused = "a question is on the screen" })},
		{"c", "there is no contact with the customer's machine", with(in, func(n *Now) { n.Phase = console.Lost })},
		{"c", "you are not in the session yet", Now{Phase: console.Knocking}},
		{"v", "", in},
		{"v", "already verified", with(in, func(n *Now) { n.Trusted = true })},
		{"g", "", in},
		{"g", "you may do everything already", with(in, func(n *Now) { n.Grants = session.AllGrants })},
		{"h", "the whole screen is in view", in},
		{"q", "", Now{Phase: console.Connecting}},
	} {
		k, ok := Find(c.press)
		if !ok {
			t.Fatalf("no key %q", c.press)
		}
		if got := k.Why(c.now); got != c.want {
			t.Errorf("%s: %q, want %q", c.press, got, c.want)
		}
	}
}

func with(n Now, change func(*Now)) Now { change(&n); return n }

func TestReadmeHasEveryKey(t *testing.T) {
	md := Markdown("Ctrl-]")
	for _, k := range Table() {
		if !strings.Contains(md, "| `"+k.Show+"` | "+k.Help) {
			t.Errorf("%s is missing", k.Show)
		}
	}
}
