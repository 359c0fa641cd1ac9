//go:build desktop

package main

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// fields are the names of a JSON object, or of each object of an array, sorted.
func fields(t *testing.T, out string) string {
	t.Helper()
	var one map[string]any
	var many []map[string]any
	if err := json.Unmarshal([]byte(out), &many); err == nil && len(many) > 0 {
		one = many[0]
	} else if err := json.Unmarshal([]byte(out), &one); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return strings.Join(slices.Sorted(maps.Keys(one)), " ")
}

// TestContractForScripts drives every verb on a running session as scripts do, and holds the names of what it prints.
func TestContractForScripts(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	anna, bob := hire(t, stage, "anna@demo"), hire(t, stage, "bob@demo")
	anna.join(t, stage.URL)
	bob.join(t, stage.URL)

	follow := exec.Command(built(t), "chat", "--json", "--follow", "--session", stage.Code)
	follow.Env = append(os.Environ(), anna.env...)
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	go func() {
		defer close(said)
		for in := bufio.NewScanner(out); in.Scan(); {
			said <- in.Text()
		}
	}()

	bob.verb(t, "", "say", "--lane", "agents", "between us", "--session", stage.Code)
	bob.verb(t, "", "say", "to everyone")
	for want, args := range map[string][]string{
		"code expires url": {"invite", "--json"},
		"consoles grants id name org role state verified": {"roster", "--json", "--session", stage.Code},
	} {
		got := fields(t, anna.verb(t, "", args...))
		for _, name := range strings.Fields(want) {
			if !slices.Contains(strings.Fields(got), name) {
				t.Errorf("assist %v has no %q in %q", args, name, got)
			}
		}
	}
	if got := fields(t, anna.verb(t, "", "invite", "--json")); got != "code expires url" {
		t.Errorf("an invitation has %q", got)
	}
	if got := fields(t, anna.verb(t, "", "sessions", "--json")); !strings.Contains(got, "code") {
		t.Errorf("a session has %q", got)
	}
	if got := anna.verb(t, "", "sessions", "--json"); !strings.Contains(got, `"path":"`) || !strings.Contains(got, `"rtt_ms":`) {
		t.Errorf("of the link: %s", got)
	}
	doctor := exec.Command(built(t), "doctor", "--json")
	doctor.Env = append(os.Environ(), anna.env...)
	checks, _ := doctor.Output() // it may find fault with the machine
	if of := regexp.MustCompile(`"section": ?"sessions",\s*"check": ?"\d{4} \d{4}",\s*"status": ?"ok",\s*"evidence": ?"(directly|through the relay) since `); !of.Match(checks) {
		t.Errorf("the doctor of the link:\n%s", checks)
	}
	log := strings.Split(strings.TrimSpace(anna.verb(t, "", "chat", "--json")), "\n")
	lanes := map[string]string{}
	for _, line := range log {
		var e struct {
			Seq                    int
			Time                   time.Time
			From, Lane, Kind, Text string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Seq == 0 || e.Time.IsZero() {
			t.Errorf("%v: %s", err, line)
		}
		lanes[e.Text] = e.Lane + " " + e.Kind + " " + e.From
	}
	if lanes["between us"] != "agents said bob" || lanes["to everyone"] != "all said bob" {
		t.Errorf("%v", lanes)
	}

	took := make(chan string, 1)
	go func() {
		bob.term.await("accept the lead")
		time.Sleep(1500 * time.Millisecond) // the first keys after a dialog opened by itself are swallowed
		bob.term.keys("a")
		took <- ""
	}()
	if got := anna.verb(t, "", "handover", "bob", "--yes", "--json"); !json.Valid([]byte(got)) {
		t.Errorf("handover prints %q", got)
	}
	<-took
	awaitLead(t, anna, "bob")
	if got := anna.verb(t, "", "leave", "--yes", "--json", "--session", stage.Code); !json.Valid([]byte(got)) {
		t.Errorf("leave prints %q", got)
	}
	anna.term.await("you left the session") // what a shell did is read before it goes
	time.Sleep(1500 * time.Millisecond)
	anna.term.keys("q")
	anna.term.awaitExit()
	if got := bob.verb(t, "", "end", "--yes", "--json"); !json.Valid([]byte(got)) {
		t.Errorf("end prints %q", got)
	}
	var followed []string
	for line := range said {
		followed = append(followed, line)
	}
	if err := follow.Wait(); err != nil {
		t.Errorf("chat --follow: %v", err)
	}
	if all := strings.Join(followed, "\n"); !strings.Contains(all, `"text":"between us"`) || !strings.Contains(all, `"kind":"handed_over"`) {
		t.Errorf("followed:\n%s", all)
	}
}
