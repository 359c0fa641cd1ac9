package broker

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// guesser tries wrong codes at a time of its own.
type guesser struct {
	l   *limits
	now time.Time
}

func newGuesser() *guesser { return &guesser{newLimits(func(int) {}), noon} }

// wrong makes one wrong try and says how long it had to wait instead.
func (g *guesser) wrong(who string, from netip.Addr) time.Duration {
	t, wait := g.l.begin(who, from, g.now)
	if wait == 0 {
		t.wrong(g.now)
	}
	return wait
}

// home gives every n a network of its own.
func home(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1}) }

func TestAccountWaitsTwiceAsLongEveryTime(t *testing.T) {
	g := newGuesser()
	for i := range accountWrong {
		if wait := g.wrong("eve", home(i)); wait != 0 {
			t.Fatalf("try %d has to wait %v", i+1, wait)
		}
	}
	want := []time.Duration{10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440}
	tries := accountWrong
	for i, minutes := range want {
		wait := g.wrong("eve", home(100+i))
		if wait != minutes*time.Minute && tries < accountDay {
			t.Fatalf("after %d wrong tries the wait is %v, want %d min", tries, wait, minutes)
		}
		if other := g.wrong(fmt.Sprint("bob", i), home(200+i)); other != 0 {
			t.Fatalf("another account waits %v", other)
		}
		g.now = g.now.Add(wait - time.Second)
		if g.wrong("eve", home(300+i)) == 0 {
			t.Fatal("a try before the end of the wait")
		}
		g.now = g.now.Add(time.Second)
		if wait := g.wrong("eve", home(400+i)); wait != 0 {
			t.Fatalf("after the wait there are %v more", wait)
		}
		tries++
	}
}

// TeamViewer's shape: 24 tries take 17 hours. Here a patient guesser gets no more than accountDay in a day.
func TestTriesOfAnAccountInADay(t *testing.T) {
	g := newGuesser()
	tries := 0
	for end := g.now.Add(day); g.now.Before(end); {
		wait := g.wrong("eve", home(tries))
		if wait == 0 {
			tries++
			wait = accountWindow / accountWrong // never five within a window
		}
		g.now = g.now.Add(wait)
	}
	if tries > accountDay {
		t.Errorf("%d wrong tries in a day, %d are allowed", tries, accountDay)
	}
}

func TestRightTriesNeverCount(t *testing.T) {
	g := newGuesser()
	for i := range 1000 {
		try, wait := g.l.begin("eve", home(0), g.now)
		if wait != 0 {
			t.Fatalf("right try %d waits %v", i, wait)
		}
		try.right()
	}
}

func TestManyTriesAtOnceGainNothing(t *testing.T) {
	g := newGuesser()
	running := 0
	for range 100 {
		if _, wait := g.l.begin("eve", home(0), g.now); wait == 0 {
			running++
		}
	}
	if running != accountWrong {
		t.Errorf("%d tries of one account run at once", running)
	}
	g = newGuesser()
	running = 0
	for i := range 100 {
		if _, wait := g.l.begin(fmt.Sprint("agent", i), home(0), g.now); wait == 0 {
			running++
		}
	}
	if running != narrowMinute {
		t.Errorf("%d tries from one address run at once", running)
	}
}

func TestNetworks(t *testing.T) {
	for _, c := range []struct {
		name string
		addr func(i int) string
		want int // wrong tries within a minute
	}{
		{"one IPv4 address", func(int) string { return "192.0.2.7" }, narrowMinute},
		{"the same written as IPv6", func(int) string { return "::ffff:192.0.2.7" }, narrowMinute},
		{"an IPv4 /24", func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, wideMinute},
		{"an IPv6 /64", func(i int) string { return fmt.Sprintf("2001:db8:0:1::%x", i+1) }, narrowMinute},
		{"an IPv6 /48", func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i+1) }, wideMinute},
		{"different IPv4 networks", func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, 100},
		{"different IPv6 networks", func(i int) string { return fmt.Sprintf("2001:db8:%x::1", i+1) }, 100},
	} {
		g := newGuesser()
		count := func() (n int) {
			for i := range 100 {
				if g.wrong(fmt.Sprintf("agent%d-%v", i, g.now), netip.MustParseAddr(c.addr(i))) == 0 {
					n++
				}
			}
			return n
		}
		if n := count(); n != c.want {
			t.Errorf("%s: %d wrong tries at once, want %d", c.name, n, c.want)
		}
		g.now = g.now.Add(time.Minute)
		if n := count(); n != c.want {
			t.Errorf("%s: %d wrong tries a minute later, want %d", c.name, n, c.want)
		}
	}
}

func TestAlarmAndStrictness(t *testing.T) {
	alarms := 0
	g := &guesser{newLimits(func(int) { alarms++ }), noon}
	for i := range alarmHour * 2 {
		g.wrong(fmt.Sprint("a", i), home(i))
	}
	if alarms != 1 {
		t.Errorf("%d alarms in the first hour", alarms)
	}
	g.now = g.now.Add(time.Hour)
	for i := range strictDay {
		g.wrong(fmt.Sprint("b", i), home(i))
	}
	if alarms != 2 {
		t.Errorf("%d alarms in two hours", alarms)
	}
	if wait := g.wrong("fresh", home(5000)); wait != 0 {
		t.Errorf("an account without a wrong try waits %v", wait)
	}
	g.now = g.now.Add(time.Hour)
	if wait := g.wrong("fresh", home(5001)); wait < 20*time.Hour {
		t.Errorf("the second wrong try of a day waits only %v", wait)
	}
	g.now = g.now.Add(day)
	for range accountWrong {
		if wait := g.wrong("calm", home(5002)); wait != 0 {
			t.Errorf("a day later an account waits %v", wait)
		}
	}
}

// An attacker who brings many names slows newcomers down, and frees nobody.
func TestFullMapForgetsNobodyWhoIsLocked(t *testing.T) {
	g := newGuesser()
	for range accountWrong {
		g.wrong("eve", home(0))
	}
	for i := range maxTracked + 10 {
		g.l.accounts.get(fmt.Sprint("flood", i), g.now).wrong(g.now)
	}
	if n := len(g.l.accounts.all); n > maxTracked {
		t.Errorf("%d accounts are kept", n)
	}
	if g.wrong("eve", home(1)) == 0 {
		t.Error("a locked account is free again")
	}
	g.now = g.now.Add(2 * day)
	g.l.accounts.get("newcomer", g.now)
	if n := len(g.l.accounts.all); n != 1 {
		t.Errorf("%d accounts are kept after two days", n)
	}
}

func TestPace(t *testing.T) {
	p := newPace(10)
	for i := range 10 {
		if wait := p.take("a", noon); wait != 0 {
			t.Fatalf("%d waits %v", i, wait)
		}
	}
	if wait := p.take("a", noon); wait < time.Second || wait > 7*time.Second {
		t.Errorf("the eleventh waits %v", wait)
	}
	if p.take("b", noon) != 0 {
		t.Error("another one waits, too")
	}
}
