package probe

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"assist/diag"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 10 10 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 1000000 77 18446744073709551615 0 0"
	for in, want := range map[string]proc{
		"12 (bash)" + rest:                     {pid: 12, name: "bash", parent: 1, state: 'S', cpu: 300, memory: 77},
		"13 (a) Z (b)" + rest:                  {pid: 13, name: "a) Z (b", parent: 1, state: 'S', cpu: 300, memory: 77},
		"14 (\x1b[2J\n) R 1) S)" + rest:        {pid: 14, name: "\x1b[2J\n) R 1) S", parent: 1, state: 'S', cpu: 300, memory: 77},
		"15 (short) S 1 2 3":                   {},
		"":                                     {},
		")16(":                                 {},
		"-4 (minus)" + rest:                    {},
		"99999999999999999999999 (far)" + rest: {},
	} {
		got, ok := parseStat(in)
		if ok != (want.pid > 0) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", in, got, ok)
		}
	}
}

func TestParseRoutes(t *testing.T) {
	r := parseRoutes4([]string{"Iface\tDestination", "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0", "x\tzz\t0\t0"})
	if len(r) != 2 || r[0].to() != "default" || r[0].how() != "via 192.168.2.1 on eth0" || r[1].to() != "192.168.2.0/24" || r[1].how() != "on eth0" {
		t.Errorf("%+v", r)
	}
	r = parseRoutes6([]string{
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0",
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
		"ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0", "short",
	})
	if len(r) != 2 || r[0].how() != "via fe80::1 on eth0" || r[1].to() != "fe80::/64" {
		t.Errorf("%+v", r)
	}
	servers, search := parseResolv([]string{"# x", "nameserver 127.0.0.53", "nameserver ::1", "nameserver nonsense", "search a.example b.example"})
	if !reflect.DeepEqual(servers, []netip.Addr{netip.MustParseAddr("127.0.0.53"), netip.MustParseAddr("::1")}) || len(search) != 2 {
		t.Errorf("%v %v", servers, search)
	}
}

