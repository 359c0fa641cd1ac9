//go:build desktop || lab

package consoletest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"assist/screen"
)

// Xterm is a real xterm, into whose terminal bytes are written from here.
type Xterm struct {
	cmd  *exec.Cmd
	conn net.Conn
	in   *bufio.Reader
	dir  string
}

// feeder is the variable that makes a test program the feeder inside of xterm.
const feeder = "ASSIST_XTERM_FEEDER"

// Feed is called first by the test program, whose main it is where one of the variables of this package is set: inside of
// xterm it passes bytes between the terminal and the test.
func Feed() {
	actors()
	socket := os.Getenv(feeder)
	if socket == "" {
		return
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		os.Exit(1)
	}
	if _, err := term.MakeRaw(0); err != nil {
		os.Exit(1)
	}
	go func() { _, _ = io.Copy(conn, os.Stdin) }()
	_, _ = io.Copy(os.Stdout, conn)
	os.Exit(0)
}

// Xvfb starts a display and says its name.
func Xvfb(ctx context.Context) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	cmd := exec.CommandContext(ctx, "Xvfb", "-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return "", err
	}
	_ = r.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := bufio.NewReader(r).ReadString('\n')
	return ":" + strings.TrimSpace(line), err
}

// StartXterm starts one of Size in dir on display.
func StartXterm(ctx context.Context, display, dir string) (*Xterm, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "feed")
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	x := &Xterm{dir: dir}
	printed := filepath.Join(dir, "printed")
	x.cmd = exec.CommandContext(ctx, "xterm", "-u8", "-geometry", fmt.Sprintf("%dx%d", Size.X, Size.Y),
		"-xrm", "*printerCommand: cat > "+printed+".part && mv "+printed+".part "+printed,
		"-xrm", "*printAttributes: 0", "-xrm", "*printerAutoClose: true", "-xrm", "*allowWindowOps: true",
		"-xrm", "*c132: false", "-xrm", "*boldColors: false", "-xrm", "*disallowedWindowOps: 1,2,3,4,5,6,7,8,9,10", "-xrm", "*decTerminalID: 420", "-e", self)
	x.cmd.Env = append(os.Environ(), "DISPLAY="+display, feeder+"="+socket, "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	if err := x.cmd.Start(); err != nil {
		return nil, err
	}
	_ = l.(*net.UnixListener).SetDeadline(time.Now().Add(20 * time.Second))
	if x.conn, err = l.Accept(); err != nil {
		return nil, fmt.Errorf("xterm: %w", err)
	}
	x.in = bufio.NewReader(x.conn)
	return x, nil
}

// Close ends it.
func (x *Xterm) Close() {
	_ = x.conn.Close()
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
}

// Write gives it bytes of a program and waits until it has read them.
func (x *Xterm) Write(b []byte) error {
	if _, err := x.conn.Write(b); err != nil {
		return err
	}
	return x.sync()
}

// sync waits for the answer to a question whose answer nothing else is: the terminal's status, asked twice.
func (x *Xterm) sync() error {
	const answer = "\x1b[0n\x1b[0n"
	if _, err := x.conn.Write([]byte("\x1b[5n\x1b[5n")); err != nil {
		return err
	}
	_ = x.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	var got []byte
	for !bytes.HasSuffix(got, []byte(answer)) {
		c, err := x.in.ReadByte()
		if err != nil {
			return fmt.Errorf("xterm does not answer: %w", err)
		}
		got = append(got, c)
	}
	return nil
}

// Screen reads what stands in it: the text as it prints it, the styles as it reports them cell by cell.
func (x *Xterm) Screen() (text []string, styles [][]screen.Style, err error) {
	if text, err = x.print(); err != nil {
		return nil, nil, err
	}
	styles, err = x.styles()
	return text, styles, err
}

// print asks xterm to print its screen: all of it (DECPEX) and not only the scroll region.
func (x *Xterm) print() ([]string, error) {
	printed := filepath.Join(x.dir, "printed")
	_ = os.Remove(printed)
	if err := x.Write([]byte("\x1b[?19h\x1b[i")); err != nil {
		return nil, err
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(printed); err == nil {
			s := strings.ReplaceAll(strings.Trim(string(b), "\f"), "\uFFFF", "") // xterm's second half of a wide character
			rows := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
			for i := range rows {
				rows[i] = strings.TrimRight(rows[i], " \r")
			}
			for len(rows) < Size.Y {
				rows = append(rows, "")
			}
			return rows[:Size.Y], nil
		}
	}
	return nil, fmt.Errorf("xterm printed nothing")
}

var report = regexp.MustCompile("\x1b\\[([0-9;:]*)m")

// styles asks for the rendition of every cell (XTREPORTSGR).
func (x *Xterm) styles() ([][]screen.Style, error) {
	var ask bytes.Buffer
	for row := 1; row <= Size.Y; row++ {
		for column := 1; column <= Size.X; column++ {
			fmt.Fprintf(&ask, "\x1b[%d;%d;%d;%d#|", row, column, row, column)
		}
	}
	go func() { _, _ = x.conn.Write(ask.Bytes()) }()
	_ = x.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	out := make([][]screen.Style, Size.Y)
	for row := range out {
		out[row] = make([]screen.Style, Size.X)
		for column := range out[row] {
			s, err := x.in.ReadString('m')
			if err != nil {
				return nil, fmt.Errorf("style of %d,%d: %w", column, row, err)
			}
			m := report.FindStringSubmatch(s)
			if m == nil {
				return nil, fmt.Errorf("style of %d,%d: %q", column, row, s)
			}
			if out[row][column], err = readStyle(m[1]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// readStyle reads a rendition as xterm reports it. It shares nothing with the emulator.
func readStyle(s string) (out screen.Style, err error) {
	attrs := map[string]screen.Attr{
		"1": screen.Bold, "2": screen.Faint, "3": screen.Italic, "4": screen.Underline, "5": screen.Blink, "7": screen.Reverse,
		"8": screen.Hidden, "9": screen.Strike, "21": screen.DoubleLine,
	}
	for _, code := range strings.Split(s, ";") {
		if a, ok := attrs[code]; ok {
			out.Attr |= a
			continue
		}
		parts := strings.Split(code, ":")
		n, _ := strconv.Atoi(parts[0])
		var c screen.Colour
		switch {
		case code == "" || n == 0:
			continue
		case n >= 30 && n <= 37 || n >= 40 && n <= 47:
			c = screen.PaletteColour(uint8(n % 10))
		case n >= 90 && n <= 97 || n >= 100 && n <= 107:
			c = screen.PaletteColour(uint8(n%10 + 8))
		case (n == 38 || n == 48) && len(parts) == 3 && parts[1] == "5":
			v, _ := strconv.Atoi(parts[2])
			c = screen.PaletteColour(uint8(v))
		case (n == 38 || n == 48) && len(parts) == 6 && parts[1] == "2":
			var v [3]int
			for i := range v {
				v[i], _ = strconv.Atoi(parts[3+i])
			}
			c = screen.RGBColour(uint8(v[0]), uint8(v[1]), uint8(v[2]))
		default:
			return out, fmt.Errorf("rendition %q is not understood", s)
		}
		if n/10 == 3 || n/10 == 9 {
			out.Fg = c
		} else {
			out.Bg = c
		}
		if n == 38 {
			out.Fg = c
		} else if n == 48 {
			out.Bg = c
		}
	}
	return out, nil
}
