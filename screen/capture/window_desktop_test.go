//go:build desktop

package capture

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestActiveWindowIsFoundWithItsFrame(t *testing.T) {
	if _, err := exec.LookPath("openbox"); err != nil {
		t.Skip("no openbox")
	}
	name := startX(t, "800x600x24")
	x, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if r, ok := x.ActiveWindow(); ok {
		t.Errorf("without a window manager %v is active", r)
	}
	for _, args := range [][]string{{"openbox"}, {"xterm", "-geometry", "40x10+100+80"}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "DISPLAY="+name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}()
		manages := func() bool { // the window manager has to be there first
			out, _ := exec.Command("xprop", "-display", name, "-root", "_NET_SUPPORTING_WM_CHECK").Output()
			return strings.Contains(string(out), "window id")
		}
		for end := time.Now().Add(10 * time.Second); !manages() && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		r, ok := x.ActiveWindow()
		if ok && r.Dx() > 200 && r.Dy() > 100 && r.Min.X >= 90 && r.Min.Y >= 60 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the active window is %v, %v", r, ok)
		}
	}
}
