//go:build lab && linux

package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"assist/session"
	"assist/transport/transporttest"
)

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
