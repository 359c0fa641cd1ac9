package scheme

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"assist/session/inner"
)

const pin = "1.mfrggzdfmztwq2lknnwg23tpobyxe43u"

func TestParse(t *testing.T) {
	for s, want := range map[string]inner.Invite{
		"assist://join/12345678":                                     {Code: "12345678"},
		"assist://join/12345678/":                                    {Code: "12345678"},
		"ASSIST://join/12345678":                                     {Code: "12345678"},
		"assist://join/12345678#" + pin:                              {Code: "12345678", Pin: pin},
		"assist://join/12345678?relay=relay.example":                 {Code: "12345678", Relay: "relay.example:443"},
		"assist://join/12345678?relay=Relay.example:8443":            {Code: "12345678", Relay: "relay.example:8443"},
		"assist://join/12345678?relay=relay.example%3A8443#" + pin:   {Code: "12345678", Relay: "relay.example:8443", Pin: pin},
		"assist://join/12345678?relay=[2001:db8::1]:8443#" + pin:     {Code: "12345678", Relay: "[2001:db8::1]:8443", Pin: pin},
		"assist://join/12345678?relay=%5B2001:db8::1%5D:8443#" + pin: {Code: "12345678", Relay: "[2001:db8::1]:8443", Pin: pin},
	} {
		got, err := Parse(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
			continue
		}
		if again, err := Parse(Address(got)); err != nil || again != got {
			t.Errorf("%s became %s: %+v, %v", s, Address(got), again, err)
		}
		if again, err := inner.ParseJoin(Join(got)); err != nil || again.Code != got.Code || again.Relay != got.Relay {
			t.Errorf("%s is joined as %s: %+v, %v", s, Join(got), again, err)
		}
	}
}

// TestOnlyAJoinCanBeProposed: threats A24, RustDesk CVE-2026-30793 and -30797.
func TestOnlyAJoinCanBeProposed(t *testing.T) {
	for _, s := range []string{
		"", "assist:", "assist:12345678", "assist://12345678", "assist://join", "assist://join/", "assist:join/12345678",
		"assist://join/1234567", "assist://join/123456789", "assist://join/1234 5678", "assist://join/1234-5678", "assist://join/１２３４５６７８",
		"assist://join/12345678/x", "assist://join//12345678", "assist://join/../12345678", "assist://join/12345678\n", "assist://join/--yes", "assist://join/-1234567",
		"assist://user:pw@join/12345678", "assist://join:80/12345678", "assist://start/12345678", "assist://config/relay", "assist://host/12345678",
		"assist://join/12345678?password=x", "assist://join/12345678?relay=a&relay=b", "assist://join/12345678?relay=a&key=b", "assist://join/12345678?relay=",
		"assist://join/12345678?relay=a/../b", "assist://join/12345678?relay=a@b", "assist://join/12345678?relay=a:0", "assist://join/12345678?relay=a:99999",
		"assist://join/12345678?relay=a%20b", "assist://join/12345678?relay=%2D%2Dyes;", "assist://join/12345678?relay=bücher.example", "assist://join/12345678?relay=a%00",
		"assist://join/12345678?relay=$(id)", "assist://join/12345678?relay=a%0Ab", "assist://join/12345678?%",
		"assist://join/12345678#x", "assist://join/12345678#1.x", "assist://join/12345678#2." + pin[2:], "https://relay.example/j/12345678", "file:///etc/passwd",
		"assist://join/12345678?relay=" + strings.Repeat("a", 600),
	} {
		if got, err := Parse(s); err == nil {
			t.Errorf("%q was taken: %+v", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"assist://join/12345678", "assist://join/12345678?relay=[::1]:8443#" + pin, "assist://join/12345678?relay=%2D"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(Address(got)); err != nil || again != got {
			t.Fatalf("%q became %+v, then %q and %+v (%v)", s, got, Address(got), again, err)
		}
		if strings.HasPrefix(Join(got), "-") || strings.ContainsFunc(Address(got)+Join(got), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("%q is joined as %q", s, Join(got))
		}
	})
}

func TestExecKey(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/bin/assist":    "/usr/bin/assist",
		"/opt/my tools/a":    `"/opt/my tools/a"`,
		`/a"b`:               `"/a\\"b"`,
		"/a`b$c":             "\"/a\\\\`b\\\\$c\"",
		`/a\b`:               `"/a\\\\b"`,
		"/100%/assist":       `"/100%%/assist"`,
		"/größe/assist":      `"/größe/assist"`,
		"assist":             "",
		"/a\nExec=/bin/evil": "",
		"/a=b":               "",
	} {
		got, err := quoteExec(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %s, %v; want %s", path, got, err, want)
			continue
		}
		if back := programOf("[Desktop Entry]\nExec=" + got + " url-handler open %u\n"); want != "" && back != path {
			t.Errorf("%q came back as %q", path, back)
		}
	}
}

