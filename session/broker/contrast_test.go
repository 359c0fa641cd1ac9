package broker

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	var c [3]uint8
	if len(hex) == 4 {
		hex = "#" + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:3], 2) + strings.Repeat(hex[3:4], 2)
	}
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &c[0], &c[1], &c[2]); err != nil {
		t.Fatalf("%q: %v", hex, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := float64(c[i]) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

// TestJoinPageCanBeRead holds every text of the page to 7:1 and every edge to 3:1 of what is behind it (WCAG 2.2, 1.4.6 and
// 1.4.11), in light and dark.
func TestJoinPageCanBeRead(t *testing.T) {
	light, dark, found := strings.Cut(joinCSS, "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("no dark colours")
	}
	for name, css := range map[string]string{"light": light, "dark": dark} {
		of := func(selector string, properties ...string) string {
			rule := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(selector) + ` \{([^}]*)\}`).FindStringSubmatch(css)
			if rule == nil {
				t.Fatalf("%s: no rule for %s", name, selector)
			}
			for declaration := range strings.SplitSeq(rule[1], ";") {
				property, value, _ := strings.Cut(strings.TrimSpace(declaration), ":")
				if hex := regexp.MustCompile(`#[0-9a-f]{3,6}`).FindString(value); slices.Contains(properties, property) && hex != "" {
					return hex
				}
			}
			t.Fatalf("%s: %s has no %v", name, selector, properties)
			return ""
		}
		buttons := map[bool]string{true: "button, .button", false: "button"}[name == "light"]
		ground := of("body", "background")
		for _, c := range []struct {
			what, over, under string
			least             float64
		}{
			{"text", of("body", "color"), ground, 7},
			{"notes", of(".note", "color"), ground, 7},
			{"commands", of("body", "color"), of("pre", "background"), 7},
			{"the link", of(".button", "color"), of(".button", "background"), 7},
			{"buttons", of(buttons, "color"), of(buttons, "background"), 7},
			{"edge of a button", of(buttons, "border", "border-color"), ground, 3},
			{"edge of a command", of("pre", "border", "border-color"), ground, 3},
			{"focus", of(":focus-visible", "outline", "outline-color"), ground, 3},
			{"warning", of(".warning", "border-left", "border-color"), ground, 3},
		} {
			a, b := luminance(t, c.over), luminance(t, c.under)
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < c.least {
				t.Errorf("%s: %s %s on %s has %.1f:1, wants %v", name, c.what, c.over, c.under, ratio, c.least)
			}
		}
	}
}
