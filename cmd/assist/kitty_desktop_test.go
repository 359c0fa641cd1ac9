//go:build desktop

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"assist/cmd/assist/demo"
)

// kitty is a terminal that says it can tell key releases apart (kitty's keyboard protocol), which no program of Debian's
// that runs without a display does.
type kitty struct {
	cmd *exec.Cmd
	tty *os.File
	mu  sync.Mutex
	out []byte
}

// openKitty opens the stage's console in it.
func openKitty(t *testing.T, stage *demo.Stage) *kitty {
	t.Helper()
	k := &kitty{cmd: stage.Console()}
	k.cmd.Env = append(k.cmd.Env, "TERM=xterm-kitty", "LC_ALL=C.UTF-8")
	tty, err := pty.StartWithSize(k.cmd, &pty.Winsize{Cols: 120, Rows: 40})
	if err != nil {
		t.Fatal(err)
	}
	k.tty = tty
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.read()
	}()
	t.Cleanup(func() {
		_ = k.cmd.Process.Kill() // it may be gone
		_ = k.cmd.Wait()
		_ = tty.Close()
		<-done
	})
	return k
}

// read keeps what the console writes and answers its question for the keyboard protocol: CSI ? u.
func (k *kitty) read() {
	b := make([]byte, 64<<10)
	for {
		n, err := k.tty.Read(b)
		if err != nil {
			return
		}
		k.mu.Lock()
		k.out = append(k.out, b[:n]...)
		k.mu.Unlock()
		if bytes.Contains(b[:n], []byte("\x1b[?u")) {
			k.send("\x1b[?27u") // disambiguate, report event types, all keys as escape codes, associated text
		}
	}
}

func (k *kitty) send(s string) { _, _ = k.tty.WriteString(s) }

func (k *kitty) await(t *testing.T, word string) {
	t.Helper()
	eventually(t, word+" in the console", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return strings.Contains(ansi.Strip(string(k.out)), word)
	})
	time.Sleep(200 * time.Millisecond) // what was written belongs to a frame that is still being drawn
}

// held asks the X server whether the key that types a character is down.
func held(t *testing.T, display string, symbol xproto.Keysym) bool {
	t.Helper()
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	setup := xproto.Setup(conn)
	mapping, err := xproto.GetKeyboardMapping(conn, setup.MinKeycode, byte(setup.MaxKeycode-setup.MinKeycode+1)).Reply()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := xproto.QueryKeymap(conn).Reply()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range mapping.Keysyms {
		code := int(setup.MinKeycode) + i/int(mapping.KeysymsPerKeycode)
		if s == symbol && keys.Keys[code/8]>>(code%8)&1 == 1 {
			return true
		}
	}
	return false
}
