package account

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"assist/transport"
)

const machinesFile = "known_machines"

// Machines are the enrolled machines of one relay, by the keys that they had when they were first met.
type Machines struct {
	path, relay string
}

// Machines are those of the relay at addr.
func (b *Book) Machines(addr string) Machines {
	return Machines{path: filepath.Join(b.config, machinesFile), relay: addr}
}

// MachinePin is the key by which NAME@ORG is known; empty when it has not been met.
func (m Machines) MachinePin(handle string) (transport.Pin, error) {
	known, err := m.read()
	if err != nil {
		return "", err
	}
	for _, k := range known {
		if k.relay == m.relay && k.handle == handle {
			return k.pin, nil
		}
	}
	return "", nil
}

// Known are the names of the machines that were met, NAME@ORG.
func (m Machines) Known() (out []string) {
	known, _ := m.read() // for completion: what cannot be read is not offered
	for _, k := range known {
		if k.relay == m.relay {
			out = append(out, k.handle)
		}
	}
	return out
}

// KeepMachine pins NAME@ORG, in place of the pin that it had.
func (m Machines) KeepMachine(handle string, pin transport.Pin) error {
	return m.replace(handle, pin)
}

// ForgetMachine drops the pin of NAME@ORG; ErrNone when there is none.
func (m Machines) ForgetMachine(handle string) error {
	pin, err := m.MachinePin(handle)
	if err == nil && pin == "" {
		err = ErrNone
	}
	if err != nil {
		return err
	}
	return m.replace(handle, "")
}

func (m Machines) replace(handle string, pin transport.Pin) error {
	known, err := m.read()
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString("# Enrolled machines, their relays, and the fingerprints of their keys. A machine with another key is refused.\n")
	for _, k := range known {
		if k.relay == m.relay && k.handle == handle {
			if k.pin == pin {
				return nil
			}
			continue
		}
		fmt.Fprintf(&out, "%s %s %s\n", k.handle, k.relay, k.pin)
	}
	if pin != "" {
		fmt.Fprintf(&out, "%s %s %s\n", handle, m.relay, pin)
	}
	return replace(m.path, []byte(out.String()))
}

type knownMachine struct {
	handle, relay string
	pin           transport.Pin
}

// read takes the file apart. A line that cannot be read is an error, because leaving it out would mean to trust more.
func (m Machines) read() ([]knownMachine, error) {
	text, err := readFile(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []knownMachine
	for _, l := range lines(text) {
		f := strings.Fields(l)
		if len(f) != 3 {
			return nil, fmt.Errorf("%s: %q is not MACHINE RELAY KEY", m.path, l)
		}
		pin, err := transport.ParsePin(f[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", m.path, l, err)
		}
		out = append(out, knownMachine{f[0], f[1], pin})
	}
	return out, nil
}
