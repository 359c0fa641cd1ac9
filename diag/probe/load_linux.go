package probe

import (
	"context"
	"strings"

	"assist/diag"
)

func pressure(ctx context.Context, m *Machine, s *section) {
	loadBasics(ctx, s)
	if f := strings.Fields(m.word("/proc/loadavg")); len(f) > 3 {
		running, all, _ := strings.Cut(f[3], "/")
		s.num("running", decimal(running), diag.Count)
		s.num("threads", decimal(all), diag.Count)
	}
	for _, what := range []string{"cpu", "memory", "io"} {
		text, err := m.read("/proc/pressure/" + what)
		if err != nil {
			s.missing("pressure (kernel 4.20 with PSI)", err)
			return
		}
		psi := parsePressure(text)
		s.under("pressure on "+what, "", func() {
			for _, who := range []string{"some", "full"} {
				for _, span := range []string{"avg10", "avg60", "avg300"} {
					if v, ok := psi[who+" "+span]; ok {
						s.num(who+" waited, "+strings.TrimPrefix(span, "avg")+" s", v, diag.Percent)
					}
				}
			}
		})
		s.find(diag.Pressure(what, psi["some avg60"], psi["full avg60"]))
	}
}

// parsePressure reads a file of /proc/pressure: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0".
func parsePressure(text string) map[string]float64 {
	out := map[string]float64{}
	for _, line := range splitLines(text) {
		f := strings.Fields(line)
		for _, kv := range f[min(1, len(f)):] {
			if k, v, ok := strings.Cut(kv, "="); ok {
				out[f[0]+" "+k] = decimal(v)
			}
		}
	}
	return out
}
