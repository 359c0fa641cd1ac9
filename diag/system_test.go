package diag

import "testing"

func TestLine(t *testing.T) {
	for _, c := range []struct {
		in   System
		want string
	}{
		{System{Host: "web-01", OS: "Debian GNU/Linux 12", Kernel: "Linux 6.1.0", Arch: "amd64"}, "Debian GNU/Linux 12, Linux 6.1.0, amd64"},
		{System{Kernel: "Linux 6.1.0"}, "Linux 6.1.0"},
		{System{}, ""},
	} {
		if got := c.in.Line(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}
