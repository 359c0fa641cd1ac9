//go:build desktop

package main

import (
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// browser is Chromium without a window, with a folder of its own.
func browser(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("chromium", append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", "--hide-scrollbars", "--virtual-time-budget=3000",
		"--user-data-dir=" + t.TempDir(),
	}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return string(out)
}

// TestJoinPageInABrowser reads the page as Chromium makes it of what the relay serves, and looks at it wide and narrow.
func TestJoinPageInABrowser(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	_, key, _ := strings.Cut(stage.URL, "#")
	page := browser(t, "--dump-dom", stage.URL)
	for _, want := range []string{
		`lang="en"`, "<h1>", "<h2", `<main>`, `role="status"`, stage.Code[:4] + "&nbsp;" + stage.Code[4:],
		"assist join '" + stage.URL + "'", "assist host " + stage.Code + " --relay " + stage.Relay,
		`href="assist://join/` + stage.Code + "?relay=" + strings.ReplaceAll(stage.Relay, ":", "%3A") + "#" + key + `"`,
		`data-copies="join">`, `data-copies="share">`, `id="key">`, // the script ran: they are not hidden any more
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(browser(t, "--dump-dom", strings.SplitN(stage.URL, "#", 2)[0]), "#"+key) {
		t.Error("a page without a key has one")
	}
	shots := os.Getenv("ASSIST_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	for name, size := range map[string]string{"join-desktop": "1280,900", "join-phone": "390,1100"} {
		file := filepath.Join(shots, name+".png")
		browser(t, "--screenshot="+file, "--window-size="+size, stage.URL)
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil || img.Bounds().Dx() < 390 {
			t.Errorf("%s: %v %v", name, err, img)
		}
	}
}

// TestOpenInAssist follows the link of the page in a Chromium that people would use, through the desktop's handler, to the
// question in a terminal.
func TestOpenInAssist(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	env, dir := liveAgent(t)
	env = append(append(os.Environ(), env...), "DISPLAY="+bareDisplay(t), "TERMINAL=xterm", "DBUS_SESSION_BUS_ADDRESS=")
	mustRun(t, env, built(t), "url-handler", "install")
	wm := exec.Command("openbox", "--sm-disable")
	web := exec.Command("chromium", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", "--no-first-run", "--password-store=basic",
		"--window-position=0,0", "--window-size=1000,740", "--user-data-dir="+filepath.Join(dir, "chromium"), stage.URL)
	for _, cmd := range []*exec.Cmd{wm, web} {
		cmd.Env = env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}()
	}
	eventually(t, "the page", func() bool { return visibleWindow(env, "--name", "Support session "+stage.Code[:4]) != "" })
	time.Sleep(2 * time.Second) // Chromium takes no keys before it has drawn
	page := visibleWindow(env, "--name", "Support session "+stage.Code[:4])
	shot := func(name string) {
		if shots := os.Getenv("ASSIST_SHOTS"); shots != "" {
			mustRun(t, env, "import", "-window", "root", filepath.Join(shots, name+".png"))
		}
	}
	mustRun(t, env, "xdotool", "windowfocus", page, "key", "Tab")
	shot("open-focus")
	mustRun(t, env, "xdotool", "key", "Return")
	time.Sleep(time.Second) // for the question of Chromium, which holds keys back at first
	shot("open-asks")
	mustRun(t, env, "xdotool", "key", "Tab", "key", "Return")
	eventually(t, "the terminal with the question", func() bool { return visibleWindow(env, "--class", "xterm") != "" })
	time.Sleep(time.Second)
	shot("open-terminal")
	args, err := exec.Command("ps", "-eo", "args").Output()
	want := regexp.QuoteMeta("url-handler open --window assist://join/"+stage.Code) + ".*#1\\."
	if err != nil || !regexp.MustCompile(want).Match(args) {
		t.Errorf("%v: no terminal asks about %s", err, want)
	}
}

// visibleWindow is a window that xdotool finds.
func visibleWindow(env []string, how ...string) string {
	find := exec.Command("xdotool", append([]string{"search", "--onlyvisible"}, how...)...)
	find.Env = env
	out, _ := find.Output()
	id, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return id
}
