//go:build !linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"

	"assist/session/host/machine"
)

// systemService is the service as this system's manager knows it.
func systemService(u machine.Unit, run service.Interface) (service.Service, error) {
	return service.New(run, &service.Config{
		Name: "assist-host", DisplayName: "assist host", Description: "assist: agents support this machine as its policy allows",
		Executable: u.Program, Arguments: []string{"host", "--unattended", "--policy", u.Policy}, UserName: u.User,
	})
}

// noProgram is for verbs that only talk to the manager.
type noProgram struct{}

func (noProgram) Start(service.Service) error { return nil }
func (noProgram) Stop(service.Service) error  { return nil }

func installService(cmd *cobra.Command, u machine.Unit) error {
	s, err := systemService(u, noProgram{})
	if err == nil {
		err = s.Install()
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return fmt.Errorf("install service: %w", err)
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "this machine waits for agents from now on")
	return nil
}

func uninstallService(_ *cobra.Command) error {
	s, err := systemService(machine.Unit{}, noProgram{})
	if err != nil {
		return err
	}
	stopped := s.Stop()
	if err := s.Uninstall(); err != nil {
		return errors.Join(stopped, fmt.Errorf("uninstall service: %w", err))
	}
	return nil
}

func tellService(cmd *cobra.Command, asJSON bool) error {
	s, err := systemService(machine.Unit{}, noProgram{})
	if err != nil {
		return err
	}
	state, err := s.Status()
	line := serviceLine{Installed: !errors.Is(err, service.ErrNotInstalled), Running: state == service.StatusRunning, State: "stopped"}
	line.Enabled = line.Installed
	if line.Running {
		line.State = "active"
	}
	if err != nil && line.Installed {
		return err
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(line)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), line)
	return err
}

// program is the host under the system's manager of services.
type program struct {
	run    func(context.Context) error
	cancel context.CancelFunc
	done   chan error
}

func (p *program) Start(service.Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.done <- p.run(ctx) }()
	return nil
}

func (p *program) Stop(service.Service) error {
	p.cancel()
	return <-p.done
}

// underManager runs what a manager of services has started in the way that it wants.
func underManager(ctx context.Context, run func(context.Context) error) error {
	if service.Interactive() {
		return run(ctx)
	}
	s, err := systemService(machine.Unit{}, &program{run: run, done: make(chan error, 1)})
	if err != nil {
		return err
	}
	return s.Run()
}
