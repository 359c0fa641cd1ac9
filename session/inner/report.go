package inner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"assist/chat"
	"assist/diag"
	"assist/transport/wire"
)

// Limits of a report stream, in bytes of one message.
const (
	limitReportAsk  = wire.LimitPreAuth
	limitReportPart = diag.MaxReport + 64
	maxLine         = 2*6*diag.MaxValue + 1<<10 // a sample, or an event with every byte escaped
)

// Numbers of ReportFailed. They are the interface, the texts may improve.
const (
	ReportRefused  = 1 // by the customer, who was asked
	ReportNotGiven = 2 // the grant is missing, or was taken back
	ReportBusy     = 3 // too many at once
	ReportFailure  = 4 // the machine could not be read
)

// ReportError is the host's no to a report, in its words.
type ReportError struct {
	Code uint32
	Text string
}

func (e *ReportError) Error() string { return e.Text }

// ReportWish is a parsed question: exactly one of Pull, Live and Events is meant.
type ReportWish struct {
	Pull   bool
	IDs    []diag.ID // of Pull; none: all
	Live   bool
	Events *diag.EventQuery
}

// WriteReportWish writes the question, in one write.
func WriteReportWish(w io.Writer, wish ReportWish) error {
	m := &ReportAsk{}
	switch {
	case wish.Live:
		m.Kind = &ReportAsk_Live{Live: &ReportLive{}}
	case wish.Events != nil:
		q := wish.Events
		m.Kind = &ReportAsk_Events{Events: &ReportEvents{Most: uint32(q.Most), Unit: q.Unit, Last: uint32(max(0, q.Last)), Follow: q.Follow}}
	default:
		p := &ReportPull{}
		for _, id := range wish.IDs {
			p.Categories = append(p.Categories, string(id))
		}
		m.Kind = &ReportAsk_Pull{Pull: p}
	}
	return wire.WriteMsg(w, m)
}

// ReadReportWish reads the question.
func ReadReportWish(r io.Reader) (ReportWish, error) {
	m := &ReportAsk{}
	if err := readPart(r, limitReportAsk, m); err != nil {
		return ReportWish{}, err
	}
	switch k := m.Kind.(type) {
	case *ReportAsk_Pull:
		ids, err := diag.ParseIDs(k.Pull.GetCategories())
		if err != nil {
			return ReportWish{}, malformed("%v", err)
		}
		return ReportWish{Pull: true, IDs: ids}, nil
	case *ReportAsk_Live:
		return ReportWish{Live: true}, nil
	case *ReportAsk_Events:
		e := k.Events
		if e.GetMost() > uint32(diag.Debug) || e.GetLast() > diag.MaxEvents || len(e.GetUnit()) > diag.MaxUnit {
			return ReportWish{}, malformed("an event query out of bounds")
		}
		return ReportWish{Events: &diag.EventQuery{
			Most: diag.Priority(e.GetMost()), Unit: chat.Line(e.GetUnit()), Last: int(e.GetLast()), Follow: e.GetFollow(),
		}}, nil
	}
	return ReportWish{}, malformed("a report of no kind")
}

// ReportSaid is one parsed answer: exactly one field is set. Texts are safe to show.
type ReportSaid struct {
	Asking bool
	Report *diag.Report
	Sample *diag.Sample
	Event  *diag.Event
	Source string
}

// WriteReportSaid writes one answer, in one write. The report comes encoded, as the customer has allowed it.
func WriteReportSaid(w io.Writer, said ReportSaid) error {
	m := &ReportPart{}
	switch {
	case said.Report != nil:
		b, err := said.Report.Encode()
		if err != nil {
			return err
		}
		m.Kind = &ReportPart_Report{Report: b}
	case said.Sample != nil:
		b, err := json.Marshal(said.Sample)
		if err != nil {
			return err
		}
		m.Kind = &ReportPart_Sample{Sample: b}
	case said.Event != nil:
		b, err := json.Marshal(said.Event)
		if err != nil {
			return err
		}
		m.Kind = &ReportPart_Event{Event: b}
	case said.Source != "":
		m.Kind = &ReportPart_Source{Source: said.Source}
	default:
		m.Kind = &ReportPart_Asking{Asking: true}
	}
	return wire.WriteMsg(w, m)
}

// WriteReportFailed writes the answer that there is none.
func WriteReportFailed(w io.Writer, code uint32, text string) error {
	return wire.WriteMsg(w, &ReportPart{Kind: &ReportPart_Failed{Failed: &ReportFailed{Code: code, Text: text}}})
}

// ReadReportSaid reads one answer. A no is a *ReportError.
func ReadReportSaid(r io.Reader) (ReportSaid, error) {
	m := &ReportPart{}
	if err := readPart(r, limitReportPart, m); err != nil {
		return ReportSaid{}, err
	}
	switch k := m.Kind.(type) {
	case *ReportPart_Asking:
		return ReportSaid{Asking: true}, nil
	case *ReportPart_Report:
		got, err := diag.ParseReport(k.Report)
		if err != nil {
			return ReportSaid{}, malformed("%v", err)
		}
		got = got.Clean(chat.Line)
		return ReportSaid{Report: &got}, nil
	case *ReportPart_Sample:
		s := &diag.Sample{}
		if err := parseLine(k.Sample, s); err != nil || !sane(s.At) {
			return ReportSaid{}, malformed("a sample: %v", err)
		}
		return ReportSaid{Sample: s}, nil
	case *ReportPart_Event:
		e := &diag.Event{}
		if err := parseLine(k.Event, e); err != nil || !sane(e.At) {
			return ReportSaid{}, malformed("an event: %v", err)
		}
		*e = e.Clean(chat.Line)
		return ReportSaid{Event: e}, nil
	case *ReportPart_Source:
		return ReportSaid{Source: chat.Line(k.Source)}, nil
	case *ReportPart_Failed:
		return ReportSaid{}, &ReportError{Code: k.Failed.GetCode(), Text: chat.Line(k.Failed.GetText())}
	}
	return ReportSaid{}, malformed("an answer of no kind")
}

// sane keeps times that can be written down.
func sane(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

func parseLine(b []byte, v any) error {
	if len(b) > maxLine {
		return fmt.Errorf("%d bytes", len(b))
	}
	return json.Unmarshal(b, v)
}

// readPart reads one message. What is too long or no message breaks the protocol; the end of the stream does not.
func readPart(r io.Reader, limit int, m proto.Message) error {
	err := wire.ReadMsg(r, limit, m)
	if errors.Is(err, wire.ErrTooLong) || errors.Is(err, proto.Error) {
		return malformed("report stream: %v", err)
	}
	return err
}
