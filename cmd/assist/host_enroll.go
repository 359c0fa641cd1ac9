package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"assist/diag/probe"
	"assist/session/agent/account"
	"assist/session/agent/share"
	"assist/session/host/machine"
	"assist/transport"
)

// tokenVariable may hold an enrolment token; it must not stand in a command line.
const tokenVariable = "ASSIST_ENROL_TOKEN"

// machinePlace is where an enrolled machine keeps what it is, and its policy.
type machinePlace struct{ state, policy string }

func (p *machinePlace) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.state, "state", "", "folder for key and enrolment (default $STATE_DIRECTORY; root's is /var/lib/assist, else in your state folder)")
	cmd.Flags().StringVar(&p.policy, "policy", "", "file that says who may use this machine unattended (default /etc/assist/policy.toml for root, else in your configuration)")
}

// system says whether this is the machine's own installation rather than one user's.
func (p *machinePlace) system() bool { return os.Geteuid() == 0 || os.Getenv("STATE_DIRECTORY") != "" }

func (p *machinePlace) folder() machine.Folder {
	xdg.Reload()
	switch dir := os.Getenv("STATE_DIRECTORY"); {
	case p.state != "":
		return machine.Folder{Dir: p.state}
	case dir != "": // systemd's StateDirectory=
		return machine.Folder{Dir: dir}
	case p.system():
		return machine.Folder{Dir: "/var/lib/assist"}
	}
	return machine.Folder{Dir: filepath.Join(xdg.StateHome, "assist", "machine")}
}

func (p *machinePlace) policyPath() string {
	xdg.Reload()
	switch {
	case p.policy != "":
		return p.policy
	case p.system():
		return "/etc/assist/policy.toml"
	}
	return filepath.Join(xdg.ConfigHome, "assist", "policy.toml")
}

type enrollFlags struct {
	machinePlace
	name, key string
	stdin     bool
	json      bool
}

func newEnrollCommand() *cobra.Command {
	var f enrollFlags
	cmd := &cobra.Command{
		Use:   "enroll RELAY",
		Short: "Enrol this machine for unattended access, with a token of the organisation",
		Long: "Makes a key for this machine and binds it to a name at the relay. The token comes from an administrator (assist machine " +
			"token), is asked for or read from stdin, and is good once. It carries the key of the organisation: from then on agents whom that key " +
			"vouches for, and nobody else, may use this machine, as far as its policy allows. A first policy is written unless there is one.",
		Example: "  assist host enroll relay.example\n  assist host enroll relay.example --token-stdin < token",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.machinePlace.flags(cmd)
	cmd.Flags().StringVar(&f.name, "name", "", "how the machine is called (default what the token says, else its host name)")
	cmd.Flags().StringVar(&f.key, "relay-key", "", "fingerprint that the relay printed: its key must match")
	cmd.Flags().BoolVar(&f.stdin, "token-stdin", false, "read the token from stdin, up to the end of the line")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	return cmd
}

func (f *enrollFlags) run(cmd *cobra.Command, relay string) error {
	addr, pin, err := relayFlag(relay, f.key)
	if err != nil {
		return err
	}
	if pin == "" {
		if pin, err = account.Open(cmd.ErrOrStderr()).Pin(addr); err != nil {
			return err
		}
	}
	folder := f.folder()
	if e, _, err := folder.Load(); err == nil && e.Relay != addr {
		return &exitError{
			Code: exitFailed, Err: fmt.Errorf("this machine is enrolled as %s@%s at %s", e.Name, e.Org, e.Relay),
			Hint: "assist host revoke ends that first",
		}
	}
	token, err := f.token(cmd)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	wish := machine.Wish{
		Relay: transport.Relay{Addr: addr, Pin: pin}, Options: transport.Options{Software: software()}, Token: token, Name: f.name,
		HostName: host, System: probe.System().Line(),
	}
	e, err := f.enroll(cmd, folder, wish)
	if err != nil {
		return err
	}
	written, err := firstPolicy(f.policyPath(), e.Org)
	if err != nil {
		return fmt.Errorf("enrolled, but no policy could be written: %w", err)
	}
	return f.tell(cmd, folder, e, written)
}

// token is asked for in a way that no other user can read.
func (f *enrollFlags) token(cmd *cobra.Command) (machine.Token, error) {
	text := os.Getenv(tokenVariable)
	if text == "" || f.stdin {
		var err error
		if f.stdin {
			text, err = readLine(cmd.InOrStdin())
		} else if fd, ok := terminal(cmd); ok {
			text, err = hidden(cmd, fd, "Enrolment token: ")
		} else {
			err = usage(errors.New("no terminal to ask for the token"), "--token-stdin reads it from stdin")
		}
		if err != nil {
			return machine.Token{}, err
		}
	}
	token, err := machine.ParseToken(text)
	if err != nil {
		return token, usage(err, "an administrator makes one: assist machine token --org ORG")
	}
	return token, nil
}

// enroll lets a person decide about a relay that is seen for the first time.
func (f *enrollFlags) enroll(cmd *cobra.Command, folder machine.Folder, wish machine.Wish) (machine.Enrolment, error) {
	e, err := folder.Enroll(cmd.Context(), wish)
	var key *transport.RelayKeyError
	if errors.As(err, &key) && key.Want == "" && !f.stdin {
		if yes, asked := askRelayKey(cmd, wish.Relay.Addr, key.Got); asked != nil || !yes {
			return e, errors.Join(asked, err)
		}
		wish.Relay.Pin = key.Got
		e, err = folder.Enroll(cmd.Context(), wish)
	}
	var org *machine.OrgKeyError
	if errors.As(err, &org) {
		return e, &exitError{Code: exitFailed, Err: err, Hint: "somebody may be in between; nothing was enrolled here. Ask for the key (assist relay org list) and a new token"}
	}
	return e, err
}

// firstPolicy writes a policy where there is none.
func firstPolicy(path, org string) (written bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = file.WriteString(machine.FirstPolicy(org))
	return true, errors.Join(err, file.Close())
}

func (f *enrollFlags) tell(cmd *cobra.Command, folder machine.Folder, e machine.Enrolment, written bool) error {
	_, id, err := folder.Load()
	if err != nil {
		return err
	}
	pin, path := string(id.Fingerprint.Pin()), f.policyPath()
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			Name   string `json:"name"`
			Org    string `json:"org"`
			Relay  string `json:"relay"`
			Pin    string `json:"pin"`
			OrgKey string `json:"org_key"`
			Policy string `json:"policy"`
		}{e.Name, e.Org, e.Relay, pin, string(e.OrgKey), path})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s@%s %s\n", e.Name, e.Org, pin)
	words := cmd.ErrOrStderr()
	fmt.Fprintf(words, "enrolled with %s (%s) at %s; above are its name and its key\n", printable(e.OrgTitle), e.OrgKey, e.Relay)
	if written {
		fmt.Fprintf(words, "who may use it is written in %s: read and change it\n", path)
	} else {
		fmt.Fprintf(words, "who may use it was written in %s already\n", path)
	}
	fmt.Fprintln(words, "next: assist service install, or assist host --unattended")
	return nil
}

