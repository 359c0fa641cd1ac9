package main

import (
	"bufio"
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

func hidden(cmd *cobra.Command, fd int, prompt string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	b, err := term.ReadPassword(fd)
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(b), nil
}

// ask reads one visible line from a person.
func ask(cmd *cobra.Command, prompt string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	return readLine(cmd.InOrStdin())
}

// readLine reads up to the end of the first line.
func readLine(r io.Reader) (string, error) {
	s, err := bufio.NewReader(io.LimitReader(r, maxAnswer)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read stdin: %w", err)
	}
	return strings.TrimRight(s, "\r\n"), nil
}
