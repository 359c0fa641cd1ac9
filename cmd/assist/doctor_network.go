package main

import (
	"context"
	"io"
	"time"

	"assist/transport"
)

// lookAtNetwork says how sessions would travel from here: what assist netcheck says.
func lookAtNetwork(ctx context.Context, p *patient) []doctorLine {
	choice := relayChoice{addr: p.addr}
	relay, err := choice.relay(io.Discard)
	if err != nil {
		return nil // the section about the relay says so
	}
	id, err := transport.NewIdentity()
	if err != nil {
		return []doctorLine{ofError("network", err)}
	}
	n := transport.Check(ctx, relay, id, transport.Options{Software: software()})
	if !n.UDP.OK && !n.TCP.OK {
		return nil // the same
	}
	out := []doctorLine{reachLine("UDP", n.UDP, "sessions go over TCP, which is slower: let UDP to the relay's port out")}
	out = append(out, reachLine("TCP", n.TCP, "where UDP is blocked there will be no other way"))
	if n.Proxy != "" {
		out = append(out, fine("proxy", "%s, for TCP", n.Proxy))
	}
	if n.NAT != transport.NATUnknown {
		out = append(out, fine("NAT", "%s", natWords(n.NAT)))
	}
	return append(out, fine("so", "%s", verdict(n)))
}

func reachLine(check string, r transport.Reach, advice string) doctorLine {
	if !r.OK {
		return fine(check, "%s", r.Err.Error()).but(checkNote, advice)
	}
	return fine(check, "connected in %v", r.Took.Round(time.Millisecond))
}
