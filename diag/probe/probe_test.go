package probe

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestPrettyName(t *testing.T) {
	for in, want := range map[string]string{
		"NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n": "Debian GNU/Linux 12 (bookworm)",
		"PRETTY_NAME='Arch Linux'": "Arch Linux",
		"NAME=Debian":              "",
	} {
		if got := prettyName(strings.NewReader(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSystemAgreesWithUname(t *testing.T) {
	uname, err := exec.LookPath("uname")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no uname to compare with")
	}
	out, err := exec.Command(uname, "-sr").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := System()
	if got := s.Kernel; got != strings.TrimSpace(string(out)) {
		t.Errorf("kernel %q, uname says %q", got, out)
	}
	if host, _ := os.Hostname(); s.Host != host || s.Arch != runtime.GOARCH || s.OS == "" {
		t.Errorf("incomplete: %+v", s)
	}
}
