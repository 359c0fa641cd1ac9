package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"

	"github.com/spf13/cobra"

	"assist/session/host/machine"
)

// serviceFlags say how the machine's service is to be.
type serviceFlags struct {
	user, policy, display string
	print                 bool
}

func newServiceCommand() *cobra.Command {
	group := asGroup(&cobra.Command{
		Use: "service", Short: "Let this machine wait for agents from its start on",
		Long: "Installs assist host --unattended as a service of the system. On Linux that is a hardened unit of systemd, which --print " +
			"shows. Enrol the machine first: assist host enroll.",
	})
	var f serviceFlags
	install := &cobra.Command{
		Use: "install", Short: "Install and start the service", Args: cobra.NoArgs,
		Example: "  sudo assist service install --user alice\n  assist service install --user alice --print",
		RunE: func(cmd *cobra.Command, _ []string) error {
			u, err := f.unit()
			if err != nil {
				return err
			}
			if f.print {
				_, err := fmt.Fprint(cmd.OutOrStdout(), u)
				return err
			}
			return installService(cmd, u)
		},
	}
	install.Flags().StringVar(&f.user, "user", os.Getenv("SUDO_USER"), "the user whose terminal agents get, and who the service runs as")
	install.Flags().StringVar(&f.policy, "policy", "/etc/assist/policy.toml", "the machine's policy; only root should be able to write it")
	install.Flags().StringVar(&f.display, "display", "", "X11 display that is shared, too, such as :0")
	install.Flags().BoolVar(&f.print, "print", false, "show the unit and install nothing")
	var asJSON bool
	status := &cobra.Command{
		Use: "status", Short: "Say whether the service is installed and runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return tellService(cmd, asJSON) },
	}
	status.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	group.AddCommand(install, status, &cobra.Command{
		Use: "uninstall", Short: "Stop the service and take it away; the enrolment stays (assist host revoke ends it)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return uninstallService(cmd) },
	})
	return group
}

// unit is the service as the flags say.
func (f *serviceFlags) unit() (machine.Unit, error) {
	if f.user == "" {
		return machine.Unit{}, usage(errors.New("which user's terminal do agents get?"), "--user NAME; root is a bad choice, because whoever controls it is root then")
	}
	who, err := user.Lookup(f.user)
	if err != nil {
		return machine.Unit{}, usage(err, "")
	}
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return machine.Unit{}, fmt.Errorf("own program: %w", err)
	}
	return machine.Unit{Program: program, User: who.Username, Home: who.HomeDir, Policy: f.policy, Display: f.display}, nil
}

// serviceLine is what assist service status says.
type serviceLine struct {
	Installed bool   `json:"installed"`
	Enabled   bool   `json:"enabled"` // starts with the system
	Running   bool   `json:"running"`
	State     string `json:"state"`
}

func (l serviceLine) String() string {
	if !l.Installed {
		return "not installed"
	}
	text := "installed, " + l.State
	if l.Enabled {
		text += ", starts with the system"
	}
	return text
}
