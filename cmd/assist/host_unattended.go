package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"assist/diag/probe"
	"assist/diag/remedy"
	"assist/session/host"
	"assist/session/host/machine"
	"assist/transport"
	"assist/transport/wire"
)

// unattendedFlags are those of a host that waits for agents when nobody is there.
type unattendedFlags struct {
	machinePlace
	unattended bool
}

func (f *unattendedFlags) flags(cmd *cobra.Command) {
	f.machinePlace.flags(cmd)
	cmd.Flags().BoolVar(&f.unattended, "unattended", false, "wait for agents of the organisation in which this machine is enrolled (assist host enroll); its policy decides")
	cmd.AddCommand(newEnrollCommand(), newRevokeCommand(), newMachinePasswordCommand(), newOneTimeCommand(), newHostStatusCommand(), newRefuseCommand())
}

// wait is assist host --unattended.
func (f *hostFlags) wait(cmd *cobra.Command) error {
	opt, err := f.options()
	if err != nil {
		return err
	}
	log, logged, err := f.log.open()
	if err != nil {
		return err
	}
	defer logged()
	if log == nil {
		log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	}
	cfg := machine.Config{
		Folder: f.folder(), Software: software(), System: probe.System().Line(), Options: opt, Log: log,
		Open: f.stage, Events: unattendedEvents(log),
	}
	if f.json {
		cfg.Events = ndjson(cmd.OutOrStdout())
	}
	e, _, err := cfg.Folder.Load()
	if err != nil {
		return notEnrolled(err)
	}
	cfg.Gate = machine.NewGate(cfg.Folder, f.policyPath(), e)
	cfg.Gate.People = f.somebody
	if err := cfg.Gate.Check(); err != nil {
		log.Error("nobody is let in", "err", err)
	}
	if loosened(f.policyPath()) {
		log.Warn("this user can change the policy, and so can an agent who controls: let it belong to root", "policy", f.policyPath())
	}
	m, err := machine.New(cfg)
	if err != nil {
		return notEnrolled(err)
	}
	return underManager(cmd.Context(), func(ctx context.Context) error { return f.attend(ctx, m, log) })
}

func notEnrolled(err error) error {
	if errors.Is(err, machine.ErrNotEnrolled) {
		return &exitError{Code: exitLogin, Err: err, Hint: "assist host enroll RELAY, with a token of the organisation's administrator"}
	}
	return err
}

// attend runs the machine. The system's wish to end it lets an open session wait; a person's (Ctrl-C) ends it for all.
func (f *hostFlags) attend(ctx context.Context, m *machine.Machine, log *slog.Logger) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	defer signal.Stop(asked)
	inside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-asked:
			why := "the host service is restarting; the session goes on when it is back"
			if machine.GoingDown("/run", systemState) {
				why = "the machine is rebooting; the session goes on when it is back"
			}
			log.Info(why)
			m.Suspend(why)
		case <-time.After(100 * time.Millisecond): // Ctrl-C
		}
		cancel()
	})
	defer stop()
	err := m.Run(inside)
	var gone *transport.ProblemError
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.As(err, &gone) && (gone.Code == wire.CodeNoMachine || gone.Code == wire.CodeMachineKey):
		return &exitError{Code: exitLogin, Err: errors.New(gone.Text), Hint: "it has to be enrolled anew, after an administrator has removed it: assist machine remove NAME, then assist host enroll RELAY"}
	}
	return err
}

// systemState is what systemd says of the system as a whole; empty where there is none.
func systemState() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "systemctl", "is-system-running").Output() // its exit code says the same
	return strings.TrimSpace(string(out))
}

// loosened says whether this user, not being root, can write the policy.
func loosened(path string) bool {
	if os.Geteuid() == 0 {
		return false
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	_ = f.Close() // nothing was written
	return true
}

// stage is what the next session shares: the desktop where there is one, and a terminal.
func (f *hostFlags) stage() (machine.Stage, error) {
	silent := *f
	silent.json = true // nobody sits at this program's terminal
	s := machine.Stage{Config: host.Config{Customer: f.customer, Prober: &probe.Machine{}, Doer: &remedy.Machine{}}, Close: func() {}}
	var err error
	if s.Config.Mode, err = controlMode(f.control); err != nil {
		return s, err
	}
	if s.Config.Files, err = f.machineFiles(f.folder().Dir); err != nil {
		return s, err
	}
	if !silent.only(silent.display) {
		gone, err := silent.desktop(&s.Config)
		if err != nil {
			slog.Warn("no desktop to share", "display", silent.display, "err", err)
			silent.display = ""
		} else {
			s.Close = gone
		}
	}
	switch text, err := silent.textFlags.open(silent.display); {
	case err == nil:
		s.Config.Text = text
	case s.Config.Source == nil:
		return s, fmt.Errorf("nothing to share: %w", err)
	}
	s.Config.Fronts = append(s.Config.Fronts, newLocalFront(f.socketPath()), wall{})
	return s, nil
}

// somebody says whether a notice would be seen.
func (f *hostFlags) somebody() bool { return f.display != "" || machine.Somebody() }

// unattendedEvents tells the service's log what happens.
func unattendedEvents(log *slog.Logger) func(host.Event) {
	return func(e host.Event) {
		attrs := []any{}
		for k, v := range map[string]string{"who": e.Handle, "name": e.Name, "grants": strings.Join(e.Grants, ","), "trust": e.Trust, "why": e.Why} {
			if v != "" && (k != "name" || e.Handle == "") {
				attrs = append(attrs, k, v)
			}
		}
		log.Info(e.Event, attrs...)
	}
}

// wall tells the people who are logged in at terminals.
type wall struct{}

func (wall) Run(ctx context.Context, views <-chan host.View, _ func(host.Act)) error {
	told := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case v := <-views:
			for _, line := range wallLines(v, told) {
				for _, p := range machine.LoggedIn() {
					writeTTY(p.TTY, line)
				}
			}
		}
	}
}

// wallLines is what has to be told now; told keeps what was told.
func wallLines(v host.View, told map[string]bool) (out []string) {
	say := func(key, line string) {
		if !told[key] {
			told[key] = true
			out = append(out, line)
		}
	}
	if q := v.Question; q != nil && q.Silence != 0 {
		say(fmt.Sprint("question", q.Serial), fmt.Sprintf("%s (%s, %s) comes in %.0f s to: %s. To refuse: assist host refuse",
			q.Name, q.Handle, q.Trust, time.Until(q.Deadline).Seconds(), q.Grants))
	}
	here := map[string]bool{}
	for _, m := range v.Roster.Members {
		if m.Consoles > 0 && m.Handle != "" {
			here[m.Handle] = true
			say("here "+m.Handle, fmt.Sprintf("%s (%s, %s) is on this machine and may: %s. To end it: assist host refuse", m.Name, m.Handle, m.Trust, m.Grants))
		}
	}
	for key := range told {
		if handle, was := strings.CutPrefix(key, "here "); was && !here[handle] {
			delete(told, key)
			out = append(out, handle+" is no longer on this machine")
		}
	}
	return out
}

// writeTTY writes one line to a terminal that allows it; who has said mesg n hears nothing.
func writeTTY(tty, line string) {
	if tty == "" || strings.Contains(tty, "..") {
		return
	}
	f, err := os.OpenFile("/dev/"+tty, os.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = io.WriteString(f, "\r\nassist: "+printable(line)+"\r\n") // a terminal that is gone
}
