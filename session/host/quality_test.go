package host

import (
	"testing"
	"time"

	"assist/screen"
	"assist/transport"
)

// on is a line of so many bytes a second that was full a moment ago.
func on(rate float64, rtt time.Duration) transport.Line {
	return transport.Line{Rate: rate, Base: rtt, First: rtt, Full: true, Sent: 1000}
}

func judged(pin screen.Pin, l transport.Line) (*judge, time.Time) {
	j, now := newJudge(), time.Unix(100, 0)
	j.pin = pin
	j.look(now, l)
	return j, now
}

func TestHowRoughAPictureMayBe(t *testing.T) {
	const whole, part, key = 320 * 192, 10_000, 40
	for _, c := range []struct {
		name   string
		pin    screen.Pin
		line   transport.Line
		marked int
		level  int
		why    screen.Why
	}{
		{"nothing is known", screen.Auto, transport.Line{Sent: 1000}, whole, 0, screen.WhyNone},
		{"a good line", screen.Auto, on(1e6, 0), whole, 0, screen.WhyNone},
		{"1 Mbit/s, everything moves", screen.Auto, on(125_000, 0), whole, 0, screen.WhyNone},
		{"256 kbit/s, everything moves", screen.Auto, on(32_000, 0), whole, 2, screen.WhyLine},
		{"64 kbit/s, everything moves", screen.Auto, on(8000, 0), whole, 4, screen.WhyLine},
		{"64 kbit/s, a part moves", screen.Auto, on(8000, 0), part, 1, screen.WhyLine},
		{"16 kbit/s, a letter", screen.Auto, on(2000, 0), key, 0, screen.WhyNone},
		{"the same, pinned to sharp", screen.Sharp, on(2000, 0), whole, 0, screen.WhyNone},
		{"256 kbit/s, pinned to fast", screen.Fast, on(32_000, 0), whole, 4, screen.WhyLine},
		{"a good line, pinned to thin", screen.Thin, on(1e6, 0), whole, 3, screen.WhyPinned},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, now := judged(c.pin, c.line)
			j.perMark = 0.25
			got := j.choose(now, c.marked)
			if got.level != c.level || got.tune.Tolerance != levels[c.level].tolerance || got.tune.Coarse != levels[c.level].coarse {
				t.Errorf("level %d, %+v; %d is wanted", got.level, got.tune, c.level)
			}
			if q := j.quality(now, got); q.Why != c.why || q.Pin != c.pin {
				t.Errorf("because %v; %v is wanted", q.Why, c.why)
			}
		})
	}
}

func TestOneMessageTakesTheLineASecondAtMost(t *testing.T) {
	j, now := judged(screen.Auto, on(2000, 600*time.Millisecond))
	if limit := j.choose(now, 320*192).tune.Limit; limit > 2000*raw || limit < leastSlice {
		t.Errorf("%d bytes before compression", limit)
	}
	j, now = judged(screen.Auto, transport.Line{})
	if limit := j.choose(now, 320*192).tune.Limit; limit != 0 {
		t.Errorf("limit %d on a line that nobody knows", limit)
	}
}

func TestTheFirstPacketsTellAThinLine(t *testing.T) {
	j, now := judged(screen.Auto, transport.Line{First: 1860 * time.Millisecond, Base: 660 * time.Millisecond})
	if j.carries < 1500 || j.carries > 3000 {
		t.Errorf("carries %.0f bytes a second, 2000 would be right", j.carries)
	}
	if j.choose(now, 320*192).level == 0 {
		t.Error("the first picture is exact")
	}
}

func TestALineThatIsBetterAgainIsFoundOut(t *testing.T) {
	j, now := judged(screen.Auto, on(8000, 50*time.Millisecond))
	for range 60 * 15 {
		now = now.Add(pace)
		j.look(now, transport.Line{Rate: 8000, Base: 50 * time.Millisecond, Busy: true})
	}
	if j.carries != 0 && j.carries < 100_000 {
		t.Errorf("after a minute in which nothing was held back: %.0f bytes a second", j.carries)
	}
	j.look(now, on(16_000, 50*time.Millisecond))
	if j.carries != 16_000 {
		t.Errorf("measured 16000, believes %.0f", j.carries)
	}
}

func TestTheGridIsHalvedWhileThePictureMoves(t *testing.T) {
	j, now := judged(screen.Auto, on(2000, 600*time.Millisecond))
	scroll := func() { j.made(30_000, 4000, true, j.choose(now, 30_000)) }
	scroll()
	if j.resize(0) {
		t.Error("at the first large picture")
	}
	scroll()
	if !j.resize(0) || j.shrink != 2 {
		t.Fatalf("divided by %d", j.shrink)
	}
	if j.resize(time.Second) || j.quality(now, terms{}).Why != screen.WhyLine {
		t.Error("whole too early, or without a word")
	}
	if !j.resize(wholeAfter) || j.shrink != 1 {
		t.Errorf("after rest divided by %d", j.shrink)
	}
}

func TestTheGridIsWholeAgainOnALineThatCarriesIt(t *testing.T) {
	j, _ := judged(screen.Thin, transport.Line{})
	j.resize(0)
	if j.pin = screen.Auto; !j.resize(0) || j.shrink != 1 {
		t.Errorf("divided by %d on a line without a limit", j.shrink)
	}
	j, now := judged(screen.Auto, on(2000, 50*time.Millisecond))
	j.shrink = 2
	for range wholeIfQuick {
		if j.resize(0) {
			t.Fatal("whole too early")
		}
		j.made(300, 80, true, j.choose(now, 300)) // small changes that never rest
	}
	if !j.resize(0) || j.shrink != 1 {
		t.Errorf("divided by %d although all fits", j.shrink)
	}
}

func TestATerminalThatTakesLong(t *testing.T) {
	j, now := judged(screen.Auto, transport.Line{})
	j.drawn = 200 * time.Millisecond
	got := j.choose(now, 100)
	if got.every != 240*time.Millisecond {
		t.Errorf("%+v", got)
	}
	for _, s := range []struct {
		after, drawn time.Duration
		why          screen.Why
	}{
		{0, 200 * time.Millisecond, screen.WhyNone},
		{time.Second, 200 * time.Millisecond, screen.WhyNone},
		{2 * time.Second, 200 * time.Millisecond, screen.WhyTerminal},
		{3 * time.Second, 0, screen.WhyNone},
		{4 * time.Second, 200 * time.Millisecond, screen.WhyNone},
	} {
		j.drawn = s.drawn
		if why := j.quality(now.Add(s.after), got).Why; why != s.why {
			t.Errorf("after %v: %v", s.after, why)
		}
	}
}
