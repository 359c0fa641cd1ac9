// Package scheme is what assist:// addresses mean on this machine: their form, the desktop entry by which a desktop hands them
// to assist, and the terminal in which the question is asked that each of them raises.
//
// Any web page can send such an address, so it can only propose to join (threats A24): it holds a code, and at most a relay
// and the key of a host; everything else is refused, and what is passed on is built anew from those parts. Whether to join is
// asked by the caller, at a terminal. The package writes two files of the user, the desktop entry and the user's list of
// default programs, and touches no other setting. Programs are started with their arguments as a list, never by a shell.
package scheme

import (
	"errors"
	"net/url"
	"strings"

	"assist/session/inner"
)

// maxAddress is the longest address that is looked at, in bytes.
const maxAddress = 512

// ErrAddress says that an address is not one of assist's.
var ErrAddress = errors.New("this is not an assist address; one looks like assist://join/12345678")

// Parse takes assist://join/CODE, with ?relay=HOST:PORT when the session is at that relay, and with the host's key behind #, as
// in a join address. The code is 8 digits and nothing else.
func Parse(s string) (inner.Invite, error) {
	if len(s) > maxAddress {
		return inner.Invite{}, ErrAddress
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "assist" || u.Host != "join" || u.User != nil || u.Opaque != "" {
		return inner.Invite{}, ErrAddress
	}
	code := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/")
	if !digits(code) {
		return inner.Invite{}, ErrAddress
	}
	relay, err := relayOf(u.RawQuery)
	if err != nil {
		return inner.Invite{}, err
	}
	host := relay
	if host == "" {
		host = "relay.invalid" // only the key is looked at
	}
	invite, err := inner.ParseJoin("https://" + host + "/j/" + code + "#" + u.Fragment)
	if err != nil {
		return inner.Invite{}, err
	}
	if relay == "" {
		invite.Relay = ""
	}
	return invite, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == inner.CodeDigits
}

// relayOf takes a query that is empty or says relay=HOST:PORT once, and nothing else.
func relayOf(query string) (string, error) {
	if query == "" {
		return "", nil
	}
	q, err := url.ParseQuery(query)
	if err != nil || len(q) != 1 || len(q["relay"]) != 1 || q.Get("relay") == "" || strings.ContainsAny(q.Get("relay"), "/?#@\\ ") {
		return "", ErrAddress
	}
	return q.Get("relay"), nil
}

// Address is i as an assist address.
func Address(i inner.Invite) string {
	s := "assist://join/" + i.Code
	if i.Relay != "" {
		s += "?relay=" + i.Relay
	}
	if i.Pin != "" {
		s += "#" + i.Pin
	}
	return s
}

// Join is the argument of assist join for i: the join address when the relay is known, else the code.
func Join(i inner.Invite) string {
	if i.Relay == "" {
		return i.Code
	}
	return i.URL()
}
