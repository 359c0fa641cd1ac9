package scheme

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The desktop entry (freedesktop.org, Desktop Entry Specification 1.5) and the MIME type that stands for the scheme.
const (
	entryName   = "assist-url-handler.desktop"
	schemeType  = "x-scheme-handler/assist"
	programTime = 10 * time.Second // for xdg-mime and its like
	maxList     = 1 << 20          // bytes of a list of default programs
)

// Status is what is installed.
type Status struct {
	Installed bool   `json:"installed"`
	File      string `json:"file"`    // the desktop entry, or where it would be
	Program   string `json:"program"` // that it starts
	Default   string `json:"default"` // the entry to which the desktop gives assist addresses; empty: none
	Active    bool   `json:"active"`  // installed, the default, and its program is there
}

// ErrSystem says that this system hands out addresses in another way.
var ErrSystem = errors.New("assist addresses can be registered on Linux desktops only")

// Install registers program for assist addresses, for this user.
func Install(ctx context.Context, program string) (Status, error) {
	if runtime.GOOS != "linux" {
		return Status{}, ErrSystem
	}
	exe, err := quoteExec(program)
	if err != nil {
		return Status{}, err
	}
	file, err := entryFile()
	if err != nil {
		return Status{}, err
	}
	text := "[Desktop Entry]\nType=Application\nName=assist\nComment=Join a support session\n" +
		"Exec=" + exe + " url-handler open %u\nMimeType=" + schemeType + ";\nNoDisplay=true\nTerminal=false\n"
	if err := replace(file, []byte(text)); err != nil {
		return Status{}, fmt.Errorf("write desktop entry: %w", err)
	}
	_ = run(ctx, "update-desktop-database", filepath.Dir(file)) // a cache: those who have no such program read the entry itself
	if err := run(ctx, "xdg-mime", "default", entryName, schemeType); err != nil {
		return Status{}, fmt.Errorf("make it the default: %w", err)
	}
	return Look(ctx)
}

// Uninstall takes back what Install did.
func Uninstall(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return ErrSystem
	}
	file, err := entryFile()
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove desktop entry: %w", err)
	}
	_ = run(ctx, "update-desktop-database", filepath.Dir(file))
	list, err := folder("XDG_CONFIG_HOME", ".config")
	if err != nil {
		return err
	}
	for _, path := range []string{filepath.Join(list, "mimeapps.list"), filepath.Join(filepath.Dir(file), "mimeapps.list")} {
		if err := unlist(path); err != nil {
			return fmt.Errorf("take it from the default programs: %w", err)
		}
	}
	return nil
}

// Look says what is installed.
func Look(ctx context.Context) (Status, error) {
	if runtime.GOOS != "linux" {
		return Status{}, ErrSystem
	}
	file, err := entryFile()
	if err != nil {
		return Status{}, err
	}
	s := Status{File: file}
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		s.Installed, s.Program = true, programOf(string(text))
	case !errors.Is(err, fs.ErrNotExist):
		return Status{}, fmt.Errorf("read desktop entry: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "xdg-mime", "query", "default", schemeType).Output()
	if err == nil {
		s.Default = strings.TrimSpace(string(out))
	}
	fi, err := os.Stat(s.Program)
	s.Active = s.Installed && s.Default == entryName && err == nil && fi.Mode().IsRegular() && fi.Mode().Perm()&0o111 != 0
	return s, nil
}

func entryFile() (string, error) {
	data, err := folder("XDG_DATA_HOME", ".local", "share")
	return filepath.Join(data, "applications", entryName), err
}

// folder is an XDG base directory (Base Directory Specification 0.8): a relative one counts as not set.
func folder(env string, below ...string) (string, error) {
	if dir := os.Getenv(env); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find home folder: %w", err)
	}
	return filepath.Join(append([]string{home}, below...)...), nil
}

// plainPath needs no quotes. xdg-open 1.1.3 looks for a program with the quotes in its name, so they are put only where needed.
func plainPath(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-") == "" && s != ""
}

// quoteExec writes a path for an Exec key (Desktop Entry Specification, "The Exec key"): quoted, with \ before " ` $ and \,
// every \ doubled once more because the value is a string, and % doubled.
func quoteExec(path string) (string, error) {
	switch {
	case !filepath.IsAbs(path) || strings.ContainsAny(path, "\n\r\t=") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' }):
		return "", fmt.Errorf("a desktop entry cannot start %q", path)
	case plainPath(path):
		return path, nil
	}
	r := strings.NewReplacer(`"`, `\\"`, "`", "\\\\`", `$`, `\\$`, `\`, `\\\\`, `%`, `%%`)
	return `"` + r.Replace(path) + `"`, nil
}

// programOf is the path that quoteExec wrote.
func programOf(entry string) string {
	in := bufio.NewScanner(strings.NewReader(entry))
	for in.Scan() {
		line, ok := strings.CutPrefix(in.Text(), "Exec=")
		if !ok {
			continue
		}
		line = strings.TrimSuffix(line, " url-handler open %u")
		if q, quoted := strings.CutPrefix(line, `"`); quoted {
			line = strings.TrimSuffix(q, `"`)
			return strings.NewReplacer(`\\\\`, `\`, `\\"`, `"`, "\\\\`", "`", `\\$`, `$`, `%%`, `%`).Replace(line)
		}
		return line
	}
	return ""
}

// unlist takes our entry, and no other, out of a list of default programs.
func unlist(path string) error {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Size() > maxList {
		return fmt.Errorf("%s is larger than %d bytes", path, maxList)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(string(old)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.TrimSpace(key) != schemeType {
			b.WriteString(line)
			continue
		}
		var keep []string
		for _, e := range strings.Split(value, ";") {
			if e = strings.TrimSpace(e); e != "" && e != entryName {
				keep = append(keep, e)
			}
		}
		if keep != nil {
			b.WriteString(schemeType + "=" + strings.Join(keep, ";") + "\n")
		}
	}
	if b.String() == string(old) {
		return nil
	}
	return replace(path, []byte(b.String()))
}

// replace writes a file in one step.
func replace(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a dotfile that is kept elsewhere stays a link
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".assist-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func run(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil && len(out) > 0 {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return err
}