func newRevokeCommand() *cobra.Command {
	var p machinePlace
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "Turn unattended access off: this machine's keys are gone, and the relay forgets it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			told, err := p.folder().Revoke(cmd.Context(), transport.Options{Software: software()})
			if errors.Is(err, machine.ErrNotEnrolled) {
				return &exitError{Code: exitFailed, Err: err, Hint: "was it enrolled by another user? --state names the folder"}
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "Unattended access is off. The keys are gone; nobody can reach this machine by them.")
			if told != nil {
				text, _, code := explain(told)
				return &exitError{
					Code: code, Err: errors.New("but the relay was not told: " + text),
					Hint: "an administrator removes it there: assist machine remove NAME",
				}
			}
			return nil
		},
	}
	p.flags(cmd)
	return cmd
}

func newMachinePasswordCommand() *cobra.Command {
	var p machinePlace
	var stdin bool
	cmd := &cobra.Command{
		Use:   "password",
		Short: "Set the password that this machine wants of agents, where its policy says so",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			password, err := askPassword(cmd, stdin, "Password of this machine", true)
			if err != nil {
				return err
			}
			if err := p.folder().SetPassword(password); errors.Is(err, machine.ErrPassword) {
				return usage(err, "")
			} else if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "set. It is wanted where %s has proof = [\"password\"]\n", p.policyPath())
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from stdin, up to the end of the line")
	return cmd
}

func newOneTimeCommand() *cobra.Command {
	var p machinePlace
	var qr bool
	cmd := &cobra.Command{
		Use:   "totp",
		Short: "Make a secret for one-time codes, for the authenticators of those who may use this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			name := "machine"
			if e, _, err := p.folder().Load(); err == nil {
				name = e.Name
			}
			address, err := p.folder().SetOneTime(name)
			if err != nil {
				return err
			}
			if qr {
				drawn, err := share.QR(address, true)
				if err != nil {
					return err
				}
				fmt.Fprint(cmd.ErrOrStderr(), drawn)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "earlier codes are void. They are wanted where %s has proof = [\"totp\"]\n", p.policyPath())
			_, err = fmt.Fprintln(cmd.OutOrStdout(), address)
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&qr, "qr", false, "draw it as a QR code, too")
	return cmd
}

// askRelayKey asks a person about the key of a relay that is seen for the first time; without a person the answer is no.
func askRelayKey(cmd *cobra.Command, addr string, key transport.Pin) (yes bool, err error) {
	if _, ok := terminal(cmd); !ok {
		return false, nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "The relay %s is seen for the first time. Its key is\n\n    %s\n\n"+
		"Compare it with the fingerprint that the relay printed when it started.\n", addr, key)
	answer, err := ask(cmd, "Is it the same? (yes/no) ")
	return strings.ToLower(strings.TrimSpace(answer)) == "yes", err
}
