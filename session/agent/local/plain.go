package local

import (
	"fmt"
	"io"
	"strings"

	"assist/chat"
)

// WriteRoster writes members as people read them, one a line.
func WriteRoster(w io.Writer, all []Member) {
	rows := [][]string{{"ID", "NAME", "ORGANISATION", "ROLE", "STATE", "MAY"}}
	for _, m := range all {
		org, state := chat.Name(m.Org), m.State
		if m.Role != "customer" && !m.Verified {
			org = strings.TrimSpace(org + " (not verified)")
		}
		if m.Consoles > 1 {
			state += fmt.Sprintf(" x%d", m.Consoles)
		}
		rows = append(rows, []string{fmt.Sprint(m.ID), chat.Name(m.Name), org, m.Role, state, strings.Join(m.Grants, " ")})
	}
	table(w, rows)
}

// WriteSessions writes sessions as people read them, one a line.
func WriteSessions(w io.Writer, all []Session) {
	rows := [][]string{{"CODE", "CUSTOMER", "HOST", "STATE", "AGENTS", "STARTED"}}
	for _, s := range all {
		rows = append(rows, []string{s.Code, chat.Name(s.Customer), chat.Name(s.Host), s.State, fmt.Sprint(s.Agents), s.Started})
	}
	table(w, rows)
}

// table pads columns to what they need on a terminal, two blanks apart.
func table(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, s := range r {
			widths[i] = max(widths[i], chat.Width(s))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, s := range r {
			b.WriteString(s + strings.Repeat(" ", widths[i]-chat.Width(s)+2))
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// WriteEntry writes an entry as people read it. Behind the time stands who it is for, or a star when the session itself
// tells something; what members typed, names and later lines included, never reaches that column.
func WriteEntry(w io.Writer, e Entry) error {
	at := e.Time.Local().Format("15:04:05")
	if e.Kind != kindNames[chat.Said] {
		_, err := fmt.Fprintf(w, "%s *      %s\n", at, e.sentence())
		return err
	}
	_, err := fmt.Fprintf(w, "%s %-6s <%s> %s\n", at, e.Lane, chat.Name(e.From), strings.ReplaceAll(chat.Body(e.Text), "\n", "\n                "))
	return err
}

// sentence tells an entry that nobody typed, in the words of the console.
func (e Entry) sentence() string {
	in := chat.Entry{Kind: chat.Note, From: 1, Name: e.From, Text: e.Text}
	for kind, name := range kindNames {
		if name == e.Kind {
			in.Kind = kind
		}
	}
	if e.About != "" {
		in.About = 2
	}
	return chat.Sentence(in, func(uint32) string { return e.About })
}
