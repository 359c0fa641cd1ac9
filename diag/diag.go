// Package diag holds what is known about the customer's machine: the questions, and the words for the answers.
//
// It is vocabulary: no goroutine, no clock, no disk. Reading the machine is diag/probe.
package diag

import "strings"

// System is the identity of a machine, as a person would say it.
type System struct {
	Host   string // its own name
	OS     string // e.g. "Debian GNU/Linux 12 (bookworm)"
	Kernel string // e.g. "Linux 6.1.0"
	Arch   string // e.g. "amd64"
}

// Line puts operating system, kernel and architecture into one line; what is unknown is left out.
func (s System) Line() string {
	var parts []string
	for _, p := range []string{s.OS, s.Kernel, s.Arch} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}
