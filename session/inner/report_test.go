package inner

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"assist/diag"
	"assist/transport/wire"
)

func TestReportWishes(t *testing.T) {
	for _, w := range []ReportWish{
		{Pull: true},
		{Pull: true, IDs: []diag.ID{diag.Disks, diag.Memory}},
		{Live: true},
		{Events: &diag.EventQuery{Most: diag.Warning, Unit: "ssh.service", Last: 20, Follow: true}},
	} {
		var b bytes.Buffer
		if err := WriteReportWish(&b, w); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadReportWish(&b); err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%+v: %+v, %v", w, got, err)
		}
	}
	for name, m := range map[string]*ReportAsk{
		"nothing":          {},
		"unknown category": {Kind: &ReportAsk_Pull{Pull: &ReportPull{Categories: []string{"nope"}}}},
		"priority 8":       {Kind: &ReportAsk_Events{Events: &ReportEvents{Most: 8}}},
		"too many events":  {Kind: &ReportAsk_Events{Events: &ReportEvents{Last: diag.MaxEvents + 1}}},
		"long unit":        {Kind: &ReportAsk_Events{Events: &ReportEvents{Unit: strings.Repeat("x", diag.MaxUnit+1)}}},
		"too long":         {Kind: &ReportAsk_Pull{Pull: &ReportPull{Categories: make([]string, limitReportAsk)}}},
	} {
		var b bytes.Buffer
		if err := wire.WriteMsg(&b, m); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadReportWish(&b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReportAnswers(t *testing.T) {
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	report := diag.Report{At: at, Host: "web\x1b[31m", Categories: []diag.Category{{ID: diag.Memory, Title: "\x1b", Items: []diag.Item{{Name: "a\u202e", Value: "\x1b]0;x\x07"}}, Notes: []string{"\u009b"}}}}
	var b bytes.Buffer
	for _, said := range []ReportSaid{
		{Asking: true},
		{Report: &report},
		{Sample: &diag.Sample{At: at, Load: 1.5, CPU: 20}},
		{Event: &diag.Event{At: at, Priority: 3, Unit: "a\x1b.service", Text: "x\u009by"}},
		{Source: "the journal\x1b"},
	} {
		if err := WriteReportSaid(&b, said); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteReportFailed(&b, ReportNotGiven, "no\x1b"); err != nil {
		t.Fatal(err)
	}
	var got []ReportSaid
	var err error
	for err == nil {
		var said ReportSaid
		if said, err = ReadReportSaid(&b); err == nil {
			got = append(got, said)
		}
	}
	var no *ReportError
	if !errors.As(err, &no) || *no != (ReportError{ReportNotGiven, "no␛"}) {
		t.Errorf("%v", err)
	}
	if _, err := ReadReportSaid(&b); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if len(got) != 5 || !got[0].Asking || got[2].Sample.Load != 1.5 || got[4].Source != "the journal␛" {
		t.Fatalf("%+v", got)
	}
	if r := *got[1].Report; r.Host != "web␛[31m" || r.Categories[0].Title != "Memory and swap" || r.Categories[0].Items[0] != (diag.Item{Name: "a�", Value: "␛]0;x␇"}) {
		t.Errorf("%+v", r)
	}
	if e := *got[3].Event; e != (diag.Event{At: at, Priority: 3, Unit: "a␛.service", Text: "x␛[y"}) {
		t.Errorf("%+v", e)
	}
}

func TestWhatIsNoReportPartIsRefused(t *testing.T) {
	for name, m := range map[string]*ReportPart{
		"nothing":     {},
		"no report":   {Kind: &ReportPart_Report{Report: []byte("[]")}},
		"no sample":   {Kind: &ReportPart_Sample{Sample: []byte(`{"time":5}`)}},
		"far future":  {Kind: &ReportPart_Sample{Sample: []byte(`{"time":"99999-01-01T00:00:00Z"}`)}},
		"long event":  {Kind: &ReportPart_Event{Event: []byte(`{"text":"` + strings.Repeat("x", maxLine) + `"}`)}},
		"no event":    {Kind: &ReportPart_Event{Event: []byte("x")}},
		"long report": {Kind: &ReportPart_Report{Report: make([]byte, limitReportPart)}},
	} {
		var b bytes.Buffer
		if err := wire.WriteMsg(&b, m); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadReportSaid(&b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzReportStream(f *testing.F) {
	var b bytes.Buffer
	_ = WriteReportSaid(&b, ReportSaid{Report: &diag.Report{Host: "a", Categories: []diag.Category{{ID: diag.Memory}}}})
	f.Add(b.Bytes())
	b.Reset()
	_ = WriteReportWish(&b, ReportWish{Events: &diag.EventQuery{Last: 3}})
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if said, err := ReadReportSaid(bytes.NewReader(b)); err == nil {
			var out bytes.Buffer
			if err := WriteReportSaid(&out, said); err != nil {
				t.Fatalf("%+v cannot be written: %v", said, err)
			}
			if strings.ContainsAny(out.String(), "\x1b\u009b\u202e") && said.Report == nil && said.Sample == nil && !said.Asking {
				if again, err := ReadReportSaid(&out); err != nil || said.Event != nil && strings.ContainsAny(again.Event.Text, "\x1b\u009b\u202e") {
					t.Fatalf("%+v", said)
				}
			}
		}
		_, _ = ReadReportWish(bytes.NewReader(b))
	})
}
