package diag

import (
	"fmt"
	"time"
)

// Priority is how urgent a line of the event log is: RFC 5424, 6.2.1.
type Priority uint8

var priorities = [...]string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

// The priorities that have a meaning here.
const (
	Critical Priority = 2
	Error    Priority = 3
	Warning  Priority = 4
	Debug    Priority = 7
)

func (p Priority) String() string {
	if int(p) < len(priorities) {
		return priorities[p]
	}
	return "debug"
}

// ParsePriority reads a name or a number from 0 to 7.
func ParsePriority(s string) (Priority, error) {
	for i, name := range priorities {
		if s == name || len(s) > 2 && len(s) < len(name) && name[:len(s)] == s || s == fmt.Sprint(i) {
			return Priority(i), nil
		}
	}
	return 0, fmt.Errorf("%.32q is no priority: emergency, alert, critical, error, warning, notice, info, debug", s)
}

// Event is one line of the machine's event log.
type Event struct {
	At       time.Time `json:"time"`
	Priority Priority  `json:"priority"`
	Unit     string    `json:"unit,omitempty"` // the unit or program that said it
	Text     string    `json:"text"`
}

// Clean passes every text through f.
func (e Event) Clean(f func(string) string) Event {
	e.Unit, e.Text, e.Priority = Clip(f(e.Unit), MaxValue), Clip(f(e.Text), MaxValue), min(e.Priority, Debug)
	return e
}

// Line is the event as people read it.
func (e Event) Line() string {
	return fmt.Sprintf("%s %-8s %s: %s", e.At.Local().Format("Jan 02 15:04:05"), e.Priority, e.Unit, e.Text)
}

// EventQuery is which lines of the event log are wanted.
type EventQuery struct {
	Most   Priority `json:"priority"`       // at most this one
	Unit   string   `json:"unit,omitempty"` // empty: all
	Last   int      `json:"last"`           // so many of those that are there
	Follow bool     `json:"follow,omitempty"`
}

// Bounds of an event query.
const (
	MaxEvents = 500 // lines that are there already
	MaxUnit   = 256 // bytes of a unit's name: systemd's UNIT_NAME_MAX
)

// String says in words what is asked for.
func (q EventQuery) String() string {
	s := fmt.Sprintf("the last %d lines of the event log", q.Last)
	if q.Unit != "" {
		s += " of " + q.Unit
	}
	if q.Most < Debug {
		s += ", of priority " + q.Most.String() + " and above"
	}
	if q.Follow {
		s += ", and those that come"
	}
	return s
}
