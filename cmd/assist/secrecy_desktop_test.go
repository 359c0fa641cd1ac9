//go:build desktop

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/cmd/assist/demo"
	"assist/screen"
	"assist/session/console"
)

// TestRelayHoldsNothingOfTheSession puts strings on the screen, into input and into the chat, and then looks for them in
// the relay's memory and in every packet that passed it.
func TestRelayHoldsNothingOfTheSession(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	capture := startCapture(t, stage)
	seat := joinStage(t, stage)
	typed, said := "canary-typed-7f3a91", "canary-said-c05d2e"

	saw, err := stage.Play(t.Context(), seat)
	if err != nil {
		t.Fatal(err)
	}
	seat.Input(screen.Input{Kind: screen.TypeText, Text: typed})
	seat.Input(screen.Input{Kind: screen.KeyTap, Key: screen.KeyEnter})
	seat.Do(console.Say{Lane: chat.Everyone, Text: said})
	awaitFile(t, stage.Typed, typed)
	awaitState(t, seat, func(console.State) bool {
		for _, e := range seat.Log(0) {
			if e.Text == said {
				return true
			}
		}
		return false
	})

	memory := dumpMemory(t, stage.RelayPID)
	packets := capture.stop(t)
	// What the relay must know is found, so the search works; what it must not know is not.
	for where, dump := range map[string][]byte{"memory": memory, "packets": packets} {
		for _, canary := range []string{typed, said, saw.Typed, "customer's terminal"} {
			if bytes.Contains(dump, []byte(canary)) {
				t.Errorf("%q was found in the relay's %s (%d bytes)", canary, where, len(dump))
			}
			if bytes.Contains(dump, utf16(canary)) {
				t.Errorf("%q was found in the relay's %s as UTF-16", canary, where)
			}
		}
	}
	if !bytes.Contains(memory, []byte("Demo Support")) {
		t.Error("not even the organisation's title was found in the relay's memory: the dump is not what it should be")
	}
	if len(packets) < 20_000 {
		t.Errorf("only %d bytes captured: the session did not pass the relay", len(packets))
	}
}

// utf16 is how some programs keep text.
func utf16(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}

// dumpMemory reads every readable, writable mapping of a process (proc_pid_mem(5)).
func dumpMemory(t *testing.T, pid int) []byte {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	var all []byte
	lines := bufio.NewScanner(bytes.NewReader(maps))
	for lines.Scan() {
		var from, to int64
		var perm string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &perm); err != nil || !strings.HasPrefix(perm, "rw") {
			continue
		}
		b := make([]byte, to-from)
		if n, err := mem.ReadAt(b, from); err == nil || n > 0 { // mappings that are gone or reserved cannot be read
			all = append(all, b[:n]...)
		}
	}
	return all
}

type packetCapture struct {
	cmd  *exec.Cmd
	file string
}

// startCapture records every packet to and from the relay's port on the loopback interface.
func startCapture(t *testing.T, stage *demo.Stage) *packetCapture {
	t.Helper()
	_, port, _ := strings.Cut(stage.Relay, ":")
	c := &packetCapture{file: filepath.Join(t.TempDir(), "relay.pcap")}
	c.cmd = exec.Command("tcpdump", "-i", "lo", "-U", "-w", c.file, "port", port)
	words, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("%v (tcpdump comes with `make deps-test`)", err)
	}
	if line, err := bufio.NewReader(words).ReadString('\n'); err != nil || !strings.Contains(line, "listening") {
		t.Fatalf("tcpdump said %q, %v", line, err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

func (c *packetCapture) stop(t *testing.T) []byte {
	t.Helper()
	time.Sleep(500 * time.Millisecond) // the kernel hands packets over in blocks
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // its exit code says nothing here
	b, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
