//go:build lab && linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
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

func (s *scene) close() {
	s.c.stop()
	s.h.stop()
	if s.r != nil {
		s.r.kill()
	}
	s.boxes.close()
}

// forwarded is how many packets the relay has passed on.
func (r *relayAt) forwarded() (n float64, err error) {
	out, err := inside(r.ns, r.l.self, "-role", "metrics", "-relay", r.metrics).Output()
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(out), "\n") {
		if rest, ok := strings.CutPrefix(line, "assist_relay_forwarded_packets_total "); ok {
			_, err = fmt.Sscan(rest, &n)
			return n, err
		}
	}
	return 0, fmt.Errorf("no metric")
}

func metrics(addr string) error {
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}

// paths looks which way is found through boxes of several kinds.
func (l *lab) paths() error {
	for _, row := range []func() error{l.cones, l.symmetric, l.blocked, l.pins, l.stranded} {
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) cones() error {
	n, err := l.behindBoxes("cone", "cone", "auto")
	if err != nil {
		return err
	}
	defer n.close()
	in, _ := n.c.wait("in", time.Time{}, time.Second, func(e event) bool { return e.Text == "in" })
	e, err := n.c.wait("direct", time.Time{}, 10*time.Second, func(e event) bool { return e.Path == "direct" })
	if err != nil {
		l.add("two cone NATs (nftables)", "direct", err.Error(), false)
		return nil
	}
	l.add("two cone NATs (nftables), no delay: direct, how long after the customer's yes", "direct", ms(time.Duration(e.Since-in.At)), true)
	typing(n.c, 30*time.Second)
	time.Sleep(3 * time.Second)
	before, err := n.r.forwarded()
	if err != nil {
		return err
	}
	time.Sleep(5 * time.Second)
	after, err := n.r.forwarded()
	if err != nil {
		return err
	}
	l.add("… packets through the relay in 5 s of typing", "0", fmt.Sprint(after-before), after == before)
	at := time.Now()
	if err := n.nft(n.hostBox, "add rule ip fw pass ip saddr "+n.consolePublic+" drop\nadd rule ip fw pass ip daddr "+n.consolePublic+" drop\n"); err != nil {
		return err
	}
	time.Sleep(4 * time.Second)
	longest := gap(n.h, at)
	_, err = n.c.wait("relay", at, 5*time.Second, func(e event) bool { return e.Path == "relay" })
	l.add("… the direct path is cut: longest gap, back on the relay", "at most 1000 ms, yes", fmt.Sprintf("%s, %v", ms(longest), err == nil), longest <= time.Second && err == nil)
	return ordered(n.h, time.Time{})
}

func (l *lab) symmetric() error {
	n, err := l.behindBoxes("symmetric", "symmetric", "auto")
	if err != nil {
		return err
	}
	defer n.close()
	typing(n.c, 5*time.Second)
	time.Sleep(7 * time.Second)
	played, direct := 0, false
	for _, e := range n.h.all(time.Time{}) {
		if e.What == "played" {
			played++
		}
	}
	for _, e := range n.c.all(time.Time{}) {
		direct = direct || e.Path == "direct"
	}
	l.add("two symmetric NATs: stays on the relay, keys of 5 s played", fmt.Sprintf("yes, %d", 5*time.Second/pulse), fmt.Sprintf("%v, %d", !direct, played), !direct && played == int(5*time.Second/pulse))
	return nil
}

// blocked lets no UDP out of the console's network, and then nothing but a proxy.
func (l *lab) blocked() error {
	n, err := l.behindBoxes("cone", "cone", "")
	if err != nil {
		return err
	}
	defer n.close()
	code, err := l.alone(n)
	if err != nil {
		return err
	}
	if err := n.nft(n.consoleBox, "add rule ip fw pass ip protocol udp drop\n"); err != nil {
		return err
	}
	took, err := l.connected(n, code)
	l.add("UDP is blocked: connected over TCP after", "at most 3000 ms", result(took, err), err == nil && took <= 3*time.Second)
	if err := l.opened(n, code); err != nil {
		return err
	}
	if err := n.nft(n.consoleBox, "add rule ip fw pass iifname \"lan0\" drop\n"); err != nil {
		return err
	}
	proxy, err := l.start(n.consoleBox, "proxy", "-relay", "10.81.0.1:3128")
	if err != nil {
		return err
	}
	defer proxy.stop()
	time.Sleep(500 * time.Millisecond)
	os.Setenv("HTTPS_PROXY", "http://10.81.0.1:3128")
	took, err = l.connected(n, code)
	os.Unsetenv("HTTPS_PROXY")
	l.add("only a CONNECT proxy leads out: connected after", "at most 3000 ms", result(took, err), err == nil && took <= 3*time.Second)
	return nil
}

// opened lets UDP through again while a console travels by TCP.
func (l *lab) opened(n *scene, code string) error {
	c, err := l.console(n.r, n.console, "auto", code)
	if err != nil {
		return err
	}
	defer c.stop()
	if _, err := c.wait("tcp", time.Time{}, 10*time.Second, func(e event) bool { return e.Path == "tcp" }); err != nil {
		return err
	}
	at := time.Now()
	if err := n.nft(n.consoleBox, "flush chain ip fw pass\n"); err != nil {
		return err
	}
	e, err := c.wait("UDP", at, 80*time.Second, func(e event) bool { return e.Path != "tcp" && e.Path != "" })
	l.add("UDP is let through again: the way that is taken then, after", "within 65 s", fmt.Sprintf("%s, %s", e.Path, result(time.Duration(e.At-at.UnixNano()), err)), err == nil)
	return nil
}

func result(took time.Duration, err error) string {
	if err != nil {
		return err.Error()
	}
	return ms(took)
}

// connected is how long a console takes to connect to the relay, from the state that says so; the login before it takes as long.
func (l *lab) connected(n *scene, code string) (time.Duration, error) {
	began := time.Now()
	c, err := l.start(n.console, "console", "-relay", n.r.addr, "-pin", n.r.pin, "-code", code, "-user", "a@lab")
	if err != nil {
		return 0, err
	}
	defer c.stop()
	logged, err := c.wait("a login", began, 30*time.Second, func(e event) bool { return e.What == "login" })
	if err != nil {
		return 0, err
	}
	if _, err := c.wait("tcp", began, 30*time.Second, func(e event) bool { return e.Text == "in" && e.Path == "tcp" }); err != nil {
		return 0, err
	}
	in, err := c.wait("in", began, 30*time.Second, func(e event) bool { return e.Text == "in" })
	return time.Duration(in.At - logged.At), err
}

// connectProxy is an HTTP proxy that knows CONNECT and nothing else (RFC 9110, 9.3.6).
func connectProxy(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	}()
	for {
		from, err := ln.Accept()
		if err != nil {
			return nil
		}
		go func() {
			defer from.Close()
			r := bufio.NewReader(from)
			req, err := http.ReadRequest(r)
			if err != nil || req.Method != http.MethodConnect {
				return
			}
			to, err := net.Dial("tcp", req.Host)
			if err != nil {
				return
			}
			defer to.Close()
			_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
			go func() { _, _ = io.Copy(to, r) }()
			_, _ = io.Copy(from, to)
		}()
	}
}
