package inner

import "assist/diag"

// NewDeed is a deed as it travels.
func NewDeed(d diag.Deed) *RunBegin {
	return &RunBegin{Action: &RunBegin_Deed{Deed: &RunDeed{Restart: d.Restart, End: uint32(d.End), Hard: d.Hard, Reboot: d.Reboot}}}
}

// maxPID is the largest number of a process anywhere: PID_MAX_LIMIT of 64-bit Linux; others stay below.
const maxPID = 1 << 22

// ParseDeed takes a deed from a console.
func ParseDeed(m *RunDeed) (diag.Deed, error) {
	if m.GetEnd() > maxPID {
		return diag.Deed{}, malformed("process %d", m.GetEnd())
	}
	d := diag.Deed{Restart: m.GetRestart(), End: int(m.GetEnd()), Hard: m.GetHard(), Reboot: m.GetReboot()}
	if err := d.Check(); err != nil {
		return d, malformed("%v", err)
	}
	return d, nil
}
