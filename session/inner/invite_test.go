package inner

import (
	"errors"
	"strings"
	"testing"
)

const pin = "1.abcdefghijklmnopqrstuvwxyz234567"

func TestJoinURLSurvivesTheWay(t *testing.T) {
	for _, c := range []struct {
		in  Invite
		url string
	}{
		{Invite{"12345678", "relay.example:443", pin}, "https://relay.example/j/12345678#" + pin},
		{Invite{"01234567", "127.0.0.1:4433", pin}, "https://127.0.0.1:4433/j/01234567#" + pin},
		{Invite{"12345678", "[::1]:4433", pin}, "https://[::1]:4433/j/12345678#" + pin},
		{Invite{"12345678", "[::1]:443", ""}, "https://[::1]/j/12345678"},
	} {
		if got := c.in.URL(); got != c.url {
			t.Errorf("URL %s, want %s", got, c.url)
		}
		back, err := ParseJoin(c.url)
		if err != nil || back != c.in {
			t.Errorf("%s: %+v %v", c.url, back, err)
		}
	}
}

func TestJoinTakesWhatPeopleType(t *testing.T) {
	for _, s := range []string{"12345678", " 1234 5678\n", "12-34-56-78", "1234\u00a05678", "1234.5678"} {
		if got, err := ParseJoin(s); err != nil || got != (Invite{Code: "12345678"}) {
			t.Errorf("%q: %+v %v", s, got, err)
		}
	}
	if got, err := ParseJoin("HTTPS://Relay.Example:4433/j/1234-5678#" + strings.ToUpper(pin)); err != nil ||
		got != (Invite{"12345678", "relay.example:4433", pin}) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestJoinSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		in   string
		want error
	}{
		{"", ErrNoCode},
		{"1234567", ErrNoCode},
		{"123456789", ErrNoCode},
		{"1234567a", ErrNoCode},
		{"１２３４５６７８", ErrNoCode},
		{"http://relay/j/12345678", ErrNoJoin},
		{"https://relay/x/12345678", ErrNoJoin},
		{"https://user@relay/j/12345678", ErrNoJoin},
		{"https://relay/j/12345678?relay=evil", ErrNoJoin},
		{"https:///j/12345678", ErrNoJoin},
		{"https://relay:0/j/12345678", ErrNoJoin},
		{"https://rel\u0430y/j/12345678", ErrNoJoin},
		{"https://relay/j/1234567", ErrNoCode},
		{"https://relay/j/12345678#nonsense", ErrBadPin},
		{"https://relay/j/12345678#" + pin[:len(pin)-1], ErrBadPin},
		{"https://relay/j/12345678#2.abc", ErrNewerPin},
		{strings.Repeat("/", 513), ErrNoJoin},
	} {
		if got, err := ParseJoin(c.in); !errors.Is(err, c.want) || got != (Invite{}) {
			t.Errorf("%q: %+v %v, want %v", c.in, got, err, c.want)
		}
	}
}

func TestSpacedCode(t *testing.T) {
	if got := SpacedCode("01234567"); got != "0123 4567" {
		t.Error(got)
	}
}

func FuzzParseJoin(f *testing.F) {
	f.Add("1234 5678")
	f.Add("https://relay:4433/j/12345678#" + pin)
	f.Add("https://[::1]/j/12345678")
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseJoin(s)
		if err != nil {
			if i != (Invite{}) {
				t.Fatalf("%+v with %v", i, err)
			}
			return
		}
		if i.Relay == "" {
			return
		}
		back, err := ParseJoin(i.URL())
		if err != nil || back != i {
			t.Fatalf("%q: %+v became %+v, %v", s, i, back, err)
		}
	})
}
