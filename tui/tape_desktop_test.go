//go:build desktop

package tui

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What was recorded is played by the program that people play it with, in a terminal.
func TestTmuxRecordingPlaysInAsciinema(t *testing.T) {
	if _, err := exec.LookPath("asciinema"); err != nil {
		t.Skip("no asciinema")
	}
	cast := filepath.Join(t.TempDir(), "console.cast")
	p := openPane(t, "plain,record", "whole screen", "ASSIST_TUI_CAST="+cast, "COLORTERM=truecolor")
	p.keys("z")
	p.waits("2:1")
	p.keys("t")
	p.waits("to everyone")
	want := p.still()
	p.keys("Escape")
	p.waits("BROWSE")
	p.keys("q")
	p.waits("End session for everyone")
	p.keys("l")
	p.restored()
	if b, err := os.ReadFile(cast); err != nil || !strings.Contains(string(b), `"version":2`) {
		t.Fatalf("%v: %.200s", err, b)
	}
	p.tmux("respawn-window", "-k", "-t", "0:0", "asciinema play -s 2 -i 2 "+cast+"; sleep 60")
	p.waits(want) // as it stood there for half a second
}
