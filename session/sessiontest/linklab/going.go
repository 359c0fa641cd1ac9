//go:build lab && linux

package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"assist/session"
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

// kill kills the relay again and again while keys are typed and words are said, and then while a file is sent as well.
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
	if err := l.killing("kill -9 of the relay", r, host, console, *kills); err != nil {
		return err
	}
	return l.killBeside()
}

// killing kills the relay n times and adds what became of it.
func (l *lab) killing(what string, r *relayAt, host, console *proc, n int) error {
	begun := time.Now()
	typing(console, time.Duration(n)*5*time.Second)
	var took []time.Duration
	for i := range n {
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
	l.add(fmt.Sprintf("%s, back after 1 s, %d times: traffic after it listens, p50 / p95 / worst", what, n), "p95 1 s",
		fmt.Sprintf("%s / %s / %s", ms(quantile(took, 0.5)), ms(p95), ms(took[len(took)-1])), p95 <= time.Second)
	time.Sleep(3 * time.Second)
	asked, words, lost := countOf(host, "asked", begun), map[string]int{}, 0
	for _, e := range console.all(begun) {
		switch {
		case e.What == "heard":
			words[e.Text]++
		case e.Text == "lost":
			lost++
		}
	}
	once := 0
	for i := range n {
		if words[fmt.Sprintf("word %d", i)] == 1 {
			once++
		}
	}
	l.add("… questions to the customer, words that arrived once, links that had to be made anew", fmt.Sprintf("0, %d, –", n),
		fmt.Sprintf("%d, %d, %d", asked, once, lost), asked == 0 && once == n)
	return nil
}

// countOf is how often a process said something since at.
func countOf(p *proc, what string, at time.Time) (n int) {
	for _, e := range p.all(at) {
		if e.What == what {
			n++
		}
	}
	return n
}

// A line on which a file lasts as long as the kills beside it.
const (
	fileRate  = 1 << 20 // bytes a second
	fileKills = 10
	killEvery = 4 // seconds, about
)

// killBeside kills the relay while a file is on its way.
func (l *lab) killBeside() error {
	line, err := transporttest.NewLine(1500, transporttest.Trouble{Delay: 10 * time.Millisecond, Rate: fileRate, Queue: 100 * time.Millisecond}, 1)
	if err != nil {
		return err
	}
	defer line.Close()
	r, err := l.relay(line.A, line.AddrA.String()+":8443")
	if err != nil {
		return err
	}
	defer func() { r.kill() }()
	host, console, err := l.meet(r, line.A, line.B, "relay", "relay")
	if err != nil {
		return err
	}
	defer host.stop()
	defer console.stop()
	n := min(*kills, fileKills)
	whole := make([]byte, n*killEvery*fileRate)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(whole) // never fails
	name := filepath.Join(l.dir, "large")
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		return err
	}
	time.Sleep(time.Second)
	begun := time.Now()
	console.tell("put %s", name)
	if _, err := host.wait("the question about the file", begun, 10*time.Second, func(e event) bool { return e.What == "asked" }); err != nil {
		return err
	}
	time.Sleep(time.Second)
	if err := l.killing("kill -9 of the relay while a file is sent at 1 MiB/s", r, host, console, n); err != nil {
		return err
	}
	early := countOf(console, "file", begun) > 0
	e, err := console.wait("the file", begun, 3*time.Duration(n*killEvery)*time.Second, func(e event) bool { return e.What == "file" })
	there, _ := os.ReadFile(filepath.Join(l.files(), "large"))
	want := fmt.Sprintf("%x", sha256.Sum256(whole))
	right := err == nil && e.Text == want && fmt.Sprintf("%x", sha256.Sum256(there)) == want
	l.add(fmt.Sprintf("… the file of %d MiB: still on its way after the last kill, whole with the right SHA-256, begun, after", len(whole)>>20), "yes, yes, –, –",
		fmt.Sprintf("%s, %s, %d times, %s", yes(!early), yes(right), e.N, result(time.Duration(e.At-begun.UnixNano()), err)), right && !early)
	return nil
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "no"
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
		if err := l.partition(line, host, console, d); err != nil {
			return fmt.Errorf("without network for %v: %w", d, err)
		}
		time.Sleep(3 * time.Second)
	}
	return l.suspended(host, console)
}

// partition cuts the host's line for d and looks at what the table of a session's rules says of that: everybody sees it, chat is
// kept, the seat is held, the session goes on by itself without a question.
func (l *lab) partition(line *transporttest.Line, host, console *proc, d time.Duration) error {
	before := newest(console)
	at := time.Now()
	line.Set(transporttest.Trouble{Down: true})
	seen, err := console.wait("lost", at, d+5*time.Second, func(e event) bool { return e.Text == "lost" })
	if err != nil {
		return err
	}
	told, err := host.wait("no contact", at, d+5*time.Second, func(e event) bool { return e.What == "contact" && e.N == 0 })
	if err != nil {
		return err
	}
	words := fmt.Sprintf("away for %v", d)
	console.tell("say %s", words)
	_, err = console.wait("words that wait", at, 5*time.Second, func(e event) bool { return e.Unsent > 0 })
	waits := err == nil
	time.Sleep(max(0, time.Until(at.Add(d))))
	seat := seatOf(host)
	line.Set(transporttest.Trouble{Delay: 10 * time.Millisecond})
	up := time.Now()
	back, err := console.wait("back", up, 60*time.Second, func(e event) bool { return e.Text == "in" })
	if err != nil {
		return err
	}
	_, err = console.wait("the words", up, 10*time.Second, func(e event) bool { return e.What == "heard" && e.Text == words })
	time.Sleep(time.Second)
	heard, now := 0, newest(console)
	for _, e := range console.all(at) {
		if e.What == "heard" && e.Text == words {
			heard++
		}
	}
	took := func(e event, since time.Time) time.Duration { return time.Duration(e.At - since.UnixNano()) }
	noticed, customer := took(seen, at), took(told, at)
	l.add(fmt.Sprintf("the host has no network for %v: agent and customer see it after, contact again after", d), "3 s, 3 s, –",
		fmt.Sprintf("%s, %s, %s", ms(noticed), ms(customer), ms(took(back, up))), noticed <= 3*time.Second && customer <= 3*time.Second)
	held := "held"
	if d > session.SeatHold {
		held = "given up"
	}
	same := now.Self == before.Self && now.Code == before.Code && now.Lead == before.Lead && now.Unsent == 0
	asked := countOf(host, "asked", at)
	l.add("… what was said waits and arrives once; the seat meanwhile; the same session, seat and lead after; questions", "yes, yes; "+held+"; yes; 0",
		fmt.Sprintf("%s, %s; %s; %s; %d", yes(waits), yes(heard == 1), seat, yes(same), asked), waits && heard == 1 && err == nil && seat == held && same && asked == 0)
	return nil
}

// newest is the last state of a console.
func newest(c *proc) (last event) {
	for _, e := range c.all(time.Time{}) {
		if e.What == "state" {
			last = e
		}
	}
	return last
}

// seatOf is what the customer saw last of the agent's seat.
func seatOf(h *proc) (last string) {
	for _, e := range h.all(time.Time{}) {
		if e.What == "seat" {
			last = e.Text
		}
	}
	return last
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
	asked := countOf(host, "asked", at)
	l.add(fmt.Sprintf("the host is suspended for %v: contact again after, what was said arrives, questions", d), "–, yes, 0",
		fmt.Sprintf("%s, %s, %d", ms(time.Duration(back.At-up.UnixNano())), yes(err == nil), asked), err == nil && asked == 0)
	return nil
}
