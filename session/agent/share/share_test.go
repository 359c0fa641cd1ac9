package share

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rsc.io/qr"
)

// machine is an environment with nothing in it but the programs that a test makes.
func machine(t *testing.T) (bin string) {
	t.Helper()
	bin = t.TempDir()
	t.Setenv("PATH", bin)
	for _, k := range []string{"TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "MAILER"} {
		t.Setenv(k, "")
	}
	t.Setenv("TERM", "xterm-256color")
	return bin
}

// program writes what it is given into NAME.args and NAME.stdin beside it, and ends with code.
func program(t *testing.T, bin, name, code string) {
	t.Helper()
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >> " + bin + "/" + name + ".args\n/bin/cat > " + bin + "/" + name + ".stdin\nexit " + code + "\n"
	if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// tty is a terminal that keeps what it is sent.
type tty struct{ bytes.Buffer }

func (*tty) Close() error { return nil }

func (s *tty) open() (io.WriteCloser, error) { return s, nil }

func noTTY() (io.WriteCloser, error) { return nil, errors.New("no such device") }

const link = "https://relay.example:8443/j/12345678#1.mfrggzdfmztwq2lknnwg23tpobyxe43u"

func TestCopyLadder(t *testing.T) {
	osc := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(link)) + "\a"
	for _, c := range []struct {
		name     string
		env      map[string]string
		programs map[string]string // exit code by name
		tty      bool
		ways     []string
		written  string
		stdin    string // program that got the text
	}{
		{"tmux", map[string]string{"TMUX": "x"}, map[string]string{"tmux": "0"}, true, []string{Tmux}, "", "tmux"},
		{"broken tmux", map[string]string{"TMUX": "x"}, map[string]string{"tmux": "1"}, true, []string{Terminal}, osc, ""},
		{
			"no tmux program",
			map[string]string{"TMUX": "x", "TERM": "tmux-256color"},
			nil, true,
			[]string{Terminal},
			osc + "\x1bPtmux;\x1b" + osc + "\x1b\\", "",
		},
		{"terminal", nil, nil, true, []string{Terminal}, osc, ""},
		{"screen", map[string]string{"TERM": "screen-256color"}, nil, true, []string{Terminal}, "\x1bP" + osc + "\x1b\\", ""},
		{"terminal on a desktop", map[string]string{"DISPLAY": ":1"}, map[string]string{"xclip": "0"}, true, []string{Terminal, Clipboard}, osc, "xclip"},
		{"no terminal", map[string]string{"DISPLAY": ":1"}, map[string]string{"xclip": "1", "xsel": "0"}, false, []string{Clipboard}, "", "xsel"},
		{"wayland", map[string]string{"WAYLAND_DISPLAY": "w", "TERM": "linux"}, map[string]string{"wl-copy": "0", "xclip": "0"}, true, []string{Clipboard}, "", "wl-copy"},
		{"over ssh", map[string]string{"DISPLAY": ":10", "SSH_TTY": "/dev/pts/1"}, map[string]string{"xclip": "0"}, true, []string{Terminal}, osc, ""},
		{"nothing", map[string]string{"DISPLAY": ":1"}, nil, false, nil, "", ""},
		{"dumb", map[string]string{"TERM": "dumb"}, nil, true, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bin := machine(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			for name, code := range c.programs {
				program(t, bin, name, code)
			}
			var term tty
			open := noTTY
			if c.tty {
				open = term.open
			}
			ways, err := copyBy(t.Context(), link, open)
			if !slices.Equal(ways, c.ways) || (err == nil) != (c.ways != nil) {
				t.Errorf("copied by %q, %v; want %q", ways, err, c.ways)
			}
			if term.String() != c.written {
				t.Errorf("the terminal got %q\nwant %q", term.String(), c.written)
			}
			if c.stdin != "" && read(t, bin, c.stdin+".stdin") != link {
				t.Errorf("%s got %q", c.stdin, read(t, bin, c.stdin+".stdin"))
			}
		})
	}
}

func TestOldTmuxGetsTheBufferOnly(t *testing.T) {
	bin := machine(t)
	t.Setenv("TMUX", "x")
	script := "#!/bin/sh\necho \"$@\" >> " + bin + "/args\ncase \"$2\" in -w) exit 1;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "tmux"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if ways, err := copyBy(t.Context(), link, noTTY); err != nil || ways[0] != Tmux {
		t.Errorf("%q, %v", ways, err)
	}
	if got := read(t, bin, "args"); got != "load-buffer -w -\nload-buffer -\n" {
		t.Errorf("%q", got)
	}
}

func TestLongTextGoesThroughScreenInPieces(t *testing.T) {
	out := osc52(strings.Repeat("x", 3000), "screen", false)
	var b strings.Builder
	for _, piece := range strings.SplitAfter(out, "\x1b\\") {
		if len(piece) > 768 {
			t.Errorf("a piece of %d bytes", len(piece))
		}
		b.WriteString(strings.TrimSuffix(strings.TrimPrefix(piece, "\x1bP"), "\x1b\\"))
	}
	if b.String() != osc52(strings.Repeat("x", 3000), "xterm", false) {
		t.Error("the pieces are not the whole")
	}
	if _, err := Copy(t.Context(), strings.Repeat("x", maxCopy+1)); err == nil {
		t.Error("too much was copied")
	}
}

