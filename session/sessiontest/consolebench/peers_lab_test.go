//go:build lab

package consolebench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"

	"assist/screen/console/consoletest"
)

// counter is what passed a proxy: payload of UDP or TCP, without the headers below.
type counter struct{ down, up atomic.Int64 }

func (c *counter) sum() int64 { return c.down.Load() + c.up.Load() }

// udpProxy counts what a client and the server at target say to each other.
func udpProxy(t testing.TB, target string) (addr string, c *counter) {
	t.Helper()
	front, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &counter{}
	t.Cleanup(func() { _ = front.Close() })
	go func() {
		backs := map[string]net.Conn{}
		buf := make([]byte, 1<<16)
		for {
			n, from, err := front.ReadFrom(buf)
			if err != nil {
				for _, b := range backs {
					_ = b.Close()
				}
				return
			}
			back := backs[from.String()]
			if back == nil {
				if back, err = net.Dial("udp4", target); err != nil {
					continue
				}
				backs[from.String()] = back
				go func() {
					down := make([]byte, 1<<16)
					for {
						n, err := back.Read(down)
						if err != nil {
							return
						}
						c.down.Add(int64(n))
						_, _ = front.WriteTo(down[:n], from)
					}
				}()
			}
			c.up.Add(int64(n))
			_, _ = back.Write(buf[:n])
		}
	}()
	return front.LocalAddr().String(), c
}

func tcpProxy(t testing.TB, target string) (addr string, c *counter) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &counter{}
	t.Cleanup(func() { _ = l.Close() })
	count := func(to io.WriteCloser, from io.Reader, n *atomic.Int64) {
		buf := make([]byte, 1<<16)
		for {
			k, err := from.Read(buf)
			n.Add(int64(k))
			if k > 0 {
				_, _ = to.Write(buf[:k])
			}
			if err != nil {
				_ = to.Close()
				return
			}
		}
	}
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp4", target)
			if err != nil {
				_ = front.Close()
				continue
			}
			go count(back, front, &c.up)
			go count(front, back, &c.down)
		}
	}()
	return l.Addr().String(), c
}

// client runs a client in a terminal of the size of the recordings and throws away what it draws.
func client(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8"), cmd.Env...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(consoletest.Size.X), Rows: uint16(consoletest.Size.Y)})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, f) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = f.Close()
		_ = cmd.Wait()
	})
}

var connect = regexp.MustCompile(`MOSH CONNECT (\d+) (\S+)`)

// mosh runs command in a mosh session through a counting proxy.
func mosh(t testing.TB, command string) *counter {
	t.Helper()
	server := exec.Command("mosh-server", "new", "-i", "127.0.0.1", "-l", "LANG=C.UTF-8", "-l", "LC_ALL=C.UTF-8", "--", "/bin/sh", "-c", command)
	server.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	f, err := pty.StartWithSize(server, &pty.Winsize{Cols: uint16(consoletest.Size.X), Rows: uint16(consoletest.Size.Y)})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(f) // until it goes to the background
	_ = server.Wait()
	m := connect.FindSubmatch(out)
	pid := regexp.MustCompile(`detached, pid = (\d+)`).FindSubmatch(out)
	if m == nil || pid == nil {
		t.Fatalf("mosh-server: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("kill", string(pid[1])).Run() })
	addr, c := udpProxy(t, "127.0.0.1:"+string(m[1]))
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("mosh-client", "127.0.0.1", port)
	cmd.Env = []string{"MOSH_KEY=" + string(m[2])}
	client(t, cmd)
	return c
}

// sshd serves this user on a port of its own, with keys of its own.
type sshd struct{ addr, key string }

func startSSHD(t testing.TB) sshd {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %s", out)
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	conf := fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n", port, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "sshd_config"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.MkdirAll("/run/sshd", 0o755) // where Debian's sshd wants to be; as root it can
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp4", addr); err == nil {
			_ = c.Close()
			return sshd{addr, filepath.Join(dir, "user")}
		}
		if time.Now().After(end) {
			t.Fatalf("sshd: %s", words.String())
		}
	}
}

// run runs command in an ssh session through a counting proxy.
func (s sshd) run(t testing.TB, command string) *counter {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	addr, c := tcpProxy(t, s.addr)
	host, port, _ := net.SplitHostPort(addr)
	client(t, exec.Command("ssh", "-tt", "-F", "none", "-i", s.key, "-p", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", me.Username+"@"+host, command))
	return c
}
