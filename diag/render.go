package diag

import (
	"encoding/json"
	"fmt"
	"strings"
)

// worstShown is how many findings a summary opens with.
const worstShown = 5

// Text is the report as people read it in a terminal: findings first, then each category.
func (r Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, read in %s\n%s\n", r.Host, r.At.Local().Format("2006-01-02 15:04:05"), Span(r.Took.Seconds()), r.Summary())
	for _, f := range r.Findings {
		if f.Severity > OK {
			fmt.Fprintf(&b, "\n%-5s %s: %s\n", strings.ToUpper(f.Severity.String()), f.Name(), f.Evidence)
			if f.Advice != "" {
				fmt.Fprintf(&b, "      %s\n", f.Advice)
			}
		}
	}
	for _, c := range r.Categories {
		b.WriteString("\n" + c.Text())
	}
	return b.String()
}

// Text is the category as people read it in a terminal.
func (c Category) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", c.ID.Title())
	for _, i := range c.Items {
		b.WriteString(strings.Repeat("  ", i.Depth+1) + i.Line() + "\n")
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "  (%s)\n", n)
	}
	return b.String()
}

// Line is one item in one line.
func (i Item) Line() string {
	if t := i.Text(); t != "" {
		return i.Name + ": " + t
	}
	return i.Name
}

// Line is one finding in one line.
func (f Finding) Line() string { return f.Severity.String() + " " + f.Name() + ": " + f.Evidence }

// Markdown is the report for a ticket.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nRead %s in %s: %s.\n\n", escape(r.Host), r.At.UTC().Format("2006-01-02 15:04:05 UTC"), Span(r.Took.Seconds()), r.Summary())
	if worst := r.Worst(len(r.Findings)); len(worst) > 0 {
		b.WriteString("| severity | check | evidence | what to do |\n|---|---|---|---|\n")
		for _, f := range worst {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Severity, escape(f.Name()), escape(f.Evidence), escape(f.Advice))
		}
		b.WriteString("\n")
	}
	for _, c := range r.Categories {
		fmt.Fprintf(&b, "## %s\n\n", c.ID.Title())
		for _, i := range c.Items {
			fmt.Fprintf(&b, "%s- %s\n", strings.Repeat("  ", i.Depth), escape(i.Line()))
		}
		if len(c.Items) > 0 && len(c.Notes) > 0 {
			b.WriteString("\n")
		}
		for _, n := range c.Notes {
			fmt.Fprintf(&b, "*%s*\n\n", escape(n))
		}
		if len(c.Notes) == 0 {
			b.WriteString("\n")
		}
	}
	return b.String()
}

// escape keeps a text from being read as Markdown or HTML.
func escape(s string) string {
	return strings.NewReplacer(
		"\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", "\\|",
		"#", "\\#", "!", "\\!", "~", "\\~", "\n", " ", "\r", " ",
	).Replace(s)
}

// JSON is the report for programs, indented.
func (r Report) JSON() string {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil { // numbers that JSON has no word for: there are none in a report that was made or parsed here
		return "{}\n"
	}
	return string(b) + "\n"
}

// Glance is what a person reads before allowing a report: its findings in short and what it contains.
func (r Report) Glance() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.", r.Summary())
	for _, f := range r.Worst(worstShown) {
		fmt.Fprintf(&b, "\n%s", f.Line())
	}
	names := make([]string, 0, len(r.Categories))
	for _, c := range r.Categories {
		names = append(names, fmt.Sprintf("%s (%d)", c.ID.Title(), len(c.Items)))
	}
	fmt.Fprintf(&b, "\nIt contains: %s.", strings.Join(names, ", "))
	return b.String()
}

// As is the report as the ending of a file's name asks: JSON, Markdown, else text.
func (r Report) As(name string) string {
	switch name = strings.ToLower(name); {
	case strings.HasSuffix(name, ".json"):
		return r.JSON()
	case strings.HasSuffix(name, ".md"), strings.HasSuffix(name, ".markdown"):
		return r.Markdown()
	}
	return r.Text()
}
