package probe

import (
	"context"
	"math"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"assist/diag"
)

// keepers are programs that keep a clock right.
var keepers = []string{"chronyd", "systemd-timesyncd", "systemd-timesyn", "ntpd", "ntpsec", "openntpd", "ptp4l", "phc2sys"}

func clock(_ context.Context, m *Machine, s *section) {
	s.text("time", s.now.UTC().Format("2006-01-02 15:04:05 UTC"))
	zone, offset := s.now.Zone()
	s.text("zone", zone+", "+diag.Span(float64(offset))+" east of UTC")
	by := ""
	for _, p := range m.processes() {
		if slices.Contains(keepers, p.name) {
			by = p.name
			break
		}
	}
	s.text("kept right by", map[bool]string{true: "nothing", false: by}[by == ""])
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		s.missing("synchronisation", err)
	} else {
		const unsync = 0x40 // STA_UNSYNC of adjtimex(2)
		const free = 5      // TIME_ERROR
		synced := t.Status&unsync == 0 && state != free
		within := float64(t.Maxerror) / 1e6
		s.text("synchronised", map[bool]string{true: "yes", false: "no"}[synced])
		if synced {
			s.num("uncertain by", within, diag.Seconds)
		}
		if synced && by == "" { // a guest whose hypervisor keeps the clock
			by = "another program or the hypervisor"
		}
		s.find(diag.Clock(synced, by, within))
	}
	if rtc, ok := m.number("/sys/class/rtc/rtc0/since_epoch"); ok {
		apart := s.now.Sub(time.Unix(int64(rtc), 0)).Seconds()
		s.num("hardware clock is behind by", math.Round(apart), diag.Seconds)
	} else {
		s.note("hardware clock: there is none")
	}
	if c := m.word("/sys/devices/system/clocksource/clocksource0/current_clocksource"); c != "" {
		s.text("source", c)
	}
}
