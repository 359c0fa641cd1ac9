//go:build lab && linux

package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"assist/transport/transporttest"
)

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
	fileKills = 30
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
