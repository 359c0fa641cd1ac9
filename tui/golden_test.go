package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assist/chat"
	"assist/session"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// The console as people see it, without its colours, at three sizes. After a change on purpose: go test ./tui -update, and
// read the difference.
func TestGoldenViews(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		for _, scene := range []struct {
			name string
			keys []string
		}{{"browse", nil}, {"control", []string{"c"}}, {"help", []string{"?"}}, {"people", []string{"r", "t"}}, {"leave", []string{"q"}}, {"handover", []string{"q", "h", "d", "i", "s", "k"}}} {
			name := fmt.Sprintf("%s-%dx%d", scene.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := newDesk(t, size[0], size[1], company)
				d.press(scene.keys...)
				if d.m.asked.Grid != d.s.looks[len(d.s.looks)-1].Grid {
					d.send(lookMsg{d.m.serial})
					d.news()
				}
				compare(t, filepath.Join("testdata", name+".golden"), d.text()+"\n")
			})
		}
	}
}

// What opens by itself or needs a session of its own, as people see it.
func TestGoldenScenes(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		for _, scene := range []struct {
			name string
			of   func(*fake)
			keys []string
		}{{"offer", offered, nil}, {"roster", twoMore, []string{"r", "down", "down"}}, {"invite", invited, []string{"i", "tab"}}} {
			name := fmt.Sprintf("%s-%dx%d", scene.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := newDesk(t, size[0], size[1], scene.of)
				d.press(scene.keys...)
				compare(t, filepath.Join("testdata", name+".golden"), d.text()+"\n")
			})
		}
	}
}

// company is a session with another agent and some words said.
func company(f *fake) {
	f.state.Roster.Members = append(f.state.Roster.Members, session.Member{
		ID: 3, Name: "Carla Ruiz", Org: "Beta Networks", Trust: session.VerifiedOrg, Role: session.Agent,
		Grants: session.View | session.Chat, Presence: session.Here,
	})
	f.say(3, "Carla Ruiz", chat.Everyone, chat.Joined, "")
	f.say(1, "Anna Schmidt", chat.Everyone, chat.Said, "It hangs whenever I press Save.")
	f.say(3, "Carla Ruiz", chat.AgentsOnly, chat.Said, "The disk is full again.")
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if a, b := line(g, i), line(w, i); a != b {
			t.Errorf("%s, row %d\n got %q\nwant %q", file, i, a, b)
		}
	}
}

func line(rows []string, i int) string {
	if i < len(rows) {
		return rows[i]
	}
	return "(no such row)"
}
