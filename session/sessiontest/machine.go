package sessiontest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assist/diag/probe"
	"assist/session/agent"
	"assist/session/host"
	"assist/session/host/machine"
	"assist/transport"
)

// Machine is an enrolled machine with its folder and its policy.
type Machine struct {
	machine.Enrolment
	Folder machine.Folder
	Gate   *machine.Gate
	Key    transport.Pin
	Events chan host.Event // the newest 256

	Customer *Customer // who is logged in there; nil: nobody

	r       *Relay
	running *machine.Machine
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // of Run, once done is closed
}

// anything lets the agents of acme do everything.
const anything = `grants = ["view", "control", "chat", "diag", "clipboard", "file", "run"]`

// Enroll enrols NAME@ORG, whose organisation must be there, under a policy. Nothing is started.
func (r *Relay) Enroll(handle, policy string) *Machine {
	t := r.t
	t.Helper()
	name, org, _ := strings.Cut(handle, "@")
	token, err := r.admin.MintEnrolment(t.Context(), org, name, nil, 0)
	must(t, err)
	m := &Machine{Folder: machine.Folder{Dir: t.TempDir()}, Events: make(chan host.Event, 256), r: r}
	m.Enrolment, err = m.Folder.Enroll(t.Context(), machine.Wish{
		Relay: r.Relay, Options: r.options(nil), Token: machine.Token{Secret: token.Secret, OrgKey: r.OrgPin(org)}, System: "Debian 13",
	})
	must(t, err)
	_, id, err := m.Folder.Load()
	must(t, err)
	m.Key = id.Fingerprint.Pin()
	m.Gate = machine.NewGate(m.Folder, filepath.Join(m.Folder.Dir, "policy.toml"), m.Enrolment)
	m.Policy(policy)
	return m
}

// NewMachine is a machine that waits for agents.
func (r *Relay) NewMachine(handle, policy string) *Machine {
	r.t.Helper()
	m := r.Enroll(handle, policy)
	m.Start()
	return m
}

// Policy changes what the machine's owner allows.
func (m *Machine) Policy(text string) {
	m.r.t.Helper()
	must(m.r.t, os.WriteFile(m.Gate.Path, []byte(text), 0o600))
}

// Start is a new process of the machine.
func (m *Machine) Start() {
	t := m.r.t
	t.Helper()
	var err error
	m.running, err = machine.New(machine.Config{
		Folder: m.Folder, Gate: m.Gate, Options: m.r.options(nil), Software: "assist test", System: "Debian 13",
		Open: func() (machine.Stage, error) {
			stage := machine.Stage{Config: host.Config{Source: NewDisplay(640, 480), Injector: NewRecorder(), Prober: &probe.Machine{}}, Close: func() {}}
			if m.Customer != nil {
				stage.Config.Fronts = []host.Front{m.Customer}
			}
			return stage, nil
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Events: func(e host.Event) {
			select {
			case m.Events <- e:
			default:
			}
		},
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	m.cancel, m.done = cancel, make(chan struct{})
	go func(running *machine.Machine, done chan struct{}) {
		defer close(done)
		m.err = running.Run(ctx)
	}(m.running, m.done)
	t.Cleanup(m.stop)
	m.Await("attending")
}

// Suspend ends the process so that its session waits for the next one.
func (m *Machine) Suspend(why string) {
	m.running.Suspend(why)
	m.stop()
}

// stop ends the process.
func (m *Machine) stop() {
	m.cancel()
	_ = m.result() // it was told to end
}

// result waits until the process has ended.
func (m *Machine) result() error {
	m.r.t.Helper()
	select {
	case <-m.done:
		return m.err
	case <-time.After(patience):
		m.r.t.Error("the machine does not end")
		return nil
	}
}

// Await waits for an event.
func (m *Machine) Await(name string) host.Event {
	m.r.t.Helper()
	var got host.Event
	Until(m.r.t, "event "+name, nil, func() bool {
		select {
		case got = <-m.Events:
			return got.Event == name
		default:
			return false
		}
	})
	return got
}

// connect is what the console of a begins with on a machine.
func (r *Relay) connect(a Agent, machine string, known agent.Pins) agent.Config {
	conf := r.Config(a, "")
	conf.Machine, conf.Machines = machine, known
	return conf
}
