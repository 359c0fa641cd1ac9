package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"assist/transport"
)

// netcheckJSON is what assist netcheck --json prints.
type netcheckJSON struct {
	Relay    string    `json:"relay"`
	UDP      reachJSON `json:"udp"`
	TCP      reachJSON `json:"tcp"`
	Proxy    string    `json:"proxy,omitempty"`
	Observed string    `json:"observed,omitempty"`
	Local    []string  `json:"local,omitempty"`
	NAT      string    `json:"nat,omitempty"`
	MTU      int       `json:"mtu,omitempty"`
}

type reachJSON struct {
	OK  bool    `json:"ok"`
	Ms  float64 `json:"ms,omitempty"`
	Err string  `json:"error,omitempty"`
}

func newNetcheckCommand() *cobra.Command {
	var f relayChoice
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "netcheck",
		Short: "Say what this network allows on the way to a relay",
		Long: "Tries the relay over UDP and over TCP, through the proxy of HTTPS_PROXY if there is one, and says how this machine is seen " +
			"from there, what kind of NAT is in between and how long packets may be. It needs no account.",
		Args:    cobra.NoArgs,
		Example: "  assist netcheck\n  assist netcheck --relay relay.example:8443 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			relay, err := f.relay(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			id, err := transport.NewIdentity()
			if err != nil {
				return err
			}
			n := transport.Check(cmd.Context(), relay, id, transport.Options{Software: software()})
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(jsonOf(n))
			} else {
				printNetcheck(cmd.OutOrStdout(), n)
			}
			if err == nil && !n.UDP.OK && !n.TCP.OK {
				err = n.UDP.Err
			}
			return err
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func jsonOf(n transport.Netcheck) netcheckJSON {
	out := netcheckJSON{Relay: n.Relay, UDP: reachOf(n.UDP), TCP: reachOf(n.TCP), Proxy: n.Proxy, NAT: string(n.NAT), MTU: n.MTU}
	if n.Observed.IsValid() {
		out.Observed = n.Observed.String()
	}
	for _, at := range n.Local {
		out.Local = append(out.Local, at.String())
	}
	return out
}

func reachOf(r transport.Reach) reachJSON {
	if !r.OK {
		return reachJSON{Err: whyNot(r.Err)}
	}
	return reachJSON{OK: true, Ms: float64(r.Took.Microseconds()) / 1000}
}

func printNetcheck(out io.Writer, n transport.Netcheck) {
	line := func(name, text string) { fmt.Fprintf(out, "%-10s %s\n", name, text) }
	line("relay", printable(n.Relay))
	line("UDP", reachWords(n.UDP))
	line("TCP", reachWords(n.TCP))
	if n.Proxy != "" {
		line("proxy", printable(n.Proxy)+", for TCP")
	}
	if n.Observed.IsValid() {
		line("seen at", n.Observed.String())
	}
	for _, at := range n.Local {
		line("own", at.Addr().String())
	}
	line("NAT", natWords(n.NAT))
	switch {
	case n.MTU > 0:
		line("packets", fmt.Sprintf("up to %d bytes reach the relay", n.MTU))
	case n.UDP.OK:
		line("packets", "of 1280 bytes and more do not reach the relay over UDP")
	}
	line("so", verdict(n))
}

func reachWords(r transport.Reach) string {
	if !r.OK {
		return "no: " + whyNot(r.Err)
	}
	return fmt.Sprintf("yes, connected in %v", r.Took.Round(time.Millisecond))
}

// whyNot leaves out what stands in the first line.
func whyNot(err error) string {
	var far *transport.RelayUnreachableError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = transport.ErrSilent
	case errors.As(err, &far):
		err = far.Err
	}
	return printable(err.Error())
}

func natWords(n transport.NAT) string {
	switch n {
	case transport.NATNone:
		return "none"
	case transport.NATCone:
		return "one port for all (cone): direct paths work with most others"
	case transport.NATSymmetric:
		return "another port for each (symmetric): direct paths work only with those who have no such NAT"
	}
	return "not known"
}

// verdict is how a session would travel.
func verdict(n transport.Netcheck) string {
	switch {
	case n.UDP.OK && n.NAT == transport.NATSymmetric:
		return "sessions go over the relay by UDP, directly at times"
	case n.UDP.OK:
		return "sessions go directly where the other side allows it, else over the relay by UDP"
	case n.TCP.OK:
		return "sessions go over the relay by TCP"
	}
	return "the relay cannot be reached from here"
}
