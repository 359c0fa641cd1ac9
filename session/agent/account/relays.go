package account

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"assist/transport"
)

// DefaultPort is where a relay is looked for when no port is said.
const DefaultPort = "8443"

const pinsFile = "known_relays"

// Addr makes the one form of a relay's address, host:port, of what people write: a host, host:port, or an https address.
func Addr(s string) (string, error) {
	host, port := strings.TrimSpace(s), ""
	if u, err := url.Parse(host); err == nil && u.Scheme == "https" && u.Host != "" {
		host, port = u.Host, "443"
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if port == "" {
		port = DefaultPort
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" || strings.ContainsAny(host, "/ \t@?#%") {
		return "", fmt.Errorf("%q is no address of a relay: HOST or HOST:PORT is wanted", s)
	}
	return net.JoinHostPort(strings.ToLower(host), port), nil
}

// Pin is the key by which a relay is known, empty when it is not pinned: then its certificate has to be one that the system
// trusts.
func (b *Book) Pin(addr string) (transport.Pin, error) {
	known, err := b.pins()
	if err != nil {
		return "", err
	}
	for _, k := range known {
		if k.addr == addr {
			return k.pin, nil
		}
	}
	return "", nil
}

// Trust pins a relay, in place of the pin that it had.
func (b *Book) Trust(addr string, pin transport.Pin) error {
	known, err := b.pins()
	if err != nil {
		return err
	}
	out := "# Relays and the fingerprints of their keys. A relay with another key is refused.\n"
	for _, k := range known {
		if k.addr == addr {
			if k.pin == pin {
				return nil
			}
			continue
		}
		out += k.addr + " " + string(k.pin) + "\n"
	}
	out += addr + " " + string(pin) + "\n"
	return replace(filepath.Join(b.config, pinsFile), []byte(out))
}

type knownRelay struct {
	addr string
	pin  transport.Pin
}

// pins reads known_relays. A line that cannot be read is an error, because leaving it out would mean to trust more.
func (b *Book) pins() ([]knownRelay, error) {
	path := filepath.Join(b.config, pinsFile)
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []knownRelay
	for _, l := range lines(text) {
		addr, rest, _ := strings.Cut(l, " ")
		pin, err := transport.ParsePin(rest)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, l, err)
		}
		out = append(out, knownRelay{addr, pin})
	}
	return out, nil
}