func TestParseMounts(t *testing.T) {
	all := parseMounts("36 35 98:0 /mnt1 /mnt/a\\040b rw,noatime master:1 - ext3 /dev/root ro,errors=continue\nshort\n")
	if len(all) != 1 || all[0] != (mount{"98:0", "/mnt1", "/mnt/a b", "rw,noatime", "ext3", "/dev/root", "ro,errors=continue"}) {
		t.Errorf("%+v", all)
	}
	for in, want := range map[string]string{`a\040b`: "a b", `\134`: `\`, `a\04`: `a\04`, `\999x`: `\999x`, "": ""} {
		if got := unoctal(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestCompareDebian(t *testing.T) {
	order := []string{"1.0~beta1~svn1245", "1.0~beta1", "1.0~rc1", "1.0", "1.0-1", "1.0-1+deb12u1", "1.0-1+deb12u10", "1.0a", "1.0+git1", "1.0.1", "1.2", "1.10", "1:0.1", "2:0"}
	for i, a := range order {
		for j, b := range order {
			got := compareDebian(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
	if compareDebian("1.007-01", "1.7-1") != 0 {
		t.Error("leading zeros count")
	}
}

func TestParseJournal(t *testing.T) {
	for in, want := range map[string]diag.Event{
		`{"MESSAGE":"hello","PRIORITY":"3","__REALTIME_TIMESTAMP":"1700000000000000","_SYSTEMD_UNIT":"a.service","SYSLOG_IDENTIFIER":"a"}`: {Priority: 3, Unit: "a.service", Text: "hello", At: time.Unix(1700000000, 0)},
		`{"MESSAGE":[104,105,27],"__REALTIME_TIMESTAMP":"1700000000000000","SYSLOG_IDENTIFIER":"kernel"}`:                                  {Priority: 6, Unit: "kernel", Text: "hi\x1b", At: time.Unix(1700000000, 0)},
	} {
		got, ok := parseJournal([]byte(in))
		if !ok || got != want {
			t.Errorf("%s: %+v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "{}", "null", `{"MESSAGE":null}x`, `{"MESSAGE":{"a":1}}`, `[1]`} {
		if e, ok := parseJournal([]byte(in)); ok {
			t.Errorf("%q is %+v", in, e)
		}
	}
	long := `{"MESSAGE":"` + strings.Repeat("x", 2*maxEntry) + "\"}\n" + `{"MESSAGE":"after","PRIORITY":"4"}` + "\n"
	var texts []string
	if err := readJournal(strings.NewReader(long), func(e diag.Event) error { texts = append(texts, e.Text); return nil }); err != nil || !reflect.DeepEqual(texts, []string{"after"}) {
		t.Errorf("%v, %q", err, texts)
	}
}

func TestParseKmsg(t *testing.T) {
	boot := time.Unix(1700000000, 0)
	e, ok := parseKmsg([]byte("11,339,5140900,-;NET: Registered\n SUBSYSTEM=x\n"), boot)
	if !ok || e != (diag.Event{Priority: 3, Unit: "kernel", Text: "NET: Registered", At: boot.Add(5140900 * time.Microsecond)}) {
		t.Errorf("%+v %v", e, ok)
	}
	for _, in := range []string{"", ";", "1,2;x", "text"} {
		if _, ok := parseKmsg([]byte(in), boot); ok {
			t.Errorf("%q", in)
		}
	}
}

func TestParseUnitsAndWhatIsWrongWithThem(t *testing.T) {
	s := &section{category: diag.Category{ID: diag.Services}}
	s.units(parseUnits("Id=ssh.service\nLoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\n\n" +
		"Id=web\x1b[31m.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=7\nStateChangeTimestamp=Mon\n\n" +
		"Id=flap.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nNRestarts=12\n\nnonsense\n"))
	if len(s.findings) != 2 || s.findings[0].Evidence != "failed: it ended with status 7, Mon" || s.findings[1].Severity != diag.Bad || !strings.Contains(s.findings[1].Evidence, "12 times") {
		t.Errorf("%+v", s.findings)
	}
	if it, ok := s.category.Find("active"); !ok || it.Number != 1 {
		t.Errorf("%+v", s.category.Items)
	}
}

func TestParseSmart(t *testing.T) {
	h, ok := parseSmart("sda", `{"smart_status":{"passed":false},"temperature":{"current":41},"ata_smart_attributes":{"table":[{"id":5,"raw":{"value":8}},{"id":197,"raw":{"value":3}}]}}`)
	if !ok || h != (diag.Smart{Drive: "sda", Reallocated: 8, Pending: 3, Worn: -1, Celsius: 41}) {
		t.Errorf("%+v %v", h, ok)
	}
	h, ok = parseSmart("nvme0n1", `{"smart_status":{"passed":true},"nvme_smart_health_information_log":{"percentage_used":93}}`)
	if !ok || !h.Passed || h.Worn != 93 {
		t.Errorf("%+v %v", h, ok)
	}
	if _, ok := parseSmart("sda", `{"smartctl":{"exit_status":2}}`); ok {
		t.Error("no answer counts as one")
	}
	block := func(drive dbus.ObjectPath) map[string]map[string]dbus.Variant {
		return map[string]map[string]dbus.Variant{"org.freedesktop.UDisks2.Block": {"Drive": dbus.MakeVariant(drive)}}
	}
	out := parseDrives(objects{
		"/b/sda": block("/d/1"), "/b/sdb": block("/d/2"), "/b/nvme0n1": block("/d/3"), "/b/loop0": block("/"),
		"/d/1": {"org.freedesktop.UDisks2.Drive.Ata": {
			"SmartSupported": dbus.MakeVariant(true), "SmartUpdated": dbus.MakeVariant(uint64(9)), "SmartFailing": dbus.MakeVariant(true),
			"SmartTemperature": dbus.MakeVariant(313.15), "SmartNumBadSectors": dbus.MakeVariant(int64(2)),
		}},
		"/d/2": {"org.freedesktop.UDisks2.Drive.Ata": {"SmartSupported": dbus.MakeVariant("not what it should be")}},
		"/d/3": {"org.freedesktop.UDisks2.NVMe.Controller": {"SmartUpdated": dbus.MakeVariant(uint64(9)), "SmartCriticalWarning": dbus.MakeVariant([]string{"spare"})}},
	})
	if len(out) != 2 || out["sda"].Passed || out["sda"].Celsius != 40 || out["sda"].Pending != 2 || out["nvme0n1"].Passed {
		t.Errorf("%+v", out)
	}
}

func TestSudoersAndCronNameNoCommand(t *testing.T) {
	if got := sudoers("ann ALL=(root) NOPASSWD: /bin/x --password=secret\nUser_Alias A = b\n"); !reflect.DeepEqual(got, []string{"ann without a password"}) {
		t.Errorf("%q", got)
	}
	if n := jobs([]string{"# x", "SHELL=/bin/sh", "* * * * * root run --password=secret", "@daily root x", "MAILTO = a b c d e f"}); n != 2 {
		t.Errorf("%d jobs", n)
	}
}

func TestDiskAndNetworkTotals(t *testing.T) {
	read, written := diskBytes([]string{
		"   8       0 sda 10 0 100 0 10 0 200 0 0 0 0", "   8       1 sda1 10 0 100 0 10 0 200 0 0 0 0", "   7       0 loop0 1 1 9999 1 1 1 9999 1 1 1",
		" 253       0 dm-0 1 1 9999 1 1 1 9999 1 1 1", " 259       0 nvme0n1 1 0 1 0 0 0 1 0 0 0 0", "short",
	})
	if read != 512*101 || written != 512*201 {
		t.Errorf("%v %v", read, written)
	}
	in, out := netBytes([]string{"Inter-|", " face |bytes", "    lo: 5 0 0 0 0 0 0 0 5 0", "  eth0: 100 0 0 0 0 0 0 0 50 0", "wlan0:1 0 0 0 0 0 0 0 2 0"})
	if in != 101 || out != 52 {
		t.Errorf("%v %v", in, out)
	}
}

func FuzzParsers(f *testing.F) {
	f.Add([]byte("12 (bash) S 1 2"))
	f.Add([]byte(`{"MESSAGE":[1,2]}`))
	f.Add([]byte("36 35 98:0 / /a\\040 rw - ext4 /dev/x rw"))
	f.Add([]byte("Package: a\nVersion: 1:2-3\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := string(b)
		parseStat(text)
		parseMounts(text)
		parseJournal(b)
		parseKmsg(b, time.Time{})
		parseUnits(text)
		parsePressure(text)
		parseKeys(text, ":")
		parseSmart("x", text)
		parseRoutes4(splitLines(text))
		parseRoutes6(splitLines(text))
		parseResolv(splitLines(text))
		sudoers(text)
		jobs(splitLines(text))
		parseDnf(text)
		if c := compareDebian(text, text); c != 0 {
			t.Fatalf("%q is not like itself: %d", text, c)
		}
		_ = stanzas(bytes.NewReader(b), func(map[string]string) {})
		parseLogin(append(b, make([]byte, longLogin)...)[:longLogin])
	})
}
