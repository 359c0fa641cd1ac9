//go:build desktop

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// TestCustomerChatsAtTheDesktop has the customer of a real session read and write in the window on the desktop, and take
// control back there.
func TestCustomerChatsAtTheDesktop(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	anna := hire(t, stage, "anna@demo")
	anna.join(t, stage.URL)
	env := append(os.Environ(), "DISPLAY="+stage.Display)
	anna.verb(t, "", "say", "Hello, I see your screen now.")
	hand := func(args ...string) { t.Helper(); mustRun(t, env, append([]string{"xdotool"}, args...)...) }
	var at [4]int // x, y, width, height of the chat
	eventually(t, "the chat on the desktop", func() bool {
		for _, line := range strings.Split(mustRun(t, env, "xwininfo", "-root", "-tree"), "\n") {
			var x, y, w, h int
			if !strings.Contains(line, `"assist:`) {
				continue
			}
			place := line[strings.LastIndex(line, ")")+1:]
			if _, err := fmt.Sscanf(strings.TrimSpace(place), "%dx%d+%d+%d", &w, &h, &x, &y); err == nil && h > 200 {
				at = [4]int{x, y, w, h}
				return true
			}
		}
		return false
	})
	hand("mousemove", strconv.Itoa(at[0]+100), strconv.Itoa(at[1]+at[3]-90), "click", "1")
	time.Sleep(300 * time.Millisecond)
	hand("type", "--delay", "60", "Thank you")
	if shots := os.Getenv("ASSIST_SHOTS"); shots != "" {
		time.Sleep(500 * time.Millisecond)
		mustRun(t, env, "import", "-window", "root", filepath.Join(shots, "desk.png"))
	}
	hand("key", "Return")
	eventually(t, "the customer's words", func() bool {
		return strings.Contains(anna.verb(t, "", "chat", "--json"), `"kind":"said","text":"Thank you"`)
	})
	hand("mousemove", strconv.Itoa(at[0]+at[2]-80), strconv.Itoa(at[1]+60), "click", "1") // take control back
	eventually(t, "control to be gone", func() bool {
		var members []struct {
			Name   string
			Grants []string
		}
		if err := json.Unmarshal([]byte(anna.verb(t, "", "roster", "--json")), &members); err != nil {
			t.Fatal(err)
		}
		return members[1].Name == "anna" && !slices.Contains(members[1].Grants, "control")
	})
}
