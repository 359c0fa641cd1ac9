//go:build lab && linux

package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"assist/transport/transporttest"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// boxes is a relay, and a host and a console behind a box each, all joined by one bridge. Names are cut to what ip(8) takes.
type boxes struct {
	prefix                               string
	wan, relay, hostBox, consoleBox      string
	host, console                        string
	relayAddr, hostPublic, consolePublic string
	all                                  []string
	moves                                int
}

var nets int

// newNet makes the namespaces; each box is of kind cone or symmetric.
func (l *lab) newNet(hostBox, consoleBox string) (*boxes, error) {
	if _, err := exec.LookPath("nft"); err != nil {
		return nil, err
	}
	nets++
	p := fmt.Sprintf("lk%dn%d", os.Getpid()%100000, nets)
	n := &boxes{
		prefix: p, wan: p + "w", relay: p + "r", hostBox: p + "x", consoleBox: p + "y", host: p + "h", console: p + "c",
		relayAddr: "203.0.113.1", hostPublic: "203.0.113.2", consolePublic: "203.0.113.3",
	}
	for _, ns := range []string{n.wan, n.relay, n.hostBox, n.consoleBox, n.host, n.console} {
		if err := transporttest.AddNamespace(ns); err != nil {
			n.close()
			return nil, err
		}
		n.all = append(n.all, ns)
	}
	steps := [][]string{
		{"-n", n.wan, "link", "add", "br0", "type", "bridge"},
		{"-n", n.wan, "link", "set", "br0", "up"},
	}
	for i, end := range []struct{ ns, addr string }{{n.relay, n.relayAddr}, {n.hostBox, n.hostPublic}, {n.consoleBox, n.consolePublic}} {
		port := fmt.Sprintf("p%d", i)
		steps = append(steps,
			[]string{"-n", n.wan, "link", "add", port, "type", "veth", "peer", "name", "wan0", "netns", end.ns},
			[]string{"-n", n.wan, "link", "set", port, "master", "br0", "up"},
			[]string{"-n", end.ns, "addr", "add", end.addr + "/24", "dev", "wan0"},
			[]string{"-n", end.ns, "link", "set", "wan0", "up"})
	}
	for i, end := range []struct{ box, ns string }{{n.hostBox, n.host}, {n.consoleBox, n.console}} {
		net := fmt.Sprintf("10.%d.0.", 80+i)
		steps = append(steps,
			[]string{"-n", end.box, "link", "add", "lan0", "type", "veth", "peer", "name", "eth0", "netns", end.ns},
			[]string{"-n", end.box, "addr", "add", net + "1/24", "dev", "lan0"},
			[]string{"-n", end.box, "link", "set", "lan0", "up"},
			[]string{"-n", end.ns, "addr", "add", net + "2/24", "dev", "eth0"},
			[]string{"-n", end.ns, "link", "set", "eth0", "up"},
			[]string{"-n", end.ns, "route", "add", "default", "via", net + "1"})
	}
	for _, s := range steps {
		if err := transporttest.IP(s...); err != nil {
			n.close()
			return nil, err
		}
	}
	for _, b := range []struct{ ns, kind string }{{n.hostBox, hostBox}, {n.consoleBox, consoleBox}} {
		if err := n.nat(b.ns, b.kind); err != nil {
			n.close()
			return nil, err
		}
	}
	return n, nil
}

// nat sets a box up. Linux keeps a socket's port for whoever it talks to as long as it is free, which is a cone; drawing it at
// random for each connection is symmetric. Both let in only what answers something.
func (n *boxes) nat(box, kind string) error {
	if out, err := inside(box, "sysctl", "-qw", "net.ipv4.ip_forward=1").CombinedOutput(); err != nil {
		return fmt.Errorf("sysctl: %w: %s", err, out)
	}
	how := map[string]string{"cone": "masquerade", "symmetric": "masquerade fully-random"}[kind]
	return n.nft(box, `table ip nat {
 chain post {
  type nat hook postrouting priority 100;
  oifname "wan0" ip protocol udp `+how+`
  oifname "wan0" masquerade
 }
}
table ip fw {
 chain entry {
  type filter hook input priority 0;
  iifname "wan0" ct state new drop
 }
 chain pass {
  type filter hook forward priority 0;
 }
}
`)
}

