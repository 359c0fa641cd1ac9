package inner

import (
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// CodeDigits is how long a code is.
const CodeDigits = 8

// The reasons why what a person typed is no invite, in words that can be shown as they are.
var (
	ErrNoCode   = errors.New("a code has 8 digits, like 1234 5678")
	ErrNoJoin   = errors.New("this is not a join address; one looks like https://RELAY/j/12345678#1.KEY")
	ErrBadPin   = errors.New("the key at the end of the address is damaged; copy the whole address again")
	ErrNewerPin = errors.New("the key at the end of the address is of a kind that this version does not know; a newer assist may")
)

// Invite is where a session can be joined.
type Invite struct {
	Code  string // 8 digits
	Relay string // host:port; empty when only the code is known
	Pin   string // of the host's key, "1.<base32>"; empty when only the code is known
}

// URL is the address that brings an agent in. The pin stands in the fragment, which no browser sends to the relay.
func (i Invite) URL() string {
	host, port, err := net.SplitHostPort(i.Relay)
	if err != nil {
		host, port = strings.Trim(i.Relay, "[]"), "443"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "443" {
		host += ":" + port
	}
	u := "https://" + host + "/j/" + i.Code
	if i.Pin != "" {
		u += "#" + i.Pin
	}
	return u
}

// SpacedCode is a code as people read it out: "1234 5678".
func SpacedCode(code string) string {
	if len(code) != CodeDigits {
		return code
	}
	return code[:4] + " " + code[4:]
}

// ParseCode takes a code as people type it: 8 digits with spaces, dashes or dots anywhere.
func ParseCode(s string) (string, error) {
	var digits []byte
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9' && len(digits) < CodeDigits:
			digits = append(digits, byte(r))
		case r == ' ' || r == '-' || r == '.' || r == '\t' || r == '\u00a0' || r == '\u2013':
		default:
			return "", ErrNoCode
		}
	}
	if len(digits) != CodeDigits {
		return "", ErrNoCode
	}
	return string(digits), nil
}

// ParseJoin takes what an agent was given: a bare code or a whole join address.
func ParseJoin(s string) (Invite, error) {
	s = strings.TrimSpace(s)
	if len(s) > 512 {
		return Invite{}, ErrNoJoin
	}
	if !strings.Contains(s, "/") && !strings.Contains(s, "#") {
		code, err := ParseCode(s)
		return Invite{Code: code}, err
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Hostname() == "" || u.RawQuery != "" {
		return Invite{}, ErrNoJoin
	}
	rest, ok := strings.CutPrefix(u.Path, "/j/")
	if !ok {
		return Invite{}, ErrNoJoin
	}
	code, err := ParseCode(strings.TrimSuffix(rest, "/"))
	if err != nil {
		return Invite{}, err
	}
	relay, err := relayOf(u)
	if err != nil {
		return Invite{}, err
	}
	pin, err := parsePin(u.Fragment)
	if err != nil {
		return Invite{}, err
	}
	return Invite{Code: code, Relay: relay, Pin: pin}, nil
}

// relayOf gives host:port of a join address; the host is made of letters, digits, dots and dashes, or is an IP address.
func relayOf(u *url.URL) (string, error) {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "443"
	}
	if n, err := net.LookupPort("udp", port); err != nil || n == 0 {
		return "", fmt.Errorf("port %q: %w", port, ErrNoJoin)
	}
	if net.ParseIP(host) == nil {
		for _, r := range host {
			if r > 0x7f || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-", r|0x20) {
				return "", ErrNoJoin
			}
		}
	}
	return net.JoinHostPort(strings.ToLower(host), port), nil
}

// pinBytes is how much of the SHA-256 of a key stands in a pin: 160 bits (threats 2.5).
const pinBytes = 20

var pinEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// parsePin checks the form of a fragment; an empty one is an address without a key.
func parsePin(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	kind, text, ok := strings.Cut(s, ".")
	if !ok {
		return "", ErrBadPin
	}
	if kind != "1" {
		return "", ErrNewerPin
	}
	text = strings.ToLower(text)
	b, err := pinEncoding.DecodeString(text)
	if err != nil || len(b) != pinBytes || pinEncoding.EncodeToString(b) != text {
		return "", ErrBadPin
	}
	return "1." + text, nil
}
