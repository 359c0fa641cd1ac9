package agent

import (
	"testing"
	"time"
)

// A busy machine makes the first packets seem slow; what came since shows that the line is not.
func TestMeterKnowsThinLines(t *testing.T) {
	start := time.Unix(1000, 0)
	m := meter{at: start}
	slow := 1300 * time.Millisecond
	if got := m.thin(slow); got != slow {
		t.Errorf("before anything came: %v", got)
	}
	m.count(start.Add(time.Second), 1500, 0)
	if got := m.thin(slow); got != slow {
		t.Errorf("at 12 kbit/s: %v", got)
	}
	m.count(start.Add(2*time.Second), 1500+25800, 0)
	m.count(start.Add(3*time.Second), 1500+25800, 0)
	if got := m.thin(slow); got != 100*time.Millisecond {
		t.Errorf("at 206 kbit/s: %v", got)
	}
	if got := m.thin(0); got != 0 {
		t.Errorf("a line that never seemed slow: %v", got)
	}
}
