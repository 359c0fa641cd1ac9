//go:build lab && linux

package main

import (
	"fmt"
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
func gap(h *proc, at time.Time) time.Duration { return gapOf(h, "played", at) }

// gapOf is the longest time without an event since at.
func gapOf(p *proc, what string, at time.Time) (longest time.Duration) {
	before := at.UnixNano()
	for _, e := range p.all(at) {
		if e.What == what {
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
	if err := l.unnoticed(); err != nil {
		return err
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

// unnoticed gives the box of the console's network another address, which no end of the session is told: first while keys are
// typed, then while pictures come and the agent does nothing.
func (l *lab) unnoticed() error {
	n, err := l.behindBoxes("cone", "cone", "relay")
	if err != nil {
		return err
	}
	defer n.close()
	time.Sleep(2 * time.Second)
	const times, every = 5, 6 * time.Second
	worst := func(p *proc, what string) (longest time.Duration, err error) {
		for range times {
			time.Sleep(2 * time.Second)
			at := time.Now()
			if err := n.readdress(); err != nil {
				return 0, err
			}
			time.Sleep(every - 2*time.Second)
			longest = max(longest, gapOf(p, what, at))
		}
		return longest, nil
	}
	typing(n.c, times*every+time.Second)
	longest, err := worst(n.h, "played")
	if err != nil {
		return err
	}
	l.add(fmt.Sprintf("the network has another address, nobody is told; keys are typed: longest gap of %d", times), "at most 1500 ms", ms(longest), longest <= 1500*time.Millisecond)
	time.Sleep(2 * time.Second)
	n.h.tell("paint %d 50ms", (times*every+2*time.Second)/(50*time.Millisecond))
	if longest, err = worst(n.c, "shown"); err != nil {
		return err
	}
	l.add("… only pictures come: longest gap between two", "at most 1500 ms", ms(longest), longest <= 1500*time.Millisecond)
	return ordered(n.h, time.Time{})
}

// rebinding lets a NAT forget the console's port every 5 s; nobody is told.
func (l *lab) rebinding() error {
	n, err := l.behindBoxes("cone", "cone", "relay")
	if err != nil {
		return err
	}
	defer n.close()
	time.Sleep(2 * time.Second)
	begun := time.Now()
	typing(n.c, *rebind)
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
	for _, e := range n.c.all(begun) {
		if e.Text == "lost" {
			lost++
		}
	}
	longest := gap(n.h, begun)
	err = ordered(n.h, begun)
	l.add(fmt.Sprintf("a NAT gives another port every 5 s for %v, nobody is told: longest gap, contacts lost", *rebind), "at most 1500 ms, 0",
		fmt.Sprintf("%s, %d", ms(longest), lost), longest <= 1500*time.Millisecond && lost == 0 && err == nil)
	return err
}
