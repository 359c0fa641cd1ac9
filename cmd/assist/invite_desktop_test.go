//go:build desktop

package main

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// bareDisplay is an X server with nothing on it.
func bareDisplay(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset")
	x.ExtraFiles = []*os.File{w}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		_ = x.Wait()
	})
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return ":" + strings.TrimSpace(number)
}

// liveAgent is an agent in a session, with folders of their own, on a desktop without $BROWSER.
func liveAgent(t *testing.T) (env []string, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ai")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	env = []string{"ASSIST_KEYRING=off", "BROWSER=", "MAILER=", "SSH_TTY=", "SSH_CONNECTION=", "SSH_CLIENT=", "WAYLAND_DISPLAY=", "TERMINAL="}
	for _, v := range []string{"CONFIG", "STATE", "DATA", "RUNTIME"} {
		name := map[bool]string{true: "XDG_RUNTIME_DIR", false: "XDG_" + v + "_HOME"}[v == "RUNTIME"]
		env = append(env, name+"="+filepath.Join(dir, strings.ToLower(v)))
	}
	console := exec.Command("stubconsole", "12345678")
	console.Env = append(os.Environ(), env...)
	if err := console.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = console.Process.Signal(syscall.SIGTERM)
		_ = console.Wait()
	})
	eventually(t, "the console's socket", func() bool {
		cmd := exec.Command(built(t), "roster")
		cmd.Env = append(os.Environ(), env...)
		return cmd.Run() == nil
	})
	return env, dir
}

const stubURL = "https://relay.example/j/12345678#1.mfrggzdfmztwq2lknnwg23tpobyxe43u"

func TestCopyInsideTmux(t *testing.T) {
	env, _ := liveAgent(t)
	term := openTerminal(t, append(env, "DISPLAY="), 100, 20, built(t), "invite", "--copy")
	term.await("copied to tmux's buffer")
	if got := term.tmux("show-buffer"); got != stubURL {
		t.Errorf("tmux's buffer holds %q", got)
	}
}

// TestCopyByOSC52 has xterm as the terminal, and no clipboard program: over ssh there is none either.
func TestCopyByOSC52(t *testing.T) {
	env, dir := liveAgent(t)
	display := bareDisplay(t)
	words := filepath.Join(dir, "words")
	script := fmt.Sprintf("SSH_TTY=x %s invite --copy 2> %s; sleep 60", built(t), words)
	xterm := exec.Command("xterm", "-xrm", "XTerm*disallowedWindowOps: 1,2", "-e", "sh", "-c", script)
	xterm.Env = append(append(os.Environ(), env...), "DISPLAY="+display, "TMUX=", "STY=")
	if err := xterm.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = xterm.Process.Kill()
		_ = xterm.Wait()
	}()
	awaitFile(t, words, "copied to the terminal's clipboard (OSC 52")
	var got []byte
	eventually(t, "the address on the clipboard", func() bool {
		paste := exec.Command("xclip", "-out", "-selection", "clipboard")
		paste.Env = append(os.Environ(), "DISPLAY="+display)
		got, _ = paste.Output()
		return len(got) > 0
	})
	if string(got) != stubURL {
		t.Errorf("the clipboard holds %q", got)
	}
}

// TestMailProgramOfTheDesktop registers a stand-in as xdg does and looks at what it is given.
func TestMailProgramOfTheDesktop(t *testing.T) {
	env, dir := liveAgent(t)
	env = append(append(os.Environ(), env...), "DISPLAY="+bareDisplay(t))
	given := filepath.Join(dir, "given")
	mailer := filepath.Join(dir, "mailer")
	writeFile(t, mailer, "#!/bin/sh\nprintf '%s' \"$*\" > "+given+"\n", 0o755)
	writeFile(t, filepath.Join(dir, "data", "applications", "mailer.desktop"),
		"[Desktop Entry]\nType=Application\nName=Mailer\nExec="+mailer+" %u\nMimeType=x-scheme-handler/mailto;\n", 0o644)
	mustRun(t, env, "xdg-mime", "default", "mailer.desktop", "x-scheme-handler/mailto")
	said := mustRun(t, env, built(t), "invite", "--email", "Erik Vogt <erik@beta.example>")
	if !strings.Contains(said, "opened the mail program (xdg-email)") || !strings.Contains(said, stubURL) {
		t.Errorf("it says %q", said)
	}
	awaitFile(t, given, "mailto:")
	b, err := os.ReadFile(given)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(string(b))
	if err != nil || u.Opaque != "erik@beta.example" {
		t.Fatalf("%v: %s", err, b)
	}
	q := u.Query()
	if q.Get("subject") != "Join my support session 1234 5678" || !strings.Contains(q.Get("body"), "\r\n"+stubURL+"\r\n") || strings.Contains(string(b), "+") {
		t.Errorf("the mail program is given %s", b)
	}
}

// TestLinkOpensATerminal clicks a link as a browser does it: by xdg-open.
func TestLinkOpensATerminal(t *testing.T) {
	env, dir := liveAgent(t)
	display := bareDisplay(t)
	env = append(append(os.Environ(), env...), "DISPLAY="+display, "TERMINAL=xterm")
	mustRun(t, env, built(t), "url-handler", "install")
	if said := mustRun(t, env, built(t), "url-handler", "status"); !strings.Contains(said, "registered: assist:// addresses open "+built(t)) {
		t.Errorf("%q", said)
	}
	mustRun(t, env, "xdg-open", "assist://join/12345678?relay=evil.example:8443#1.mfrggzdfmztwq2lknnwg23tpobyxe43u")
	var windows string
	eventually(t, "the terminal window", func() bool {
		find := exec.Command("xdotool", "search", "--class", "xterm")
		find.Env = env
		out, _ := find.Output()
		windows = strings.TrimSpace(string(out))
		return windows != ""
	})
	if shots := os.Getenv("ASSIST_SHOTS"); shots != "" {
		mustRun(t, env, "sh", "-c", "sleep 1; import -window root "+filepath.Join(shots, "link.png"))
	}
	window := strings.Fields(windows)[0]
	mustRun(t, env, "xdotool", "windowfocus", window, "type", "--window", window, "no\n")
	eventually(t, "the question to be over", func() bool { // the words stay until Enter is pressed
		find := exec.Command("xdotool", "search", "--class", "xterm", "key", "--window", "%1", "Return")
		find.Env = env
		return find.Run() != nil
	})
	mustRun(t, env, built(t), "url-handler", "uninstall")
	if _, err := os.Stat(filepath.Join(dir, "data", "applications", "assist-url-handler.desktop")); err == nil {
		t.Error("the desktop entry is still there")
	}
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func mustRun(t *testing.T, env []string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", argv, err, out)
	}
	return string(out)
}
