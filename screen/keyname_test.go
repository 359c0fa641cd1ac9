package screen

import "testing"

func TestParseKey(t *testing.T) {
	for _, x := range []struct {
		in   string
		key  Key
		mods Mods
	}{
		{"ctrl+c", 'c', ModControl},
		{"Ctrl-Alt-Del", KeyDelete, ModControl | ModAlt},
		{"alt+F4", KeyF4, ModAlt},
		{"enter", KeyEnter, 0},
		{"super", KeySuper, 0},
		{"ctrl+shift+Tab", KeyTab, ModControl | ModShift},
		{"+", '+', 0},
		{"-", '-', 0},
		{"ctrl++", '+', ModControl},
		{"ctrl+-", '-', ModControl},
		{"ctrl+plus", '+', ModControl},
		{"ä", 'ä', 0},
		{"A", 'A', 0},
		{"altgr+q", 'q', ModAltGr},
		{"shift+super", KeySuper, ModShift},
	} {
		if key, mods, err := ParseKey(x.in); key != x.key || mods != x.mods || err != nil {
			t.Errorf("%s: %#x, %d, %v", x.in, key, mods, err)
		}
	}
	for _, bad := range []string{"", "ab", "hyper+x", "ctrl+", "+c", "\x1b", "ctrl+\n", "\xff", "ctrl+c+d"} {
		if key, mods, err := ParseKey(bad); err == nil {
			t.Errorf("%q is read as %#x, %d", bad, key, mods)
		}
	}
}
