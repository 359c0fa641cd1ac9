package diag

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sample() Report {
	r := Report{
		At: time.Date(2026, 5, 1, 9, 30, 0, 0, time.UTC), Host: "web-01", Took: 900 * time.Millisecond,
		Categories: []Category{
			{ID: Memory, Title: Memory.Title(), Took: 3, Items: []Item{{Name: "total", Number: 2 << 30, Unit: Bytes}, {Name: "swap used", Number: 0, Unit: Bytes}}},
			{ID: Disks, Title: Disks.Title(), Items: []Item{
				{Name: "file systems"}, {Name: "/", Value: "ext4 on /dev/vda", Depth: 1}, {Name: "use", Number: 98.5, Unit: Percent, Depth: 2},
			}},
			{ID: Services, Title: Services.Title(), Notes: []string{"units: systemd does not run here"}},
		},
		Findings: []Finding{
			{ID: "memory.available", Severity: OK, Evidence: "1.0 GiB of 2.0 GiB available (50.0 %)", Category: Memory},
			Space("/", 985, 15),
		},
	}
	r.Order()
	return r
}

func TestJSONIsByCategory(t *testing.T) {
	b, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"taken":"2026-05-01T09:30:00Z","host":"web-01","took_ms":900,"findings":[` +
		`{"id":"disk.space","severity":"bad","subject":"/","evidence":"98.5 % used, 15 B free of 1000 B","advice":"find what is large with ` +
		"`du -xh / | sort -h | tail`" + `, then delete or move it; programs fail when they cannot write","category":"disks"},` +
		`{"id":"memory.available","severity":"ok","evidence":"1.0 GiB of 2.0 GiB available (50.0 %)","category":"memory"}],` +
		`"memory":{"title":"Memory and swap","took_ms":3,"items":[{"name":"total","unit":"bytes","value":"2.0 GiB","number":2147483648},{"name":"swap used","unit":"bytes","value":"0 B","number":0}]},` +
		`"disks":{"title":"Disks and space","took_ms":0,"items":[{"name":"file systems","value":""},{"name":"/","depth":1,"value":"ext4 on /dev/vda"},{"name":"use","unit":"percent","depth":2,"value":"98.5 %","number":98.5}]},` +
		`"services":{"title":"Services","took_ms":0,"notes":["units: systemd does not run here"],"items":[]}}`
	if string(b) != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
	again, err := ParseReport(b)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := again.Encode(); string(c) != want {
		t.Errorf("after reading it again:\n%s", c)
	}
	if it, ok := again.Categories[1].Find("file systems", "/", "use"); !ok || it.Number != 98.5 || it.Text() != "98.5 %" {
		t.Errorf("found %+v", it)
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	many := `{"taken":"2026-05-01T09:30:00Z","host":"x","took_ms":1,"memory":{"items":[` + strings.Repeat(`{"name":"a"},`, MaxItems) + `{"name":"a"}]}}`
	for name, in := range map[string]string{
		"empty": "", "no object": "[]", "half": `{"host":"a"`, "too long": `{"host":"` + strings.Repeat("x", MaxReport) + `"}`,
		"host too long": `{"host":"` + strings.Repeat("x", MaxValue+1) + `"}`, "too many items": many, "twice": `{"memory":{},"memory":{}}`,
		"unknown unit":     `{"memory":{"items":[{"name":"a","unit":"furlongs"}]}}`,
		"long value":       `{"memory":{"items":[{"name":"a","value":"` + strings.Repeat("x", MaxValue+1) + `"}]}}`,
		"deep item":        `{"memory":{"items":[{"name":"a","depth":33}]}}`,
		"negative depth":   `{"memory":{"items":[{"name":"a","depth":-1}]}}`,
		"took a year":      `{"took_ms":31536000000}`,
		"unknown severity": `{"findings":[{"id":"a","severity":"awful","category":"memory"}]}`,
		"no category":      `{"findings":[{"id":"a","severity":"ok","category":"x"}]}`,
		"deep":             `{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		if r, err := ParseReport([]byte(in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %+v", name, err, r.Host)
		}
	}
	if r, err := ParseReport([]byte(`{"host":"a","later":{"x":[1]},"memory":{"items":null,"more":1}}`)); err != nil || r.Host != "a" || len(r.Categories) != 1 {
		t.Errorf("what came later is skipped: %v, %+v", err, r)
	}
}

func TestEncodeKeepsItsBound(t *testing.T) {
	r := sample()
	for _, id := range []ID{Processes, Network} {
		c := Category{ID: id}
		for range MaxItems {
			c.Items = append(c.Items, Item{Name: "x", Value: strings.Repeat("y", MaxValue)})
		}
		r.Categories = append(r.Categories, c)
	}
	b, err := r.Encode()
	if err != nil || len(b) > MaxReport {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	again, err := ParseReport(b)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := again.Category(Processes); len(c.Items) == 0 || !strings.Contains(strings.Join(c.Notes, " "), "shortened") {
		t.Errorf("%d items, %v", len(c.Items), c.Notes)
	}
	if c, _ := r.Category(Processes); len(c.Items) != MaxItems {
		t.Error("the report itself was changed")
	}
}

func TestCleanReachesEveryText(t *testing.T) {
	r := Report{
		Host:       "\x1b",
		Categories: []Category{{ID: Memory, Title: "\x1b", Items: []Item{{Name: "\x1b", Value: "\x1b", Depth: 99}}, Notes: []string{"\x1b"}}, {ID: "\x1b"}},
		Findings:   []Finding{{ID: "\x1b", Subject: "\x1b", Evidence: "\x1b", Advice: "\x1b", Category: Memory}},
	}
	c := r.Clean(func(s string) string { return strings.ReplaceAll(s, "\x1b", "!"+strings.Repeat("x", MaxValue)) })
	b, err := json.Marshal(c)
	if err != nil || strings.Contains(string(b), `\u001b`) || len(c.Categories) != 1 || c.Categories[0].Items[0].Depth != MaxDepth {
		t.Errorf("%v: %.200s", err, b)
	}
	if _, err := ParseReport(b); err != nil {
		t.Errorf("what Clean made is refused: %v", err)
	}
	if r.Categories[0].Items[0].Name != "\x1b" {
		t.Error("the original was changed")
	}
}

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for _, c := range []struct {
		u    Unit
		n    float64
		want string
	}{
		{Bytes, 0, "0 B"},
		{Bytes, 1023, "1023 B"},
		{Bytes, 1536, "1.5 KiB"},
		{Bytes, 1 << 60, "1.0 EiB"},
		{Rate, 2048, "2.0 KiB/s"},
		{Percent, 12.345, "12.3 %"},
		{Seconds, 59.5, "59.5 s"},
		{Seconds, 3600, "1 h 0 min"},
		{Seconds, 90061, "1 d 1 h"},
		{Seconds, -61, "-1 min 1 s"},
		{Seconds, math.MaxFloat64, "11574074 d 1 h"},
		{Count, 12, "12"},
		{Ratio, 0.5, "0.50"},
		{Hertz, 2.1e9, "2.10 GHz"},
		{Celsius, 41.6, "42 °C"},
		{Millis, 0.25, "0.2 ms"},
		{Bytes, math.NaN(), "?"},
	} {
		if got := c.u.Format(c.n); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.n, c.u, got, c.want)
		}
	}
}

func TestChecks(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for _, c := range []struct {
		f    Finding
		want Severity
	}{
		{Space("/", 50, 50), OK},
		{Space("/", 92, 8), Warn},
		{Space("/", 100, 0), Bad},
		{Space("/", 980<<30, 30<<30), OK}, // full by the percent, but there is plenty
		{Inodes("/", 99, 100), Bad},
		{Inodes("/", 91, 100), Warn},
		{Inodes("/btrfs", 0, 0), OK},
		{Health(Smart{Passed: true, Pending: -1, Reallocated: -1, Worn: -1}), OK},
		{Health(Smart{Passed: false}), Bad},
		{Health(Smart{Passed: true, Pending: 8}), Bad},
		{Health(Smart{Passed: true, Reallocated: 8}), Warn},
		{Health(Smart{Passed: true, Worn: 95}), Warn},
		{MemoryLeft(100, 50), OK},
		{MemoryLeft(100, 9), Warn},
		{MemoryLeft(100, 3), Bad},
		{SwapUse(0, 0, 0), OK},
		{SwapUse(100, 85, 0), Warn},
		{SwapUse(100, 10, 2000), Bad},
		{Killed(1), Warn},
		{LoadOf(1, 2), OK},
		{LoadOf(3.2, 2), Warn},
		{LoadOf(9, 2), Bad},
		{Pressure("io", 10, 1), OK},
		{Pressure("io", 50, 6), Warn},
		{Pressure("memory", 50, 25), Bad},
		{Pressure("cpu", 70, 0), Warn},
		{Hot("x", 60, 0), OK},
		{Hot("x", 91, 100), Warn},
		{Hot("x", 85, 80), Bad},
		{Zombies(0, ""), OK},
		{Zombies(2, "sh (1)"), Note},
		{Stuck(1, "dd (2)"), Warn},
		{Failed("a.service", "x"), Bad},
		{Restarting("a.service", 4, false), Warn},
		{Restarting("a.service", 4, true), Bad},
		{Certificate("f", "x", now.Add(-time.Hour), now), Bad},
		{Certificate("f", "x", now.Add(3*day), now), Warn},
		{Certificate("f", "x", now.Add(20*day), now), Note},
		{Certificate("f", "x", now.Add(90*day), now), OK},
		{Updates(0, 0, now, now), OK},
		{Updates(3, 0, now, now), Note},
		{Updates(3, 1, now, now), Warn},
		{Updates(0, 0, now.Add(-60*day), now), Warn},
		{Reboot(nil), OK},
		{Reboot([]string{"a", "b"}), Warn},
		{Errors(0, 0, "", "the last day"), OK},
		{Errors(3, 0, "x", "the last day"), Note},
		{Errors(3, 1, "x", "the last day"), Warn},
		{Logins(5, "x"), OK},
		{Logins(50, "x"), Note},
		{Logins(900, "x"), Warn},
		{Firewall(0, false, "none"), Note},
		{Firewall(3, false, "3"), OK},
		{Clock(true, "chronyd", 0.01), OK},
		{Clock(false, "chronyd", 0), Note},
		{Clock(false, "", 0), Warn},
		{Gateway("x", time.Millisecond, 0, 3), OK},
		{Gateway("x", 200*time.Millisecond, 0, 3), Warn},
		{Gateway("x", 0, 3, 3), Note},
		{Resolver("x", time.Millisecond, nil), OK},
		{Resolver("x", 0, errors.New("no answer")), Warn},
		{Dumps(0, ""), OK},
		{Dumps(1, "x"), Warn},
		{Unclean(true), OK},
		{Unclean(false), Note},
		{Roots(nil), OK},
		{Roots([]string{"toor"}), Bad},
	} {
		if c.f.Severity != c.want {
			t.Errorf("%+v: want %s", c.f, c.want)
		}
		if c.f.ID == "" || c.f.Evidence == "" || !c.f.Category.Known() || c.want > OK && c.f.Advice == "" {
			t.Errorf("incomplete: %+v", c.f)
		}
	}
}

func TestWorstComeFirst(t *testing.T) {
	r := Report{}
	for i, s := range []Severity{OK, Note, Bad, Warn, Bad, OK, Note, Warn} {
		r.Findings = append(r.Findings, Finding{ID: string(rune('a' + i)), Severity: s, Category: Disks})
	}
	r.Order()
	var got string
	for _, f := range r.Worst(5) {
		got += f.ID
	}
	if got != "cedhb" || r.Summary() != "2 bad, 2 warn, 2 note, 2 ok" || len(r.Worst(99)) != 6 {
		t.Errorf("%s, %s, %d", got, r.Summary(), len(r.Worst(99)))
	}
}

func TestCompare(t *testing.T) {
	was, now := sample(), sample()
	if got := Compare(was, now); len(got) != 0 {
		t.Errorf("nothing changed: %v", got)
	}
	now.Categories[0].Items[0].Number = 4 << 30
	now.Categories[1].Items[2].Number = 99 // moves by itself
	now.Categories[1].Items = append(now.Categories[1].Items, Item{Name: "/data", Value: "xfs on /dev/vdb", Depth: 1})
	now.Findings = []Finding{
		Space("/", 50, 50), Failed("ssh.service", "failed: exit-code"), Certificate("x", "x", now.At.Add(9999*time.Hour), now.At),
	}
	now.Order()
	var got []string
	for _, c := range Compare(was, now) {
		got = append(got, c.String())
	}
	want := []string{
		"new: service.failed ssh.service: bad, failed: exit-code",
		"disk.space /: bad, 98.5 % used, 15 B free of 1000 B -> ok, 50.0 % used, 50 B free of 100 B",
		"total: 2.0 GiB -> 4.0 GiB",
		"new: file systems / /data: xfs on /dev/vdb",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	back := Compare(now, was)
	if len(back) != 4 || back[1].String() != "gone: service.failed ssh.service: bad, failed: exit-code" {
		t.Errorf("%v", back)
	}
	now.Categories = now.Categories[:1] // only memory was asked for
	for _, c := range Compare(was, now) {
		if c.Is == "" {
			t.Errorf("what was not asked for counts as gone: %v", c)
		}
	}
}

func TestTextAndMarkdown(t *testing.T) {
	r := sample()
	text := r.Text()
	for _, want := range []string{"1 bad, 0 warn, 0 note, 1 ok", "\nBAD   disk.space /: 98.5 % used", "\nDisks and space\n  file systems\n    /: ext4 on /dev/vda\n      use: 98.5 %\n", "\n  (units: systemd does not run here)\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
	r.Host = "a|b<script>`_*["
	if md := r.Markdown(); !strings.HasPrefix(md, "# a\\|b&lt;script&gt;\\`\\_\\*\\[\n") || !strings.Contains(md, "| bad | disk.space / | 98.5 % used") || !strings.Contains(md, "\n    - use: 98.5 %\n") {
		t.Errorf("%s", md)
	}
	if g := r.Glance(); !strings.Contains(g, "bad disk.space /: 98.5 % used") || !strings.Contains(g, "Memory and swap (2)") {
		t.Error(g)
	}
}

func TestPriorities(t *testing.T) {
	for in, want := range map[string]Priority{"error": 3, "err": 3, "3": 3, "warning": 4, "warn": 4, "crit": 2, "debug": 7, "emerg": 0} {
		if p, err := ParsePriority(in); err != nil || p != want {
			t.Errorf("%s: %v, %v", in, p, err)
		}
	}
	for _, in := range []string{"", "e", "8", "urgent", "\x1b"} {
		if p, err := ParsePriority(in); err == nil {
			t.Errorf("%q is %v", in, p)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	b, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"memory":{"items":[{"name":"a","number":1e999}]}}`))
	f.Add([]byte(`{"findings":null,"disks":{"notes":[""]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReport(b)
		if err != nil {
			return
		}
		out, err := r.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := ParseReport(out)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, out)
		}
		if out2, _ := again.Encode(); string(out2) != string(out) {
			t.Fatalf("not stable:\n%s\n%s", out, out2)
		}
		_, _, _, _ = r.Text(), r.Markdown(), r.Glance(), Compare(r, again)
	})
}
