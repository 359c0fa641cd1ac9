package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/session/host/machine"
)

// Where systemd looks for the units of an administrator, and what the service keeps.
const (
	unitFolder  = "/etc/systemd/system"
	stateFolder = "/var/lib/assist"
	systemdTime = 30 * time.Second
)

// installService writes the unit, hands the enrolment to its user, and starts it.
func installService(cmd *cobra.Command, u machine.Unit) error {
	if os.Geteuid() != 0 {
		return &exitError{Code: exitFailed, Err: errors.New("only root installs a service"), Hint: "sudo assist service install"}
	}
	e, _, err := (machine.Folder{Dir: stateFolder}).Load()
	if err != nil {
		return notEnrolled(err)
	}
	if err := handOver(stateFolder, u.User); err != nil {
		return err
	}
	path := filepath.Join(unitFolder, machine.UnitName)
	if err := os.WriteFile(path, []byte(u.String()), 0o644); err != nil {
		return fmt.Errorf("write unit: %w", err)
	}
	for _, args := range [][]string{{"daemon-reload"}, {"enable", machine.UnitName}, {"restart", machine.UnitName}} {
		if err := systemctl(cmd.Context(), args...); err != nil {
			return err
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s@%s waits for agents from now on, as %s; %s decides who may\n", e.Name, e.Org, u.User, u.Policy)
	return nil
}

// handOver gives the folder with the machine's key to the user that the service runs as.
func handOver(dir, name string) error {
	who, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(who.Uid) // numbers, on Linux
	gid, _ := strconv.Atoi(who.Gid)
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
}

func uninstallService(cmd *cobra.Command) error {
	path := filepath.Join(unitFolder, machine.UnitName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return errors.New("the service is not installed")
	}
	if os.Geteuid() != 0 {
		return &exitError{Code: exitFailed, Err: errors.New("only root takes a service away"), Hint: "sudo assist service uninstall"}
	}
	stopped := systemctl(cmd.Context(), "disable", "--now", machine.UnitName)
	if err := os.Remove(path); err != nil {
		return errors.Join(stopped, err)
	}
	return errors.Join(stopped, systemctl(cmd.Context(), "daemon-reload"))
}

func systemctl(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, systemdTime)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, firstLine(strings.TrimSpace(string(out))))
	}
	return nil
}

// tellService says what systemd knows of the service.
func tellService(cmd *cobra.Command, asJSON bool) error {
	word := func(verb string) string {
		ctx, cancel := context.WithTimeout(cmd.Context(), systemdTime)
		defer cancel()
		out, _ := exec.CommandContext(ctx, "systemctl", verb, machine.UnitName).Output() // its exit code says the same
		return strings.TrimSpace(string(out))
	}
	line := serviceLine{State: word("is-active")}
	_, err := os.Stat(filepath.Join(unitFolder, machine.UnitName))
	line.Installed, line.Running, line.Enabled = err == nil, line.State == "active", word("is-enabled") == "enabled"
	if line.State == "" {
		line.State = "unknown: systemd does not answer"
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(line)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), line)
	return err
}

// underManager runs what systemd has started: it wants nothing more than a process.
func underManager(ctx context.Context, run func(context.Context) error) error { return run(ctx) }
