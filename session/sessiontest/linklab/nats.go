//go:build lab && linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

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
	passed, err := n.relayed(5 * time.Second)
	if err != nil {
		return err
	}
	l.add("… packets through the relay in 5 s of typing", "0", fmt.Sprint(passed), passed == 0)
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
	played, direct := n.played(time.Time{}), false
	for _, e := range n.c.all(time.Time{}) {
		direct = direct || e.Path == "direct"
	}
	l.add("two symmetric NATs: stays on the relay, keys of 5 s played", fmt.Sprintf("yes, %d", 5*time.Second/pulse), fmt.Sprintf("%v, %d", !direct, played), !direct && played == int(5*time.Second/pulse))
	return nil
}

// blocked lets no UDP out of the console's network, and then nothing but a proxy.
func (l *lab) blocked() error {
	n, code, err := l.hosted("cone", "cone")
	if err != nil {
		return err
	}
	defer n.close()
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
