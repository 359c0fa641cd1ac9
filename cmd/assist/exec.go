package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"assist/session"
	"assist/session/agent/local"
	"assist/session/agent/work"
	"assist/session/inner"
	"assist/transport/wire"
)

// exitLost is exec's when the link is lost while the command runs; ssh's is the same.
const exitLost = 255

// maxCaptured is how much of stdout, and of stderr, --json keeps, in bytes.
const maxCaptured = 8 << 20

type execFlags struct {
	target
	folder  string
	env     []string
	tty     bool
	noStdin bool
}

func newExecCommand() *cobra.Command {
	var f execFlags
	cmd := &cobra.Command{
		Use: "exec CODE|URL|MACHINE -- CMD...", Short: "Run a command on the customer's machine", Args: cobra.MinimumNArgs(2),
		Long: "Runs CMD as the user who shares the machine, by its /bin/sh: one word is a line for that shell, several are a program and " +
			"its arguments as they are. stdin, stdout and stderr are the command's; its exit status is that of assist, 128 and the " +
			"number when a signal ended it, 255 when the link was lost. What the command leaves running in its process group ends with " +
			"it.\n\nThe customer must allow it (run), and reads every command line. Ctrl-C goes to the command; three times leave it.",
		Example: "  assist exec web-01 -- systemctl restart cups\n  assist exec 12345678 -- 'df -h | grep /home'\n" +
			"  assist exec web-01 --tty -- htop\n  tar c . | assist exec web-01 -- tar x -C /srv/site",
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1:]) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.folder, "cwd", "", "`FOLDER` to run it in (default the user's home there)")
	cmd.Flags().StringArrayVar(&f.env, "env", nil, "`NAME=VALUE` for the command, or NAME: the value that it has here")
	cmd.Flags().BoolVarP(&f.tty, "tty", "t", false, "give the command a terminal; ~. at the beginning of a line leaves it")
	cmd.Flags().BoolVar(&f.noStdin, "no-stdin", false, "the command reads nothing")
	return cmd
}

// statusError is a command's own exit code: nothing is said about it.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func (f *execFlags) run(cmd *cobra.Command, where string, words []string) error {
	c := work.Command{Words: words, Folder: f.folder, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()}
	var err error
	if c.Env, err = environment(f.env); err != nil {
		return err
	}
	if f.tty && f.json {
		return usage(errors.New("--tty and --json do not go together"), "")
	}
	if !f.noStdin {
		c.Stdin = cmd.InOrStdin()
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context())) // signals go to the command once there is one
	defer cancel()
	sent, begun, stop := forward(cancel)
	defer stop()
	c.Signals = sent
	var ended work.Ended
	var kept captured
	err = f.work(ctx, cmd, where, session.View|session.Run, func(ctx context.Context, client *local.Client) error {
		stream, err := client.Open(ctx, wire.StreamRun)
		if err != nil {
			return err
		}
		begun()
		switch {
		case f.json:
			c.Stdout, c.Stderr = &kept.out, &kept.err
		case f.tty:
			ended, err = inTerminal(ctx, cmd, stream, c)
			return err
		default:
			c.Stdout, c.Stderr = forTerminal(c.Stdout), forTerminal(c.Stderr)
		}
		ended, err = work.Run(ctx, stream, c)
		return err
	})
	if err != nil {
		return explainRun(err)
	}
	if f.json {
		if err := kept.print(cmd.OutOrStdout(), ended); err != nil {
			return err
		}
	}
	return execStatus(ended)
}

// execStatus is the exit code of a command as an error; nil: 0.
func execStatus(ended work.Ended) error {
	switch {
	case ended.TakenBack != "":
		return &exitError{Code: exitRefused, Err: fmt.Errorf("the command was ended there: %s", ended.TakenBack)}
	case ended.Signal != 0:
		return statusError(128 + ended.Signal)
	case ended.Status != 0:
		return statusError(ended.Status)
	}
	return nil
}

// explainRun gives what keeps a command or action from its end its exit code and hint.
func explainRun(err error) error {
	var no *inner.RunRefusedError
	switch {
	case errors.Is(err, work.ErrLost):
		return &exitError{Code: exitLost, Err: err, Hint: "the command there ends with the link"}
	case errors.Is(err, inner.ErrMalformed):
		return usage(err, "")
	case !errors.As(err, &no):
		return err
	}
	switch no.Code {
	case inner.RunNotGiven, inner.RunSaidNo:
		return &exitError{Code: exitRefused, Err: err, Hint: "talk to the customer before you try again"}
	case inner.RunTooMany:
		return &exitError{Code: exitFailed, Err: err, Hint: "wait until others have ended"}
	}
	return &exitError{Code: exitFailed, Err: fmt.Errorf("the command could not be started: %w", err)}
}

// environment reads NAME=VALUE, and NAME for a variable that is set here, so that a secret need not stand on a command line.
func environment(vars []string) ([]string, error) {
	var out []string
	for _, v := range vars {
		name, _, given := strings.Cut(v, "=")
		if name == "" {
			return nil, usage(fmt.Errorf("--env %q has no name", v), "")
		}
		if !given {
			value, set := os.LookupEnv(name)
			if !set {
				return nil, usage(fmt.Errorf("--env %s: it is not set here", name), "")
			}
			v = name + "=" + value
		}
		out = append(out, v)
	}
	return out, nil
}

// forTerminal keeps what another machine prints from the agent's terminal, but for text and colours.
func forTerminal(w io.Writer) io.Writer {
	if isTerminal(w) {
		return &work.Filter{To: w}
	}
	return w
}

// captured is the output for --json.
type captured struct{ out, err bounded }

// bounded keeps the first maxCaptured bytes.
type bounded struct {
	bytes.Buffer
	cut bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := min(len(p), maxCaptured-b.Len())
	b.cut = b.cut || room < len(p)
	_, _ = b.Buffer.Write(p[:room])
	return len(p), nil
}

func (k *captured) print(w io.Writer, ended work.Ended) error {
	return printJSON(w, struct {
		Status    int    `json:"status"`
		Signal    int    `json:"signal,omitempty"`
		TakenBack string `json:"taken_back,omitempty"`
		Stdout    string `json:"stdout"`
		Stderr    string `json:"stderr"`
		Cut       bool   `json:"cut,omitempty"` // there was more
	}{ended.Status, ended.Signal, ended.TakenBack, k.out.String(), k.err.String(), k.out.cut || k.err.cut})
}
