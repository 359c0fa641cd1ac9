package checkup

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"assist/diag"
	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestSpark(t *testing.T) {
	cpu, load := diag.Values()[1], diag.Values()[0]
	all := []diag.Sample{{CPU: 0, Load: 0}, {CPU: 50, Load: 1}, {CPU: 100, Load: 2}, {CPU: 1e9, Load: 4}}
	if got := Spark(all, cpu, 10); got != "▁▄██" {
		t.Errorf("%q", got)
	}
	if got := Spark(all, load, 2); got != "▄█" {
		t.Errorf("%q", got)
	}
	if got := Spark(nil, load, 9) + Spark(all, load, 0) + Spark(all[:1], load, 3); got != "▁" {
		t.Errorf("%q", got)
	}
}

func full() console.Checkup {
	r := diag.Report{At: time.Unix(1700000000, 0), Host: "日本語"}
	for _, id := range diag.All() {
		c := diag.Category{ID: id}
		for i := range 40 {
			c.Items = append(c.Items, diag.Item{Name: fmt.Sprintf("item %d \x1b", i), Value: strings.Repeat("wide 日本 ", i), Depth: i % 12})
		}
		r.Categories = append(r.Categories, c)
		r.Findings = append(r.Findings, diag.Finding{ID: "x." + string(id), Severity: diag.Warn, Category: id, Evidence: strings.Repeat("e ", 300), Advice: "a"})
	}
	return console.Checkup{Reports: []diag.Report{r}, Live: make([]diag.Sample, 200), Why: "no", LiveWhy: "no"}
}

func TestEveryViewFitsEverySize(t *testing.T) {
	th := theme.New(true, colorprofile.TrueColor)
	for name, u := range map[string]console.Checkup{"empty": {}, "full": full(), "pulling": {Pulling: true, Doing: strings.Repeat("x", 200)}} {
		for _, size := range [][2]int{{80, 22}, {60, 14}, {120, 38}, {200, 58}, {61, 15}} {
			p := New()
			p.SetSize(size[0], size[1])
			p.Show(u)
			for _, key := range []string{"", "tab", "end", "pgup", "x", "e", "/", "esc", "w", "esc", "home", "pgdown"} {
				if key != "" {
					p.Press(press(key))
				}
				out := p.View(th)
				if len(out) != size[1] {
					t.Fatalf("%s at %v after %q: %d rows", name, size, key, len(out))
				}
				for _, l := range out {
					if cell.Width(l) != size[0] {
						t.Fatalf("%s at %v after %q: %d cells in %q", name, size, key, cell.Width(l), ansi.Strip(l))
					}
				}
			}
		}
	}
}

func press(key string) tea.KeyPressMsg {
	named := map[string]rune{"tab": tea.KeyTab, "end": tea.KeyEnd, "home": tea.KeyHome, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown}
	if c, ok := named[key]; ok {
		return tea.KeyPressMsg{Code: c}
	}
	return tea.KeyPressMsg{Code: []rune(key)[0], Text: key}
}

func TestMovingStaysInside(t *testing.T) {
	p := New()
	p.SetSize(80, 22)
	p.Show(full())
	for range 200 {
		p.Press(press("down"))
	}
	if p.at != string(diag.Crashes) {
		t.Errorf("at %s", p.at)
	}
	p.Press(press("tab"))
	for range 200 {
		p.Press(press("down"))
	}
	if n := len(p.rows()); p.cursor != n-1 || p.top != n-p.room() {
		t.Errorf("%d of %d, window from %d", p.cursor, n, p.top)
	}
	for range 3 {
		p.Press(press("pgup"))
	}
	p.Scroll(-1000)
	if p.cursor != 0 || p.top != 0 {
		t.Errorf("%d, %d", p.cursor, p.top)
	}
}
