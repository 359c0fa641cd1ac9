//go:build lab && linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"assist/transport/transporttest"
)

// pulse is how often keys are typed where gaps are looked for.
const pulse = 20 * time.Millisecond

// typing lets a console type for a while, so that the host has something to play.
func typing(c *proc, d time.Duration) { c.tell("keys %d %v", d/pulse, pulse) }

// resumed is how long after at the host played the next key that was typed after at.
func resumed(h, c *proc, at time.Time, limit time.Duration) (time.Duration, error) {
	first := -1
	for _, e := range c.all(at) {
		if e.What == "sent" {
			first = e.N
			break
		}
	}
	e, err := h.wait("a key after the gap", at, limit, func(e event) bool { return e.What == "played" && e.N >= first })
	if first < 0 || err != nil {
		e, err = h.wait("a key after the gap", at, limit, func(e event) bool { return e.What == "played" })
	}
	return time.Duration(e.At - at.UnixNano()), err
}

// gap is the longest time without a key played since at.
func gap(h *proc, at time.Time) (longest time.Duration) {
	before := at.UnixNano()
	for _, e := range h.all(at) {
		if e.What == "played" {
			longest = max(longest, time.Duration(e.At-before))
			before = e.At
		}
	}
	return longest
}

// ordered fails where a key is missing, doubled or out of order.
func ordered(h *proc, since time.Time) error {
	next := -1
	for _, e := range h.all(since) {
		if e.What != "played" {
			continue
		}
		if next >= 0 && e.N != next {
			return fmt.Errorf("key %d was played in place of %d", e.N, next)
		}
		next = e.N + 1
	}
	return nil
}

