package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const maxAnswer = 4 << 10

// terminal is stdin when a person sits there.
func terminal(cmd *cobra.Command) (fd int, ok bool) {
	f, isFile := cmd.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// askPassword reads a password from stdin's first line, or from a person, without echo; a new one twice.
func askPassword(cmd *cobra.Command, stdin bool, prompt string, fresh bool) (string, error) {
	if stdin {
		password, err := readLine(cmd.InOrStdin())
		if err == nil && password == "" {
			err = usage(errors.New("the password on stdin is empty"), "")
		}
		return password, err
	}
	fd, ok := terminal(cmd)
	if !ok {
		return "", usage(errors.New("no terminal to ask for the password"), "--password-stdin reads it from stdin")
	}
	first, err := hidden(cmd, fd, prompt+": ")
	if err != nil || !fresh {
		return first, err
	}
	second, err := hidden(cmd, fd, "Once more: ")
	if err == nil && first != second {
		err = errors.New("the two differ")
	}
	return first, err
}

// hidden reads one line without echo, which is off before the prompt shows. However it ends, the terminal is as before.
func hidden(cmd *cobra.Command, fd int, prompt string) (string, error) {
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	defer func() { _ = term.Restore(fd, before) }() // the terminal may be gone
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{cmd.InOrStdin(), cmd.ErrOrStderr()}, "")
	line, err := interruptible(cmd.Context(), func() (string, error) { return t.ReadPassword(prompt) })
	if errors.Is(err, io.EOF) { // Ctrl-C and Ctrl-D are characters here
		return "", &exitError{Code: exitInterrupted, Err: errors.New("interrupted")}
	}
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return line, nil
}

// ask reads one visible line from a person.
func ask(cmd *cobra.Command, prompt string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	return interruptible(cmd.Context(), func() (string, error) { return readLine(cmd.InOrStdin()) })
}

// interruptible waits for read or for the end of ctx. A read that is left behind ends with the process, which follows.
func interruptible(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := read()
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine reads up to the end of the first line.
func readLine(r io.Reader) (string, error) {
	s, err := bufio.NewReader(io.LimitReader(r, maxAnswer)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read stdin: %w", err)
	}
	return strings.TrimRight(s, "\r\n"), nil
}
