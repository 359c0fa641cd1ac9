package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"assist/session/agent/account"
	"assist/transport"
)

// relayChoice is how a verb is told its relay.
type relayChoice struct {
	addr, key string
	path      string
}

func (c *relayChoice) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.addr, "relay", "", "relay, HOST or HOST:PORT (default the one of your login)")
	cmd.Flags().StringVar(&c.key, "relay-key", "", "fingerprint of the relay's key, as assist relay prints it")
}

// pathFlag pins how packets travel.
func (c *relayChoice) pathFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.path, "path", string(transport.PathAuto), "how packets travel: auto, direct, relay or tcp")
}

// options are those of connections to the relay.
func (c *relayChoice) options() (transport.Options, error) {
	if c.path == "" { // the verb does not let it be chosen
		return transport.Options{}, nil
	}
	path, err := transport.ParsePath(c.path)
	if err != nil {
		return transport.Options{}, usage(fmt.Errorf("--path: %w", err), "auto takes what the network allows")
	}
	return transport.Options{Path: path}, nil
}

// relay is the chosen one, with the key by which it is known.
func (c *relayChoice) relay(words io.Writer) (transport.Relay, error) {
	book := account.Open(words)
	addr := c.addr
	if addr == "" {
		known, err := book.Relays()
		if err != nil {
			return transport.Relay{}, err
		}
		if len(known) == 0 {
			return transport.Relay{}, usage(errors.New("which relay?"), "--relay HOST:PORT names it; the agent who helps you knows it")
		}
		addr = known[0]
	}
	addr, pin, err := relayFlag(addr, c.key)
	if err == nil && pin == "" { // known, or nothing: then the relay's certificate has to be one that this system trusts
		pin, err = book.Pin(addr)
	}
	return transport.Relay{Addr: addr, Pin: pin}, err
}

// login is the agent's login at the chosen relay.
func (c *relayChoice) login(words io.Writer) (transport.Relay, account.Login, error) {
	book := account.Open(words)
	addr := c.addr
	if addr != "" {
		var err error
		if addr, err = account.Addr(addr); err != nil {
			return transport.Relay{}, account.Login{}, usage(err, "")
		}
	}
	login, err := book.Login(addr)
	if errors.Is(err, account.ErrNone) || (err == nil && login.Token == "") {
		if addr == "" {
			addr = "RELAY"
		}
		return transport.Relay{}, login, &exitError{Code: exitLogin, Err: account.ErrNone, Hint: "assist login " + addr}
	}
	if err != nil {
		return transport.Relay{}, login, err
	}
	relay := login.Relay
	if c.key != "" {
		_, relay.Pin, err = relayFlag(relay.Addr, c.key)
	}
	return relay, login, err
}