// machine has folders and a PATH of its own; xdg-mime keeps the default in a file.
func machine(t *testing.T) (dir string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("desktop entries are of Linux")
	}
	dir = t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("PATH", dir)
	list := filepath.Join(dir, "config", "mimeapps.list")
	program(t, dir, "xdg-mime", `case "$1" in
default) /bin/mkdir -p `+filepath.Dir(list)+`; printf '[Default Applications]\n%s=%s\n' "$3" "$2" > `+list+`;;
query) [ ! -e `+list+` ] || /bin/sed -n "s,^$3=,,p" `+list+`;;
esac`)
	return dir
}

func program(t *testing.T, dir, name, script string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInstallAndUninstall(t *testing.T) {
	dir := machine(t)
	exe := program(t, dir, "assist", "")
	if s, err := Look(t.Context()); err != nil || s.Installed || s.Active {
		t.Errorf("before: %+v, %v", s, err)
	}
	s, err := Install(t.Context(), exe)
	file := filepath.Join(dir, "data", "applications", entryName)
	if want := (Status{Installed: true, File: file, Program: exe, Default: entryName, Active: true}); err != nil || s != want {
		t.Errorf("%+v, %v; want %+v", s, err, want)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\nExec="+exe+" url-handler open %u\nMimeType=x-scheme-handler/assist;\n") {
		t.Errorf("%v\n%s", err, text)
	}
	os.Remove(exe)
	if s, err := Look(t.Context()); err != nil || s.Active {
		t.Errorf("without its program: %+v, %v", s, err)
	}
	if err := Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := Look(t.Context()); err != nil || s.Installed || s.Default != "" {
		t.Errorf("after: %+v, %v", s, err)
	}
	if err := Uninstall(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*", ".assist-*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestOtherDefaultsStay(t *testing.T) {
	dir := machine(t)
	list := filepath.Join(dir, "config", "mimeapps.list")
	before := "# mine\n[Default Applications]\ntext/html=firefox.desktop\nx-scheme-handler/assist=" + entryName + ";other.desktop;\n[Added Associations]\nx-scheme-handler/assist=" + entryName + "\nimage/png=" + entryName + "\n"
	after := "# mine\n[Default Applications]\ntext/html=firefox.desktop\nx-scheme-handler/assist=other.desktop\n[Added Associations]\nimage/png=" + entryName + "\n"
	if err := os.MkdirAll(filepath.Dir(list), 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir, "dotfiles")
	if err := os.WriteFile(target, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, list); err != nil {
		t.Fatal(err)
	}
	if err := Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(target); string(got) != after {
		t.Errorf("got\n%s", got)
	}
	if fi, err := os.Lstat(list); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Error("the link became a file")
	}
}

func TestInstallWithoutXdgMime(t *testing.T) {
	dir := machine(t)
	os.Remove(filepath.Join(dir, "xdg-mime"))
	if _, err := Install(t.Context(), "/usr/bin/assist"); err == nil {
		t.Error("it says that it is the default")
	}
}

func TestInTerminal(t *testing.T) {
	dir := machine(t)
	t.Setenv("TERMINAL", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("DISPLAY", "")
	args := filepath.Join(dir, "args")
	keep := `printf '%s|' "${0##*/}" "$@" > ` + args + `.new; /bin/mv ` + args + `.new ` + args
	if err := InTerminal("assist", "x"); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("without a display: %v", err)
	}
	t.Setenv("DISPLAY", ":1")
	if err := InTerminal("assist", "x"); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("without a terminal: %v", err)
	}
	run := func(want string) {
		t.Helper()
		os.Remove(args)
		if err := InTerminal("assist", "a b", "$(id)"); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if got, err := os.ReadFile(args); err == nil {
				if string(got) != want {
					t.Errorf("got %s, want %s", got, want)
				}
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatal("nothing was started")
	}
	program(t, dir, "xterm", keep)
	run("xterm|-e|assist|a b|$(id)|")
	program(t, dir, "x-terminal-emulator", "exit 1")
	run("xterm|-e|assist|a b|$(id)|")
	program(t, dir, "gnome-terminal", keep)
	run("gnome-terminal|--|assist|a b|$(id)|")
	t.Setenv("TERMINAL", filepath.Join(dir, "xterm"))
	run("xterm|-e|assist|a b|$(id)|")
	t.Setenv("TERMINAL", "mine")
	program(t, dir, "mine", keep)
	run("mine|-e|assist|a b|$(id)|")
}
