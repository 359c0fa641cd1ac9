package diag

import (
	"errors"
	"fmt"
	"regexp"
)

// Deed is one thing that is done about a finding. Exactly one of Restart, End and Reboot is set.
type Deed struct {
	Restart string // name of a unit or service
	End     int    // number of a process
	Hard    bool   // with End: without letting it tidy up
	Reboot  bool   // the machine
}

// unitName is what systemd allows (systemd.unit(5)) but for what a shell or a program could take for something else.
var unitName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,255}$`)

// ErrDeed says that a deed makes no sense.
var ErrDeed = errors.New("nothing that can be done")

// Check says whether d is one thing that may be tried.
func (d Deed) Check() error {
	n := 0
	for _, set := range []bool{d.Restart != "", d.End != 0, d.Reboot} {
		if set {
			n++
		}
	}
	switch {
	case n != 1 || d.Hard && d.End == 0:
		return ErrDeed
	case d.Restart != "" && !unitName.MatchString(d.Restart):
		return fmt.Errorf("%w: %.80q is no name of a unit", ErrDeed, d.Restart)
	case d.End < 0 || d.End == 1:
		return fmt.Errorf("%w: process %d is not ended from here", ErrDeed, d.End)
	}
	return nil
}

// String says the deed as it goes on after "wants to".
func (d Deed) String() string {
	switch {
	case d.Restart != "":
		return "restart " + d.Restart + " on this computer"
	case d.End != 0 && d.Hard:
		return fmt.Sprintf("end process %d of this computer at once", d.End)
	case d.End != 0:
		return fmt.Sprintf("end process %d of this computer", d.End)
	}
	return "restart this computer"
}
