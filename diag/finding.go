package diag

import "fmt"

// Severity is how bad a finding is.
type Severity uint8

// The severities, mildest first.
const (
	OK   Severity = iota // looked at, nothing wrong
	Note                 // worth knowing
	Warn                 // will become a problem, or makes one likely
	Bad                  // is a problem
)

var severities = [...]string{OK: "ok", Note: "note", Warn: "warn", Bad: "bad"}

func (s Severity) String() string {
	if int(s) < len(severities) {
		return severities[s]
	}
	return "ok"
}

// MarshalText writes the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, w := range severities {
		if w == string(b) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("%.16q is no severity", b)
}

// Finding is what a check found: how bad, the evidence, and what to do next.
type Finding struct {
	ID       string   `json:"id"` // of the check, stable
	Severity Severity `json:"severity"`
	Subject  string   `json:"subject,omitempty"` // the disk, unit or file it is about, where there are several
	Evidence string   `json:"evidence"`
	Advice   string   `json:"advice,omitempty"`
	Category ID       `json:"category"`
}

// Worst are the n worst findings that are not ok. Findings are in order.
func (r Report) Worst(n int) []Finding {
	for i, f := range r.Findings {
		if i == n || f.Severity == OK {
			return r.Findings[:i]
		}
	}
	return r.Findings
}

// Count says how many findings are of each severity.
func (r Report) Count() (n [Bad + 1]int) {
	for _, f := range r.Findings {
		n[min(f.Severity, Bad)]++
	}
	return n
}

// Summary is one line about all findings.
func (r Report) Summary() string {
	n := r.Count()
	return fmt.Sprintf("%d bad, %d warn, %d note, %d ok", n[Bad], n[Warn], n[Note], n[OK])
}
