package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"assist/diag"
)

// root makes a machine out of files.
func root(t *testing.T, files map[string]string) *Machine {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &Machine{Root: dir, Now: func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }}
}

func (m *Machine) section(id diag.ID) *section {
	return &section{category: diag.Category{ID: id}, now: m.now()}
}

func TestPackagesOfDebian(t *testing.T) {
	m := root(t, map[string]string{
		"var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\nDescription: a\n Version: 9\n\n" +
			"Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\n" +
			"Package: half\nStatus: install ok half-configured\nArchitecture: all\nVersion: 1\n\nPackage: same\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2\n",
		"var/lib/apt/lists/x_debian-security_dists_bookworm-security_main_binary-amd64_Packages": "Package: bash\nArchitecture: amd64\nVersion: 5.2-1+deb12u1\n\nPackage: same\nArchitecture: all\nVersion: 1:2\n\nPackage: gone\nArchitecture: all\nVersion: 2\n",
		"var/lib/apt/lists/x_debian_dists_bookworm-backports_InRelease":                          "Hash: SHA256\nNotAutomatic: yes\n",
		"var/lib/apt/lists/x_debian_dists_bookworm-backports_main_binary-amd64_Packages":         "Package: same\nArchitecture: all\nVersion: 1:3\n",
		"run/reboot-required": "", "run/reboot-required.pkgs": "linux-image-amd64\nlibc6\nlibc6\n",
		"proc/sys/kernel/osrelease": "6.1.0-9-amd64\n", "lib/modules/6.1.0-9-amd64/x": "", "lib/modules/6.1.0-22-amd64/x": "", "lib/modules/6.9.0-1-rt-amd64x/x": "",
	})
	s := m.section(diag.Packages)
	packages(t.Context(), m, s)
	if it, _ := s.category.Find("waiting updates"); it.Number != 1 {
		t.Errorf("%+v", s.category)
	}
	if it, ok := s.category.Find("updates", "bash"); !ok || it.Value != "5.2-1+deb12u1" {
		t.Errorf("%+v", s.category)
	}
	var got []string
	for _, f := range s.findings {
		got = append(got, f.ID+" "+f.Severity.String()+" "+f.Evidence)
	}
	want := []string{
		"packages.broken warn it is only half installed", "packages.updates warn 1 updates wait, 1 of them for security",
		"reboot.needed warn updates of libc6, linux-image-amd64 ask for it; kernel 6.1.0-22-amd64 is installed, 6.1.0-9-amd64 runs",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if out := parseDnf("\nbash.x86_64   5.2-3.fc40   updates\nkernel.x86_64 6.9 updates\nObsoleting Packages\nold.x86_64 1 x\n"); !reflect.DeepEqual(out, []string{"bash 5.2-3.fc40", "kernel 6.9"}) {
		t.Errorf("%q", out)
	}
}

// certificate writes one that is good until a time.
func certificate(t *testing.T, name string, until time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func record(kind uint16, user, host string, at time.Time) string {
	b := make([]byte, shortLogin)
	binary.NativeEndian.PutUint16(b, kind)
	copy(b[8:], "pts/0")
	copy(b[44:], user)
	copy(b[76:], host)
	binary.NativeEndian.PutUint32(b[340:], uint32(at.Unix()))
	return string(b)
}

func TestSecurityOfAPreparedMachine(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	failed := strings.Repeat(record(loginFailed, "admin", "203.0.113.7", now.Add(-time.Hour)), 600)
	m := root(t, map[string]string{
		"etc/passwd":      "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nann:x:1000:27::/:/bin/sh\n",
		"etc/group":       "root:x:0:\nsudo:x:27:bob,carl\nusers:x:100:dan\n",
		"etc/sudoers":     "# x\nDefaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL) NOPASSWD: ALL\n@includedir /etc/sudoers.d\n",
		"etc/ssl/old.pem": certificate(t, "shop.example", now.Add(-48*time.Hour)),
		"etc/letsencrypt/live/a.example/cert.pem": certificate(t, "a\x1b[31m.example", now.Add(72*time.Hour)),
		"etc/ssl/key.pem":                         "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"var/log/btmp":                            failed + record(loginFailed, "old", "198.51.100.1", now.Add(-48*time.Hour)),
		"var/log/wtmp":                            record(loginBoot, "reboot", "", now.Add(-9*time.Hour)) + record(loginUser, "ann", "192.0.2.9", now.Add(-time.Hour)),
		"etc/ssh/sshd_config":                     "PermitRootLogin yes\nMatch User x\nPermitRootLogin no\n",
		"sys/fs/selinux/enforce":                  "1",
	})
	s := m.section(diag.Security)
	security(t.Context(), m, s)
	got := map[string]string{}
	for _, f := range s.findings {
		got[f.Name()] = f.Severity.String() + " " + f.Evidence
	}
	for name, want := range map[string]string{
		"security.root":                       "bad these are root under another name: [toor]",
		"security.logins":                     "warn 600 failed logins in the last day, most from 203.0.113.7",
		"security.ssh":                        "warn root may come in by ssh with a password",
		"certificate.expiry /etc/ssl/old.pem": "bad shop.example has expired on 2026-04-29",
		"certificate.expiry /etc/letsencrypt/live/a.example/cert.pem": "warn a\x1b[31m.example is good until 2026-05-04", // Report makes it safe
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	for path, want := range map[string]string{"may become root/group sudo": "ann, bob, carl", "may become root/sudo": "%sudo without a password", "last logins/ann": "2026-05-01 11:00 on pts/0 from 192.0.2.9", "SELinux": "enforcing"} {
		if it, ok := s.category.Find(strings.Split(path, "/")...); !ok || it.Value != want {
			t.Errorf("%s: %q", path, it.Value)
		}
	}
}

func TestHowTheLastRunEnded(t *testing.T) {
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	boot, down := record(loginBoot, "reboot", "", at), record(loginDown, "shutdown", "", at)
	for name, c := range map[string]struct {
		wtmp string
		want string
	}{"clean": {boot + down + boot, "ok"}, "power loss": {boot + down + boot + boot, "note"}, "first": {boot, ""}, "cut": {boot + down + boot[:100], ""}} {
		m := root(t, map[string]string{"var/log/wtmp": c.wtmp})
		s := m.section(diag.Identity)
		lastBoot(m, s)
		got := ""
		for _, f := range s.findings {
			got += f.Severity.String()
		}
		if got != c.want {
			t.Errorf("%s: %q, %+v", name, got, s.category)
		}
	}
}

func TestContainersOverTheirSocket(t *testing.T) {
	m := root(t, map[string]string{".dockerenv": "", "run/x": ""})
	l, err := net.Listen("unix", m.at("/run/docker.sock"))
	if err != nil {
		t.Skip("the path of the folder is too long for a socket: ", err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/containers/json" {
			fmt.Fprint(w, `[{"Id":"0123456789abcdef","Names":["/web"],"Image":"nginx","State":"running","Status":"Up 2 hours (unhealthy)"},{"Id":"f","State":"restarting","Status":"Restarting (1)"}]`)
		}
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	s := m.section(diag.Containers)
	containers(t.Context(), m, s)
	if len(s.findings) != 2 || s.findings[0].Subject != "web" || s.findings[1].Evidence != "restarting: Restarting (1)" {
		t.Errorf("%+v", s.findings)
	}
	if it, _ := s.category.Find("docker", "web"); it.Value != "running, Up 2 hours (unhealthy), image nginx" {
		t.Errorf("%+v", s.category)
	}
}

func TestDrivesTemperaturesAndKernelErrors(t *testing.T) {
	m := root(t, map[string]string{
		"sys/class/hwmon/hwmon0/name": "coretemp", "sys/class/hwmon/hwmon0/temp1_input": "98000", "sys/class/hwmon/hwmon0/temp1_crit": "100000", "sys/class/hwmon/hwmon0/temp1_label": "Core 0",
		"sys/devices/system/cpu/vulnerabilities/meltdown": "Vulnerable\n", "sys/devices/system/cpu/vulnerabilities/spectre_v2": "Mitigation: x\n",
		"sys/fs/ext4/sda1/errors_count": "3\n", "proc/self/mountinfo": "36 35 8:1 / / rw,noatime - ext4 /dev/sda1 ro\n",
		"proc/pressure/cpu": "some avg10=1.00 avg60=95.00 avg300=0.00 total=1\n", "proc/pressure/memory": "some avg60=50.00\nfull avg60=30.00\n", "proc/pressure/io": "",
	})
	cpu, mnt, psi := m.section(diag.CPU), m.section(diag.Mounts), m.section(diag.Load)
	m.temperatures(cpu)
	m.weaknesses(cpu)
	mounts(t.Context(), m, mnt)
	pressure(t.Context(), m, psi)
	if it, ok := cpu.category.Find("temperature coretemp Core 0"); !ok || it.Number != 98 || cpu.findings[0].Severity != diag.Warn {
		t.Errorf("%+v %+v", cpu.category, cpu.findings)
	}
	if it, _ := cpu.category.Find("flaws of the processor"); it.Value != "not covered: meltdown" {
		t.Errorf("%+v", it)
	}
	if len(mnt.findings) != 2 || mnt.findings[0].ID != "mount.readonly" || mnt.findings[1].Severity != diag.Bad || mnt.findings[1].Subject != "sda1" {
		t.Errorf("%+v", mnt.findings)
	}
	worst := map[string]diag.Severity{}
	for _, f := range psi.findings {
		worst[f.Subject] = f.Severity
	}
	if worst["cpu"] != diag.Bad || worst["memory"] != diag.Bad || worst["io"] != diag.OK {
		t.Errorf("%v", worst)
	}
}
