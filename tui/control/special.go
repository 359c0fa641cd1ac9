package control

import "assist/screen"

// Special is an entry of the menu of special keys: what a terminal cannot send by itself.
type Special struct {
	Name  string
	Key   screen.Key
	Mods  screen.Mods
	Latch bool // hold Mods around the next key or click instead
}

// Specials is that menu, in its order.
func Specials() []Special {
	out := []Special{
		{Name: "Ctrl-Alt-Del", Key: screen.KeyDelete, Mods: screen.ModControl | screen.ModAlt},
		{Name: "Super", Key: screen.KeySuper},
		{Name: "Alt-Tab", Key: screen.KeyTab, Mods: screen.ModAlt},
		{Name: "Alt-F4", Key: screen.KeyF4, Mods: screen.ModAlt},
		{Name: "Print", Key: screen.KeyPrint},
		{Name: "Pause", Key: screen.KeyPause},
		{Name: "Scroll Lock", Key: screen.KeyScrollLock},
		{Name: "Menu", Key: screen.KeyMenu},
		{Name: "hold Ctrl", Mods: screen.ModControl, Latch: true},
		{Name: "hold Alt", Mods: screen.ModAlt, Latch: true},
		{Name: "hold Shift", Mods: screen.ModShift, Latch: true},
		{Name: "hold Super", Mods: screen.ModSuper, Latch: true},
		{Name: "hold AltGr", Mods: screen.ModAltGr, Latch: true},
	}
	for i, name := range []string{"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12"} {
		out = append(out, Special{Name: name, Key: screen.KeyF1 + screen.Key(i)})
	}
	for i, name := range []string{"Ctrl-Alt-F1", "Ctrl-Alt-F2", "Ctrl-Alt-F3"} {
		out = append(out, Special{Name: name, Key: screen.KeyF1 + screen.Key(i), Mods: screen.ModControl | screen.ModAlt})
	}
	return out
}

// Names says in words which modifiers are in m.
func Names(m screen.Mods) string {
	s := ""
	for _, n := range []struct {
		mod  screen.Mods
		name string
	}{{screen.ModControl, "Ctrl"}, {screen.ModAlt, "Alt"}, {screen.ModAltGr, "AltGr"}, {screen.ModShift, "Shift"}, {screen.ModSuper, "Super"}} {
		if m&n.mod == 0 {
			continue
		}
		if s != "" {
			s += "-"
		}
		s += n.name
	}
	return s
}
