package probe

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"assist/chat"
	"assist/diag"
)

// eventsShown is how many lines of the event log a report carries.
const eventsShown = 60

func events(ctx context.Context, m *Machine, s *section) {
	since := s.now.Add(-24 * time.Hour)
	var all []diag.Event
	how, err := m.Events(ctx, diag.EventQuery{Most: diag.Warning, Last: diag.MaxEvents}, func(e diag.Event) error {
		all = append(all, e)
		return nil
	})
	s.text("read from", how)
	if err != nil {
		s.missing("event log", err)
		return
	}
	var errs, critical int
	newest := ""
	for _, e := range all {
		if e.At.Before(since) || e.Priority > diag.Error {
			continue
		}
		errs++
		if e.Priority <= diag.Critical {
			critical++
		}
		newest = e.Unit + ": " + diag.Clip(e.Text, 200)
	}
	s.num("errors in the last day", float64(errs-critical), diag.Count)
	s.num("critical in the last day", float64(critical), diag.Count)
	s.under("newest warnings and errors", "", func() {
		for _, e := range all[max(0, len(all)-eventsShown):] {
			s.text(e.At.Local().Format("Jan 02 15:04:05"), e.Priority.String()+" "+e.Unit+": "+e.Text)
		}
	})
	span := "the last day"
	if len(all) == diag.MaxEvents {
		span = fmt.Sprintf("the last %d warnings", diag.MaxEvents)
	}
	s.find(diag.Errors(errs-critical, critical, newest, span))
}

// Events reads the event log: the journal, or what the kernel said where there is no journal. Each line is safe to show. It
// says where it read from. Following ends with ctx, or with an error of each, which is returned.
func (m *Machine) Events(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) (how string, err error) {
	q.Last = max(0, min(q.Last, diag.MaxEvents))
	safe := func(e diag.Event) error { return each(e.Clean(chat.Line)) }
	if m.journal() {
		return "the journal", m.journalctl(ctx, q, safe)
	}
	if q.Unit != "" && q.Unit != kernelUnit {
		return "", errors.New("there is no journal here, so nothing is known of " + chat.Line(q.Unit))
	}
	return "the kernel's own log, because there is no journal here", m.kmsg(ctx, q, safe)
}

// journal says whether a journal is kept here.
func (m *Machine) journal() bool {
	return len(m.glob("/var/log/journal/*/*.journal"))+len(m.glob("/run/log/journal/*/*.journal")) > 0
}

func (m *Machine) journalctl(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) error {
	args := []string{"-o", "json", "--no-pager", "-q", "-n", itoa(q.Last), "-p", fmt.Sprint(uint8(q.Most))}
	if q.Unit != "" {
		args = append(args, "--unit="+q.Unit)
	}
	if q.Follow {
		args = append(args, "-f")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd, err := command(ctx, "journalctl", args...)
	if err != nil {
		return err
	}
	words := limited{most: 1 << 10}
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	failed := readJournal(out, each)
	stop()
	err = cmd.Wait()
	switch said := strings.TrimSpace(words.String()); {
	case failed != nil:
		return failed
	case said != "" && err != nil && !q.Follow:
		return errors.New("journalctl says: " + said)
	}
	return nil
}

// maxEntry is how long one line of journalctl -o json may be; longer ones are skipped.
const maxEntry = 256 << 10

func readJournal(r interface{ Read([]byte) (int, error) }, each func(diag.Event) error) error {
	in := bufio.NewReaderSize(r, maxEntry)
	for {
		line, err := in.ReadSlice('\n')
		for long := err == bufio.ErrBufferFull; long; long = err == bufio.ErrBufferFull {
			_, err = in.ReadSlice('\n')
			line = nil
		}
		if e, ok := parseJournal(line); ok {
			if err := each(e); err != nil {
				return err
			}
		}
		if err != nil { // the end, or journalctl was ended
			return nil
		}
	}
}

// parseJournal reads one entry: systemd.journal-fields(7). A text that is not UTF-8 comes as an array of numbers.
func parseJournal(line []byte) (e diag.Event, ok bool) {
	var f struct {
		Message    json.RawMessage `json:"MESSAGE"`
		Priority   string          `json:"PRIORITY"`
		Time       string          `json:"__REALTIME_TIMESTAMP"`
		Unit       string          `json:"_SYSTEMD_UNIT"`
		Identifier string          `json:"SYSLOG_IDENTIFIER"`
		Command    string          `json:"_COMM"`
	}
	if json.Unmarshal(line, &f) != nil {
		return e, false
	}
	if json.Unmarshal(f.Message, &e.Text) != nil {
		var raw []int
		if json.Unmarshal(f.Message, &raw) != nil {
			return e, false
		}
		b := make([]byte, len(raw))
		for i := range raw {
			b[i] = byte(raw[i])
		}
		e.Text = string(b)
	}
	e.Priority = diag.Priority(min(whole(f.Priority), uint64(diag.Debug)))
	if f.Priority == "" {
		e.Priority = 6 // info
	}
	e.At = time.UnixMicro(int64(whole(f.Time)))
	for _, name := range []string{f.Unit, f.Identifier, f.Command} {
		if e.Unit == "" {
			e.Unit = name
		}
	}
	return e, true
}

// kernelUnit is how the kernel is called where units are.
const kernelUnit = "kernel"

// kmsg reads what the kernel said: Documentation/ABI/testing/dev-kmsg.
func (m *Machine) kmsg(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) error {
	fd, err := unix.Open(m.at("/dev/kmsg"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: "/dev/kmsg", Err: err}
	}
	defer unix.Close(fd)
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return err
	}
	boot := m.now().Add(-time.Duration(up.Nano()))
	var held []diag.Event
	b := make([]byte, 8<<10) // a record has at most 8 KiB: CONSOLE_EXT_LOG_MAX
	waiting := false         // the past was told
	for {
		n, err := unix.Read(fd, b)
		switch {
		case errors.Is(err, unix.EPIPE): // older records were overwritten meanwhile
			continue
		case errors.Is(err, unix.EAGAIN):
			for _, e := range held {
				if err := each(e); err != nil {
					return err
				}
			}
			held, waiting = nil, true
			if !q.Follow || !sleep(ctx, time.Second) {
				return nil
			}
			continue
		case err != nil:
			return err
		}
		e, ok := parseKmsg(b[:n], boot)
		if !ok || e.Priority > q.Most {
			continue
		}
		if held = append(held, e); !waiting && len(held) > q.Last {
			held = held[1:]
		}
	}
}

// parseKmsg reads "priority,sequence,microseconds,flags;text".
func parseKmsg(b []byte, boot time.Time) (e diag.Event, ok bool) {
	head, text, ok := bytes.Cut(b, []byte{';'})
	f := strings.Split(string(head), ",")
	if !ok || len(f) < 3 {
		return e, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	e = diag.Event{Priority: diag.Priority(whole(f[0]) & 7), Unit: kernelUnit, Text: line}
	e.At = boot.Add(time.Duration(whole(f[2])) * time.Microsecond).Round(0)
	return e, true
}
