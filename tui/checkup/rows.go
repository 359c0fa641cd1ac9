package checkup

import (
	"fmt"
	"strings"

	"assist/diag"
)

// entry is one line of the tree.
type entry struct {
	id    string
	title string
	worst diag.Severity
	count int
}

// tree lists the sections: findings, changes, event log, categories.
func (p *Pane) tree() []entry {
	r, there := p.report()
	worst := map[diag.ID]diag.Severity{}
	for _, f := range r.Findings {
		worst[f.Category] = max(worst[f.Category], f.Severity)
	}
	top := entry{id: findings, title: "Findings"}
	if w := r.Worst(1); len(w) > 0 {
		top.worst, top.count = w[0].Severity, len(r.Worst(len(r.Findings)))
	}
	out := []entry{top}
	if there && p.shown > 0 {
		out = append(out, entry{id: changes, title: "What changed", count: len(p.changed())})
	}
	out = append(out, entry{id: journal, title: "Follow the log", count: len(p.data.Events)})
	for _, c := range r.Categories {
		out = append(out, entry{id: string(c.ID), title: c.ID.Title(), worst: worst[c.ID], count: len(c.Items)})
	}
	return out
}

// row is one line of the contents.
type row struct {
	text  string
	depth int
	tone  tone
	more  []string // shown below while the cursor is on it
	copy  string
}

// tone is how a line is drawn; what it means is also said in words.
type tone uint8

const (
	plain tone = iota
	head
	dim
	good
	warn
	bad
)

func toneOf(s diag.Severity) tone {
	switch s {
	case diag.Bad:
		return bad
	case diag.Warn:
		return warn
	case diag.Note:
		return plain
	}
	return good
}

// rows are the contents of the section, filtered.
func (p *Pane) rows() []row {
	all := p.contents()
	if p.filter == "" {
		return all
	}
	want := strings.ToLower(p.filter)
	var out []row
	for _, r := range all {
		if strings.Contains(strings.ToLower(r.text+" "+strings.Join(r.more, " ")), want) {
			out = append(out, r)
		}
	}
	return out
}

func (p *Pane) contents() []row {
	if p.at == journal {
		return p.events()
	}
	r, there := p.report()
	switch {
	case !there:
		return nil
	case p.at == findings:
		return found(r)
	case p.at == changes:
		return p.differences()
	}
	c, _ := r.Category(diag.ID(p.at))
	return facts(r, c)
}

// worstShown is how many findings stand on top.
const worstShown = 5

// found lists the worst first, then every check.
func found(r diag.Report) []row {
	worst := r.Worst(worstShown)
	title := fmt.Sprintf("The worst %d", len(worst))
	if len(worst) == 0 {
		title = "Nothing is wrong, as far as could be seen"
	}
	out := []row{{text: title, tone: head, copy: title}}
	for i, f := range r.Findings {
		if i == len(worst) {
			out = append(out, row{text: "All other checks", tone: head, copy: "All other checks"})
		}
		out = append(out, finding(f))
	}
	return out
}

func finding(f diag.Finding) row {
	line := fmt.Sprintf("%-4s %s: %s", f.Severity, f.Name(), f.Evidence)
	r := row{text: line, tone: toneOf(f.Severity), more: []string{f.Evidence}, copy: f.Line()}
	if f.Advice != "" {
		r.more = append(r.more, "What to do: "+f.Advice)
		r.copy += "\n" + f.Advice
	}
	return r
}

// facts lists what is known of one category, its findings first.
func facts(r diag.Report, c diag.Category) (out []row) {
	for _, f := range r.Findings {
		if f.Category == c.ID && f.Severity > diag.OK {
			out = append(out, finding(f))
		}
	}
	for _, i := range c.Items {
		out = append(out, row{text: i.Line(), depth: i.Depth, more: []string{i.Line()}, copy: i.Line()})
	}
	for _, n := range c.Notes {
		out = append(out, row{text: "(" + n + ")", tone: dim, more: []string{n}, copy: n})
	}
	return out
}

// changed is what is different from the report that it is compared with.
func (p *Pane) changed() []diag.Change {
	if p.shown == 0 || p.shown >= len(p.data.Reports) {
		return nil
	}
	return diag.Compare(p.data.Reports[min(p.since, p.shown-1)], p.data.Reports[p.shown])
}

func (p *Pane) differences() []row {
	if p.shown == 0 {
		return []row{{text: "There is one report only: r reads the machine again", tone: dim}}
	}
	was := p.data.Reports[min(p.since, p.shown-1)]
	text := "Since " + was.At.Local().Format("15:04:05")
	if p.since == 0 {
		text += ", the first of this session"
	}
	if p.shown > 1 {
		text += "; x takes another"
	}
	out := []row{{text: text, tone: head, copy: text}}
	all := p.changed()
	if len(all) == 0 {
		out = append(out, row{text: "nothing has changed", tone: good})
	}
	last := diag.ID("")
	for _, c := range all {
		if !c.Finding && c.Category != last {
			last = c.Category
			out = append(out, row{text: c.Category.Title(), tone: head, copy: c.Category.Title()})
		}
		r := row{text: c.String(), more: []string{c.String()}, copy: c.String()}
		if c.Finding {
			r.tone = warn
		}
		out = append(out, r)
	}
	return out
}

func (p *Pane) events() (out []row) {
	q := p.data.EventQuery
	text := "e follows the event log; p changes the priority, u the unit"
	if p.data.Following || len(p.data.Events) > 0 {
		text = "priority " + q.Most.String() + " and above"
		if q.Unit != "" {
			text += ", of " + q.Unit
		}
		if p.data.EventsFrom != "" {
			text += ", from " + p.data.EventsFrom
		}
	}
	out = append(out, row{text: text, tone: head, copy: text})
	for _, e := range p.data.Events {
		r := row{text: e.Line(), more: []string{e.Line()}, copy: e.Line()}
		switch {
		case e.Priority <= diag.Error:
			r.tone = bad
		case e.Priority == diag.Warning:
			r.tone = warn
		}
		out = append(out, r)
	}
	if p.data.EventsWhy != "" {
		out = append(out, row{text: "(" + p.data.EventsWhy + ")", tone: dim, copy: p.data.EventsWhy})
	}
	return out
}

// current is the line that the cursor is on.
func (p *Pane) current() (row, bool) {
	all := p.rows()
	if p.cursor < 0 || p.cursor >= len(all) {
		return row{}, false
	}
	return all[p.cursor], true
}