func TestMailto(t *testing.T) {
	for _, c := range []struct {
		l    Letter
		want string
	}{
		{Letter{"", "Hi", "a b"}, "mailto:?subject=Hi&body=a%20b"},
		{Letter{"eve@acme.example", "50% & more?", "one\ntwo\n"}, "mailto:eve@acme.example?subject=50%25%20%26%20more%3F&body=one%0D%0Atwo%0D%0A"},
		{Letter{"a+b&c=d?e@x.example", "", "#1.a+b"}, "mailto:a%2Bb%26c%3Dd%3Fe@x.example?subject=&body=%231.a%2Bb"},
		{Letter{`"q@r"@x.example`, "", "it's, \"so\" `x` $y"}, "mailto:%22q%40r%22@x.example?subject=&body=it%27s%2C%20%22so%22%20%60x%60%20%24y"},
		{Letter{"jörg@bücher.example", "Grüße", "€"}, "mailto:j%C3%B6rg@b%C3%BCcher.example?subject=Gr%C3%BC%C3%9Fe&body=%E2%82%AC"},
	} {
		if got := c.l.URL(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestInvitationSurvivesTheMailto(t *testing.T) {
	l := Invitation("1234 5678", link, "until 10:00")
	u, err := url.Parse(l.URL())
	if err != nil || u.Fragment != "" {
		t.Fatalf("%v, fragment %q", err, u.Fragment)
	}
	q, err := url.ParseQuery(u.RawQuery) // %20 and + both are a blank there, so the address is looked at as it is
	if err != nil || strings.Contains(u.RawQuery, "+") {
		t.Fatal(err, u.RawQuery)
	}
	if got := strings.ReplaceAll(q.Get("body"), "\r\n", "\n"); got != l.Body || !strings.Contains(got, "\n"+link+"\n") {
		t.Errorf("%q", got)
	}
	if q.Get("subject") != "Join my support session 1234 5678" {
		t.Errorf("%q", q.Get("subject"))
	}
	m, err := mail.ReadMessage(strings.NewReader(l.String()))
	if err != nil || m.Header.Get("Subject") != l.Subject {
		t.Errorf("%v", err)
	}
}

func TestOpenMail(t *testing.T) {
	l := Letter{To: "eve@acme.example", Subject: "Hi", Body: "x"}
	for _, c := range []struct {
		name     string
		env      map[string]string
		programs map[string]string
		by       string
		args     string
	}{
		{"xdg-email", map[string]string{"DISPLAY": ":1", "MAILER": "mutt", "BROWSER": "lynx"}, map[string]string{"xdg-email": "0", "xdg-open": "0", "lynx": "0"}, "xdg-email", l.URL() + "\n"},
		{"xdg-open", map[string]string{"DISPLAY": ":1", "MAILER": "mutt"}, map[string]string{"xdg-email": "3", "xdg-open": "0"}, "xdg-open", l.URL() + "\n"},
		{"browser", map[string]string{"DISPLAY": ":1", "BROWSER": "missing:b1 --new %s -x:b2"}, map[string]string{"b1": "0"}, "b1", "--new\n" + l.URL() + "\n-x\n"},
		{"no mail program", map[string]string{"DISPLAY": ":1"}, map[string]string{"xdg-mime": "0", "xdg-email": "0", "xdg-open": "0"}, "", ""},
		{"ssh", map[string]string{"DISPLAY": ":10", "SSH_CONNECTION": "x", "MAILER": "m"}, map[string]string{"xdg-email": "0"}, "", ""},
		{"no display", map[string]string{"MAILER": "m", "BROWSER": "b"}, map[string]string{"xdg-email": "0", "b": "0"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bin := machine(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			for name, code := range c.programs {
				program(t, bin, name, code)
			}
			by, err := l.Open(t.Context())
			if by != c.by || (c.by == "") != errors.Is(err, ErrNoMail) {
				t.Fatalf("opened by %q, %v; want %q", by, err, c.by)
			}
			if by != "" && read(t, bin, by+".args") != c.args {
				t.Errorf("%s got %q, want %q", by, read(t, bin, by+".args"), c.args)
			}
		})
	}
}

func TestCancelledMail(t *testing.T) {
	bin := machine(t)
	t.Setenv("DISPLAY", ":1")
	t.Setenv("MAILER", "m")
	program(t, bin, "xdg-email", "0")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Letter{}).Open(ctx); err == nil {
		t.Error("opened")
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"eve@acme.example": "eve@acme.example", "Eve <eve@acme.example>": "eve@acme.example", "eve": "", "a@b\r\nBcc: c@d": "", "a@b, c@d": "", "--x": "",
	} {
		if got, err := ParseAddress(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// TestQR reads the drawing back, module by module.
func TestQR(t *testing.T) {
	for _, colour := range []bool{false, true} {
		s, err := QR(link, colour)
		if err != nil {
			t.Fatal(err)
		}
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\x1b[38;5;231;48;5;16m", ""), "\x1b[m", "")
		if strings.Contains(s, "\x1b") {
			t.Fatal("other sequences")
		}
		code, err := qr.Encode(link, qr.L)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
		if len(lines) > 23 {
			t.Errorf("%d lines do not fit a terminal of 24", len(lines))
		}
		for row, line := range lines {
			for x, r := range []rune(line) {
				upper, lower := r == '█' || r == '▀', r == '█' || r == '▄'
				for i, light := range []bool{upper, lower} {
					if y := 2*row + i; light == code.Black(x-quiet, y-quiet) {
						t.Fatalf("module %d,%d is wrong", x, y)
					}
				}
			}
		}
	}
	if _, err := QR(strings.Repeat("x", 8000), false); err == nil {
		t.Error("too long a text was drawn")
	}
}