// kill kills the relay again and again while keys are typed and words are said.
func (l *lab) kill() error {
	r, err := l.relay("", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { r.kill() }()
	host, console, err := l.meet(r, "", "", "relay", "relay")
	if err != nil {
		return err
	}
	defer host.stop()
	defer console.stop()
	time.Sleep(time.Second)
	begun := time.Now()
	typing(console, time.Duration(*kills)*5*time.Second)
	var took []time.Duration
	for i := range *kills {
		time.Sleep(1500 * time.Millisecond)
		r.kill()
		console.tell("say word %d", i)
		time.Sleep(time.Second)
		if err := r.start(); err != nil {
			return err
		}
		gap, err := resumed(host, console, time.Now(), 30*time.Second)
		if err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		took = append(took, gap)
	}
	slices.Sort(took)
	p95 := quantile(took, 0.95)
	l.add(fmt.Sprintf("kill -9 of the relay, back after 1 s, %d times: traffic after it listens, p50 / p95 / worst", *kills), "p95 1 s",
		fmt.Sprintf("%s / %s / %s", ms(quantile(took, 0.5)), ms(p95), ms(took[len(took)-1])), p95 <= time.Second)
	time.Sleep(3 * time.Second)
	asked, words, lost := 0, map[string]int{}, 0
	for _, e := range host.all(begun) {
		if e.What == "asked" {
			asked++
		}
	}
	for _, e := range console.all(begun) {
		switch {
		case e.What == "heard":
			words[e.Text]++
		case e.Text == "lost":
			lost++
		}
	}
	once := 0
	for i := range *kills {
		if words[fmt.Sprintf("word %d", i)] == 1 {
			once++
		}
	}
	l.add("… questions to the customer, words that arrived once, links that had to be made anew", fmt.Sprintf("0, %d, –", *kills),
		fmt.Sprintf("%d, %d, %d", asked, once, lost), asked == 0 && once == *kills)
	return nil
}

// roam changes the console's address in several ways while keys are typed.
func (l *lab) roam() error {
	line, err := transporttest.NewLine(1500, transporttest.Trouble{Delay: 12500 * time.Microsecond}, 1)
	if err != nil {
		return err
	}
	defer line.Close()
	if out, err := inside(line.B, "sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=1").CombinedOutput(); err != nil {
		return fmt.Errorf("sysctl: %w: %s", err, out)
	}
	r, err := l.relay(line.A, line.AddrA.String()+":8443")
	if err != nil {
		return err
	}
	defer r.kill()
	for _, c := range []struct {
		what, path string
		limit      time.Duration
	}{
		{"another address, told by the kernel", "relay", 200 * time.Millisecond},
		{"the same over TCP", "tcp", 3 * time.Second},
	} {
		worst, err := l.readdress(line, r, c.path)
		if err != nil {
			l.add(c.what, "at most "+ms(c.limit), err.Error(), false)
			continue
		}
		l.add(c.what+", 25 ms there and back: longest gap of 5", "at most "+ms(c.limit), ms(worst), worst <= c.limit)
	}
	return l.rebinding()
}

// readdress gives the console's machine another address five times.
func (l *lab) readdress(line *transporttest.Line, r *relayAt, path string) (worst time.Duration, err error) {
	host, console, err := l.meet(r, line.A, line.B, path, path)
	if err != nil {
		return 0, err
	}
	defer host.stop()
	defer console.stop()
	time.Sleep(2 * time.Second)
	typing(console, 40*time.Second)
	now := line.AddrB
	for i := range 5 {
		time.Sleep(2 * time.Second)
		next := line.AddrB.As4()
		next[3] = byte(20 + i)
		at := time.Now()
		to := fmt.Sprintf("%d.%d.%d.%d", next[0], next[1], next[2], next[3])
		if err := transporttest.IP("-n", line.B, "addr", "add", to+"/24", "dev", "tun0"); err != nil {
			return 0, err
		}
		if err := transporttest.IP("-n", line.B, "addr", "del", now.String()+"/24", "dev", "tun0"); err != nil {
			return 0, err
		}
		now = mustAddr(to)
		time.Sleep(4 * time.Second)
		worst = max(worst, gap(host, at))
	}
	if err := transporttest.IP("-n", line.B, "addr", "add", line.AddrB.String()+"/24", "dev", "tun0"); err != nil {
		return 0, err
	}
	if err := transporttest.IP("-n", line.B, "addr", "del", now.String()+"/24", "dev", "tun0"); err != nil {
		return 0, err
	}
	return worst, ordered(host, time.Time{})
}

// rebinding lets a NAT forget the console's port every 5 s; nobody is told.
func (l *lab) rebinding() error {
	n, err := l.newNet("cone", "cone")
	if err != nil {
		return err
	}
	defer n.close()
	r, err := l.relay(n.relay, n.relayAddr+":8443")
	if err != nil {
		return err
	}
	defer r.kill()
	host, console, err := l.meet(r, n.host, n.console, "relay", "relay")
	if err != nil {
		return err
	}
	defer host.stop()
	defer console.stop()
	time.Sleep(2 * time.Second)
	begun := time.Now()
	typing(console, *rebind)
	times := 0
	for time.Since(begun) < *rebind-5*time.Second {
		time.Sleep(5 * time.Second)
		if err := n.rebind(times); err != nil {
			return err
		}
		times++
	}
	time.Sleep(3 * time.Second)
	lost := 0
	for _, e := range console.all(begun) {
		if e.Text == "lost" {
			lost++
		}
	}
	longest := gap(host, begun)
	err = ordered(host, begun)
	l.add(fmt.Sprintf("a NAT gives another port every 5 s for %v, nobody is told: longest gap, contacts lost", *rebind), "at most 1500 ms, 0",
		fmt.Sprintf("%s, %d", ms(longest), lost), longest <= 1500*time.Millisecond && lost == 0 && err == nil)
	return err
}

// partitions cuts the line of the host for a while.
func (l *lab) partitions() error {
	line, err := transporttest.NewLine(1500, transporttest.Trouble{Delay: 10 * time.Millisecond}, 1)
	if err != nil {
		return err
	}
	defer line.Close()
	r, err := l.relay(line.A, line.AddrA.String()+":8443")
	if err != nil {
		return err
	}
	defer r.kill()
	host, console, err := l.meet(r, line.B, line.A, "relay", "relay") // the host is at the far end
	if err != nil {
		return err
	}
	defer host.stop()
	defer console.stop()
	time.Sleep(2 * time.Second)
	for _, s := range strings.Split(*away, ",") {
		d, err := time.ParseDuration(s)
		if err != nil {
			return err
		}
		at := time.Now()
		line.Set(transporttest.Trouble{Down: true})
		seen, err := console.wait("lost", at, d+5*time.Second, func(e event) bool { return e.Text == "lost" })
		if err != nil {
			return err
		}
		customer, err := host.wait("no contact", at, d+5*time.Second, func(e event) bool { return e.What == "contact" && e.N == 0 })
		if err != nil {
			return err
		}
		console.tell("say away for %v", d)
		time.Sleep(max(0, time.Until(at.Add(d))))
		line.Set(transporttest.Trouble{Delay: 10 * time.Millisecond})
		up := time.Now()
		back, err := console.wait("back", up, 60*time.Second, func(e event) bool { return e.Text == "in" })
		if err != nil {
			return err
		}
		_, err = console.wait("the words", up, 10*time.Second, func(e event) bool { return e.What == "heard" && e.Text == fmt.Sprintf("away for %v", d) })
		asked := 0
		for _, e := range host.all(at) {
			if e.What == "asked" {
				asked++
			}
		}
		noticed, told, took := time.Duration(seen.At-at.UnixNano()), time.Duration(customer.At-at.UnixNano()), time.Duration(back.At-up.UnixNano())
		l.add(fmt.Sprintf("the host has no network for %v: agent and customer see it after, contact again after, what was said arrives, questions", d),
			"3 s, 3 s, –, yes, 0", fmt.Sprintf("%s, %s, %s, %s, %d", ms(noticed), ms(told), ms(took), map[bool]string{true: "yes", false: "no"}[err == nil], asked),
			noticed <= 3500*time.Millisecond && told <= 3500*time.Millisecond && err == nil && asked == 0)
		time.Sleep(3 * time.Second)
	}
	return l.suspended(host, console)
}

// suspended stops the host's process for a while, as a laptop that sleeps.
func (l *lab) suspended(host, console *proc) error {
	const d = 20 * time.Second
	at := time.Now()
	// The process is the child of ip(8), which has become it.
	if err := host.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	_, err := console.wait("lost", at, d, func(e event) bool { return e.Text == "lost" })
	if err != nil {
		return err
	}
	console.tell("say good morning")
	time.Sleep(max(0, time.Until(at.Add(d))))
	up := time.Now()
	if err := host.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	back, err := console.wait("back", up, 60*time.Second, func(e event) bool { return e.Text == "in" })
	if err != nil {
		return err
	}
	_, err = console.wait("the words", up, 10*time.Second, func(e event) bool { return e.What == "heard" && e.Text == "good morning" })
	asked := 0
	for _, e := range host.all(at) {
		if e.What == "asked" {
			asked++
		}
	}
	l.add(fmt.Sprintf("the host is suspended for %v: contact again after, what was said arrives, questions", d), "–, yes, 0",
		fmt.Sprintf("%s, %s, %d", ms(time.Duration(back.At-up.UnixNano())), map[bool]string{true: "yes", false: "no"}[err == nil], asked), err == nil && asked == 0)
	return nil
}