func (n *boxes) nft(ns, rules string) error {
	cmd := inside(ns, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	return nil
}

// rebind lets the console's box give out other ports, and forget the ones before.
func (n *boxes) rebind(times int) error {
	from := 20000 + times%100*200
	rules := fmt.Sprintf("flush chain ip nat post\nadd rule ip nat post oifname \"wan0\" ip protocol udp masquerade to :%d-%d\nadd rule ip nat post oifname \"wan0\" masquerade\n", from, from+199)
	if err := n.nft(n.consoleBox, rules); err != nil {
		return err
	}
	if out, err := inside(n.consoleBox, "conntrack", "-F").CombinedOutput(); err != nil {
		return fmt.Errorf("conntrack: %w: %s", err, out)
	}
	return nil
}

// readdress gives the console's box another public address.
func (n *boxes) readdress() error {
	n.moves++
	to := fmt.Sprintf("203.0.113.%d", 10+n.moves)
	if out, err := inside(n.consoleBox, "sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=1").CombinedOutput(); err != nil {
		return fmt.Errorf("sysctl: %w: %s", err, out)
	}
	for _, s := range [][]string{{"add", to}, {"del", n.consolePublic}} {
		if err := transporttest.IP("-n", n.consoleBox, "addr", s[0], s[1]+"/24", "dev", "wan0"); err != nil {
			return err
		}
	}
	n.consolePublic = to
	if out, err := inside(n.consoleBox, "conntrack", "-F").CombinedOutput(); err != nil {
		return fmt.Errorf("conntrack: %w: %s", err, out)
	}
	return nil
}

func (n *boxes) close() {
	for _, ns := range n.all {
		transporttest.RemoveNamespace(ns)
	}
}

// scene is boxes with a relay that runs, and a host and a console behind them.
type scene struct {
	*boxes
	r    *relayAt
	h, c *proc // nil: they have not come yet
}

// behindBoxes sets a scene in which host and console have met; with an empty path nobody has come yet.
func (l *lab) behindBoxes(hostBox, consoleBox, path string) (*scene, error) {
	n, err := l.newNet(hostBox, consoleBox)
	if err != nil {
		return nil, err
	}
	s := &scene{boxes: n}
	r, err := l.relay(n.relay, n.relayAddr+":8443")
	if err != nil {
		s.close()
		return nil, err
	}
	s.r = r
	if path != "" {
		if s.h, s.c, err = l.meet(r, n.host, n.console, path, path); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// hosted sets a scene in which the host has come, and says its code.
func (l *lab) hosted(hostBox, consoleBox string) (n *scene, code string, err error) {
	if n, err = l.behindBoxes(hostBox, consoleBox, ""); err != nil {
		return nil, "", err
	}
	n.h, err = l.start(n.host, "host", "-relay", n.r.addr, "-pin", n.r.pin, "-files", l.files())
	var e event
	if err == nil {
		e, err = n.h.wait("code", time.Time{}, 20*time.Second, func(e event) bool { return e.What == "code" })
	}
	if err != nil {
		n.close()
		return nil, "", err
	}
	return n, e.Text, nil
}

// relayed is how many packets the relay passes on in a while.
func (s *scene) relayed(lasts time.Duration) (float64, error) {
	before, err := s.r.forwarded()
	if err != nil {
		return 0, err
	}
	time.Sleep(lasts)
	after, err := s.r.forwarded()
	return after - before, err
}

// played is how many keys the host has played since.
func (s *scene) played(since time.Time) (n int) {
	for _, e := range s.h.all(since) {
		if e.What == "played" {
			n++
		}
	}
	return n
}

func (s *scene) close() {
	s.c.stop()
	s.h.stop()
	if s.r != nil {
		s.r.kill()
	}
	s.boxes.close()
}
