package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"assist/session/host/machine"
)

// socketPath is where the people at a machine reach its session.
func (p *machinePlace) socketPath() string {
	xdg.Reload()
	switch dir := os.Getenv("RUNTIME_DIRECTORY"); {
	case dir != "": // systemd's RuntimeDirectory=
		return filepath.Join(dir, "host.sock")
	case p.state != "":
		return filepath.Join(p.state, "host.sock")
	case os.Geteuid() == 0:
		return systemSocket
	}
	return filepath.Join(xdg.RuntimeDir, "assist", "host.sock")
}

// systemSocket is that of the machine's own installation.
const systemSocket = "/run/assist/host.sock"

func newLocalFront(path string) machine.Door { return machine.Door{Path: path, May: machine.Here} }

// sockets are where a session of this machine may be reached: its own installation, and this user's.
func (p *machinePlace) sockets() []string { return []string{systemSocket, p.socketPath()} }

func (p *machinePlace) askDoor(word string) (said machine.Said, err error) {
	err = machine.ErrNobody
	for _, path := range p.sockets() {
		if said, err = machine.AskDoor(path, word); !errors.Is(err, machine.ErrNobody) {
			break
		}
	}
	return said, err
}

func newRefuseCommand() *cobra.Command {
	var p machinePlace
	cmd := &cobra.Command{
		Use:   "refuse",
		Short: "Refuse the agent who is about to use this machine, or end the session that is open on it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			said, err := p.askDoor("refuse")
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), printable(said.Done))
			return nil
		},
	}
	p.flags(cmd)
	return cmd
}

// hostStatus is what assist host status says.
type hostStatus struct {
	Enrolled bool     `json:"enrolled"`
	Name     string   `json:"name,omitempty"`
	Org      string   `json:"org,omitempty"`
	Relay    string   `json:"relay,omitempty"`
	Pin      string   `json:"pin,omitempty"`
	Policy   string   `json:"policy,omitempty"`
	Error    string   `json:"error,omitempty"` // why nobody is let in
	Session  bool     `json:"session"`
	Agents   []string `json:"agents"`
	Asks     string   `json:"asks,omitempty"`
}

func newHostStatusCommand() *cobra.Command {
	var p machinePlace
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what this machine is enrolled as, and who is on it now",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := p.status()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(st)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), st)
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (p *machinePlace) status() (hostStatus, error) {
	st := hostStatus{Agents: []string{}}
	said, err := p.askDoor("status")
	if st.Session = err == nil; st.Session {
		st.Agents, st.Asks = said.Agents, said.Asks
	}
	e, id, err := p.folder().Load()
	if errors.Is(err, machine.ErrNotEnrolled) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	st.Enrolled, st.Name, st.Org, st.Relay, st.Pin, st.Policy = true, e.Name, e.Org, e.Relay, string(id.Fingerprint.Pin()), p.policyPath()
	if err := machine.NewGate(p.folder(), p.policyPath(), e).Check(); err != nil {
		st.Error = err.Error()
	}
	return st, nil
}

func (st hostStatus) String() string {
	var b strings.Builder
	switch {
	case !st.Enrolled:
		b.WriteString("not enrolled: nobody can use this machine unattended\n")
	case st.Error != "":
		fmt.Fprintf(&b, "%s@%s at %s, key %s\nnobody is let in: %s\n", st.Name, st.Org, st.Relay, st.Pin, printable(st.Error))
	default:
		fmt.Fprintf(&b, "%s@%s at %s, key %s\npolicy %s\n", st.Name, st.Org, st.Relay, st.Pin, st.Policy)
	}
	switch {
	case !st.Session:
		b.WriteString("nobody is on it\n")
	case len(st.Agents) > 0:
		fmt.Fprintf(&b, "on it now: %s\n", printable(strings.Join(st.Agents, ", ")))
	}
	if st.Asks != "" {
		fmt.Fprintf(&b, "about to come: %s; assist host refuse keeps them out\n", printable(st.Asks))
	}
	return b.String()
}
