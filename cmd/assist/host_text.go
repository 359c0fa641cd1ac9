package main

import (
	"errors"
	"fmt"
	"image"
	"strings"

	"github.com/spf13/cobra"

	"assist/screen"
	"assist/screen/console"
	"assist/session/host"
)

// textFlags say which text a host shares.
type textFlags struct {
	text   bool
	said   bool // --text was given, in either sense
	shell  string
	attach string
	size   string
}

func (f *textFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.text, "text", false, "share a terminal and no desktop; what happens anyway where there is no display. --text=false shares the desktop alone")
	cmd.Flags().StringVar(&f.shell, "shell", "", "command to run in the terminal (default your login shell)")
	cmd.Flags().StringVar(&f.attach, "attach", "", "share what is there: tmux:NAME, or console for this machine's own")
	cmd.Flags().StringVar(&f.size, "size", "", "COLSxROWS: a size that does not follow the agents")
}

// only says that there is no desktop to share, or that it is not wanted.
func (f *textFlags) only(display string) bool {
	return f.text || f.shell != "" || f.attach != "" || f.size != "" || display == "" && !f.said
}

// open prepares the text; nil when the desktop is to be shared alone. Beside a desktop the shell starts when an agent looks.
func (f *textFlags) open(display string) (host.TextSource, error) {
	size, err := parseSize(f.size)
	switch {
	case err != nil:
		return nil, err
	case f.attach != "" && (f.shell != "" || f.size != ""):
		return nil, usage(errors.New("--attach goes with neither --shell nor --size"), "what is there has its program and its size already")
	case f.attach == "console":
		return console.OpenMachine()
	case f.attach != "":
		name, ok := strings.CutPrefix(f.attach, "tmux:")
		if !ok || name == "" {
			return nil, usage(fmt.Errorf("--attach %q is neither tmux:NAME nor console", f.attach), "tmux ls shows the names")
		}
		return console.OpenTmux(name)
	case f.said && !f.text && !f.only(display):
		return nil, nil
	}
	return console.Open(console.Options{Shell: f.shell, Size: size, Lazy: !f.only(display)})
}

func parseSize(s string) (p image.Point, err error) {
	if s == "" {
		return p, nil
	}
	var rest string
	n, _ := fmt.Sscanf(s, "%dx%d%s", &p.X, &p.Y, &rest)
	if n != 2 || p.X < 2 || p.Y < 2 || p != screen.TextSize(p) {
		return p, usage(fmt.Errorf("--size %q is not COLSxROWS", s), fmt.Sprintf("for example 80x24, at most %dx%d", screen.MaxColumns, screen.MaxRows))
	}
	return p, nil
}
