//go:build linux

// Package storetest runs real PostgreSQL servers for tests: Debian's, each with a data folder and a port of its own on
// loopback, made by the test and gone with it. A test without an installed server is skipped with a sentence.
package storetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Postgres is one server.
type Postgres struct {
	tb   testing.TB
	bin  string // folder of the programs
	data string
	port int
	as   *syscall.SysProcAttr // PostgreSQL refuses to run as root
}

// Start makes and starts a server, which ends with the test.
func Start(tb testing.TB) *Postgres {
	tb.Helper()
	p := place(tb)
	p.must("initdb", "-D", p.data, "-U", "assist", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	p.configure("wal_level = replica", "max_wal_senders = 4", "hot_standby = on")
	p.Run()
	tb.Cleanup(p.Stop)
	return p
}

// Standby makes and starts a server that follows p, and takes no writes until Promote.
func (p *Postgres) Standby() *Postgres {
	p.tb.Helper()
	s := place(p.tb)
	s.must("pg_basebackup", "-D", s.data, "-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "assist")
	s.configure()
	s.Run()
	p.tb.Cleanup(s.Stop)
	return s
}

func place(tb testing.TB) *Postgres {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian puts it
	if len(found) == 0 {
		tb.Skip("no PostgreSQL server is installed here (Debian's postgresql)")
	}
	p := &Postgres{tb: tb, bin: filepath.Dir(found[len(found)-1]), port: freePort(tb)}
	dir, err := os.MkdirTemp("", "postgres-") // tb.TempDir is closed to other users
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	p.data = filepath.Join(dir, "data")
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			tb.Skip("PostgreSQL does not run as root, and there is no user postgres here")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			tb.Fatal(err)
		}
		p.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	return p
}

func freePort(tb testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (p *Postgres) configure(lines ...string) {
	f, err := os.OpenFile(filepath.Join(p.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		p.tb.Fatal(err)
	}
	lines = append(lines, fmt.Sprintf("port = %d", p.port), "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "max_connections = 60")
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	if err := f.Close(); err != nil {
		p.tb.Fatal(err)
	}
	if err != nil {
		p.tb.Fatal(err)
	}
}

func (p *Postgres) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(p.bin, name), args...)
	c.SysProcAttr = p.as
	c.Dir = filepath.Dir(p.data)
	return c
}

func (p *Postgres) must(name string, args ...string) {
	p.tb.Helper()
	if out, err := p.command(name, args...).CombinedOutput(); err != nil {
		p.tb.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Run starts the server, again after Stop, and waits until it answers.
func (p *Postgres) Run() {
	p.tb.Helper()
	c := p.command("pg_ctl", "-D", p.data, "-w", "-l", filepath.Join(filepath.Dir(p.data), "log"), "start")
	if err := c.Run(); err != nil { // its output stays open in the server: not to be read
		log, _ := os.ReadFile(filepath.Join(filepath.Dir(p.data), "log"))
		p.tb.Fatalf("start PostgreSQL: %v\n%s", err, log)
	}
}

// Stop ends the server at once, as a crash would; it is fine when it does not run.
func (p *Postgres) Stop() {
	_ = p.command("pg_ctl", "-D", p.data, "-w", "-m", "immediate", "stop").Run()
}

// Followed waits until a standby has all that was written to p: it follows a moment later, and what it has not got is gone with p.
func (p *Postgres) Followed(by *Postgres) {
	p.tb.Helper()
	written := p.ask("SELECT pg_current_wal_flush_lsn()")
	for end := time.Now().Add(followWithin); by.ask("SELECT pg_last_wal_replay_lsn() >= '"+written+"'") != "t"; {
		if time.Now().After(end) {
			p.tb.Fatalf("the standby has not got %s within %v", written, followWithin)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// followWithin is how long a standby may take.
const followWithin = 20 * time.Second

// ask is the answer of the server to a question that is one value.
func (p *Postgres) ask(sql string) string {
	p.tb.Helper()
	out, err := p.command("psql", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "assist", "-d", "postgres", "-Atc", sql).Output()
	if err != nil {
		p.tb.Fatalf("psql: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// Promote lets a standby take writes.
func (p *Postgres) Promote() { p.must("pg_ctl", "-D", p.data, "-w", "promote") }

// Create makes an empty database.
func (p *Postgres) Create(name string) {
	p.tb.Helper()
	p.must("createdb", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "assist", name)
}

// URL is the address of a database at p, and at others after it when p does not take writes.
func (p *Postgres) URL(name string, others ...*Postgres) string {
	hosts := []string{p.Addr()}
	for _, o := range others {
		hosts = append(hosts, o.Addr())
	}
	return "postgres://assist@" + strings.Join(hosts, ",") + "/" + name + "?sslmode=disable"
}

// Addr is where the server listens.
func (p *Postgres) Addr() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }
