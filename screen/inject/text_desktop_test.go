//go:build desktop

package inject

import (
	"strings"
	"testing"
)

var texts = []string{
	"Hello, World! ~`@#$%^&*()_+{}|:\"<>?[];',./-=\\ 0123456789 zZyYqQaAwWmM",
	"äöüÄÖÜß éèêñç ½ µ ¿¡ £",
	"Привет, мир! ЁёЪъ Її Ґґ Ўў",
	"Ελληνικά: Ωμέγα, ς, ΐ, Ά",
	"日本語テスト 中文 한국어",
	"€ → ✓ “quoted” … 😀🚀 👩‍💻 ❤️",
	"Łódź, Příliš žluťoučký kůň, Iğdır",
	"שלום ไทย العربية",
}

func TestTextArrivesInXterm(t *testing.T) {
	d := newDesktop(t)
	p := d.terminal("typist")
	x := d.open()
	for _, layout := range [][]string{{"us"}, {"de"}, {"fr"}, {"gr"}, {"us,gr"}, {"ru"}, {"cz"}} {
		t.Run(strings.Join(layout, " "), func(t *testing.T) {
			d.layout(layout...)
			p.types(t, x, strings.Join(texts, "\n"))
		})
	}
}
