package broker

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"eve": true, "a": true, "0x": true, "web-01.lab_2": true, strings.Repeat("a", 32): true,
		"": false, strings.Repeat("a", 33): false, "Eve": false, "-eve": false, ".": false, "..": false, "_x": false,
		"e ve": false, "eve\n": false, "еve": false, "e/ve": false, "eve@": false, "e\x1b[m": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestHandles(t *testing.T) {
	for in, want := range map[string][2]string{
		"eve@acme": {"eve", "acme"}, "EVE@Acme": {"eve", "acme"}, "eve": {}, "eve@": {}, "@acme": {}, "a@b@c": {}, "eve@../x": {},
	} {
		name, org, err := ParseHandle(in)
		if [2]string{name, org} != want && err == nil || (err == nil) != (want[0] != "") {
			t.Errorf("%q: %q %q %v", in, name, org, err)
		}
	}
}

func TestLookAlikesHaveOneSkeleton(t *testing.T) {
	for _, pair := range [][2]string{{"paypal", "paypa1"}, {"com", "corn"}, {"root", "r00t"}, {"web", "vveb"}, {"it-help", "it_help"}, {"a.b", "a-b"}} {
		if skeleton(pair[0]) != skeleton(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	if skeleton("eve") == skeleton("eva") {
		t.Error("different names are equal")
	}
}

func TestTitles(t *testing.T) {
	for title, want := range map[string]string{
		"Acme Ltd": "Acme Ltd", "Müller & Söhne": "Müller & Söhne", "Mu\u0308ller": "Müller", "株式会社アクメ": "株式会社アクメ",
		"Acme 東京": "Acme 東京", "Почта": "Почта",
		"": "", " Acme": "", "Acme\n": "", "Ac\x1b[31mme": "", "Acme\u202e": "", "Ac\u200bme": "", "Аcme": "" /* Cyrillic A */, "Acme\u0085": "",
		"Acme\xff": "", strings.Repeat("x", 129): "", "a\u0301\u0301\u0301\u0301\u0301\u0301b": "", "\U000e0041": "", "Ac\u00adme": "", "\ufffd": "",
	} {
		got, err := CheckTitle(title)
		if (err == nil) != (want != "") || (err == nil && got != want) {
			t.Errorf("%q: %q, %v", title, got, err)
		}
	}
}
