package transporttest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func TestTCPWhereUDPGivesNoAnswer(t *testing.T) {
	r := transporttest.NewTCPRelay(t, relay.Config{})
	p := transporttest.NewPair(t, r.Addr(), r.Blocked(), transport.Options{})
	exchange(t, p, 1<<20)
	if s := p.ConsoleLink.Stats(); s.Path != transport.PathTCP || s.Changed.Why != "UDP gave no answer" {
		t.Errorf("the console's path is %s: %s", s.Path, s.Changed.Why)
	}
	if s := p.HostLink.Stats(); s.Path != transport.PathRelay {
		t.Errorf("the host's path is %s", s.Path)
	}
	if n := r.Hub.Tunnels(); n != 1 {
		t.Errorf("%d tunnels", n)
	}
}

func TestPinnedPaths(t *testing.T) {
	r := transporttest.NewTCPRelay(t, relay.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var away *transport.RelayUnreachableError
	if _, err := transport.DialRelay(ctx, r.Blocked(), transporttest.NewIdentity(t), transport.Options{Path: transport.PathRelay}); !errors.As(err, &away) {
		t.Errorf("UDP only: %v", err)
	}
	if _, err := transport.DialRelay(t.Context(), r.Addr(), transporttest.NewIdentity(t), transport.Options{Path: transport.PathTCP}); !errors.As(err, &away) {
		t.Errorf("TCP only, where there is none: %v", err)
	}
	p := transporttest.NewPair(t, r.Blocked(), r.Blocked(), transport.Options{Path: transport.PathTCP})
	exchange(t, p, 256<<10)
	if n := r.Hub.Tunnels(); n != 2 {
		t.Errorf("%d tunnels", n)
	}
	wrong := r.Blocked()
	wrong.Pin = transporttest.NewIdentity(t).Fingerprint.Pin()
	var key *transport.RelayKeyError
	if _, err := transport.DialRelay(t.Context(), wrong, transporttest.NewIdentity(t), transport.Options{}); !errors.As(err, &key) {
		t.Errorf("a relay with another key: %v", err)
	}
}

// back is how a console of these tests has its place again.
func back(r transport.Relay, g *relay.Group, peer uint32, v *transport.Virtual, id transport.Identity) transport.Again {
	return func(ctx context.Context) (*transport.Outer, *wire.Channel, error) {
		o, err := transport.DialRelay(ctx, r, id, transport.Options{Over: v})
		if err != nil {
			return nil, nil, err
		}
		ch, err := g.Join(peer)
		return o, ch, err
	}
}

func TestTunnelThatIsCutIsMadeAgain(t *testing.T) {
	r := transporttest.NewTCPRelay(t, relay.Config{})
	hostID, consoleID := transporttest.NewIdentity(t), transporttest.NewIdentity(t)
	group := r.Server.NewGroup()
	host := open(t, transporttest.Dial(t, r.Addr(), hostID, transport.Options{}), join(t, group, 0))
	console := open(t, transporttest.Dial(t, r.Blocked(), consoleID, transport.Options{}), join(t, group, 1))
	p := transporttest.Join(t, host, hostID, console, consoleID)
	changed := make(chan error, 16)
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan error)
	go func() {
		kept <- console.Keep(ctx, back(r.Blocked(), group, 1, console, consoleID), func(err error) { changed <- err })
	}()
	exchange(t, p, 64<<10)
	for range 3 {
		r.Hub.Cut()
		for err := errors.New(""); err != nil; {
			err = <-changed
		}
		ping(t, p)
	}
	if s := p.ConsoleLink.Stats(); s.Path != transport.PathTCP || s.Changed.Why != "the TCP connection to the relay was cut" {
		t.Errorf("%+v", s.Changed)
	}
	cancel()
	if err := <-kept; err != nil {
		t.Error(err)
	}
	console.Close()
}

func TestCheckSaysWhatTheNetworkAllows(t *testing.T) {
	r := transporttest.NewTCPRelay(t, relay.Config{})
	open := transport.Check(t.Context(), r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	if !open.UDP.OK || open.TCP.OK || open.Observed.Addr().String() != "127.0.0.1" || open.NAT != transport.NATNone || open.MTU != 1500 {
		t.Errorf("%+v", open)
	}
	blocked := transport.Check(t.Context(), r.Blocked(), transporttest.NewIdentity(t), transport.Options{})
	if blocked.UDP.OK || !blocked.TCP.OK || blocked.NAT != transport.NATUnknown || blocked.MTU != 0 || blocked.UDP.Err == nil {
		t.Errorf("%+v", blocked)
	}
	narrow := transporttest.NewProxy(t, r.Addr(), transporttest.Conditions{MTU: 1420}, 1) // counts headers of IPv6
	if n := transport.Check(t.Context(), narrow.Relay(r.Addr()), transporttest.NewIdentity(t), transport.Options{}); n.MTU != 1400 {
		t.Errorf("%+v", n)
	}
}
