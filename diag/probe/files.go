package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of what is read.
const (
	maxFile   = 4 << 20 // bytes of a file or of a program's answer
	maxListed = 4096    // names of a folder
)

// read is the text of a file, at most maxFile bytes of it.
func (m *Machine) read(path string) (string, error) {
	f, err := os.Open(m.at(path))
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	return string(b), err
}

// word is the text of a small file without the space around it; empty when it cannot be read.
func (m *Machine) word(path string) string {
	s, _ := m.read(path)
	return strings.TrimSpace(s)
}

// number is a small file with a whole number in it.
func (m *Machine) number(path string) (float64, bool) {
	n, err := strconv.ParseFloat(m.word(path), 64)
	return n, err == nil
}

// list is the names in a folder, sorted; none when it cannot be read.
func (m *Machine) list(path string) []string {
	d, err := os.Open(m.at(path))
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxListed)
	slices.Sort(names)
	return names
}

// glob lists the paths that match, without the root.
func (m *Machine) glob(pattern string) []string {
	found, _ := filepath.Glob(m.at(pattern)) // the patterns are ours and well formed
	for i := range found {
		if m.Root != "" {
			found[i] = strings.TrimPrefix(found[i], filepath.Clean(m.Root))
		}
	}
	return found[:min(len(found), maxListed)]
}

// lines are the lines of a file; none when it cannot be read.
func (m *Machine) lines(path string) []string {
	s, _ := m.read(path)
	return splitLines(s)
}

func splitLines(s string) []string {
	if s = strings.TrimRight(s, "\n"); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// programs is where programs of the system are, also for users whose path does not lead there.
var programs = []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"}

// tool finds a program of the system.
func tool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil && filepath.IsAbs(path) {
		return path, nil
	}
	for _, dir := range programs {
		if fi, err := os.Stat(filepath.Join(dir, name)); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("%s is not installed: %w", name, exec.ErrNotFound)
}

// limited keeps the first bytes that are written to it.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(b []byte) (int, error) {
	if room := l.most - l.Len(); room > 0 {
		l.Buffer.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}

// ask runs a program that only tells something, in plain English, and returns what it printed. It is ended with ctx.
func ask(ctx context.Context, name string, args ...string) (string, error) {
	cmd, err := command(ctx, name, args...)
	if err != nil {
		return "", err
	}
	out, words := limited{most: maxFile}, limited{most: 1 << 10}
	cmd.Stdout, cmd.Stderr = &out, &words
	switch err := cmd.Run(); {
	case ctx.Err() != nil:
		return out.String(), fmt.Errorf("%s did not answer in time", name)
	case err != nil:
		var exit *exec.ExitError
		said, _, _ := strings.Cut(strings.TrimSpace(words.String()), "\n")
		if errors.As(err, &exit) && said != "" {
			return out.String(), fmt.Errorf("%s says: %s", name, said)
		}
		return out.String(), fmt.Errorf("%s: %w", name, err)
	}
	return out.String(), nil
}

// quiet says whether a program only ended with a number other than 0, without a word: systemctl and others say so that there
// is nothing.
func quiet(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit)
}

func command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path, err := tool(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LANG=C", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "PAGER=cat")
	cmd.WaitDelay = 200 * time.Millisecond
	return cmd, nil
}

// whole reads a whole number; 0 when there is none.
func whole(s string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	return n
}

func decimal(s string) float64 {
	n, _ := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return n
}
