package checkup

import (
	"fmt"
	"math"
	"strings"

	"assist/diag"
	"assist/tui/cell"
	"assist/tui/keys"
	"assist/tui/theme"

	"charm.land/lipgloss/v2"
)

// Rows of the parts above and below the contents.
const (
	titleRows = 1
	moreRows  = 3 // what the cursor is on, in full
	treeWidth = 26
)

// liveRows is how many rows the live values take.
func (p *Pane) liveRows() int {
	per := p.perRow()
	return (len(diag.Values()) + per - 1) / per
}

// perRow is how many live values stand in one row.
func (p *Pane) perRow() int { return max(1, p.w/liveWidth) }

// liveWidth is a name, a value and a drawing of ten seconds and more.
const liveWidth = 38

// room is how many rows of contents fit.
func (p *Pane) room() int { return max(1, p.h-titleRows-p.liveRows()-moreRows-2) }

// View draws the pane, exactly h rows of w cells.
func (p *Pane) View(t theme.Theme) cell.Block {
	p.bound()
	out := cell.Block{p.title(t)}
	out = append(out, p.live(t)...)
	rule := t.Edge.Render(strings.Repeat("─", p.w))
	out = append(out, rule)
	left, right := p.drawTree(t), p.drawRows(t)
	for i := range p.room() {
		out = append(out, left[i]+t.Edge.Render("│")+right[i])
	}
	out = append(out, rule)
	out = append(out, p.bottom(t)...)
	for i := range out {
		out[i] = cell.Fit(out[i], p.w)
	}
	for len(out) < p.h {
		out = append(out, cell.Fit("", p.w))
	}
	return out[:p.h]
}

// title says which report is looked at and how bad it is.
func (p *Pane) title(t theme.Theme) string {
	r, there := p.report()
	right := ""
	if p.data.Pulling {
		right = p.data.Doing + " "
	}
	if !there {
		text := " The machine has not been read yet"
		if p.data.Why != "" {
			text = " " + p.data.Why
		}
		return t.Strong.Render(cell.Ends(cell.Clean(text), cell.Clean(right), p.w))
	}
	if right == "" {
		right = fmt.Sprintf("read %s in %s ", r.At.Local().Format("15:04:05"), diag.Span(r.Took.Seconds()))
		if p.data.Why != "" {
			right = p.data.Why + " "
		}
		if n := len(p.data.Reports); n > 1 {
			right = fmt.Sprintf("report %d of %d, ", p.shown+1, n) + right
		}
	}
	return t.Strong.Render(cell.Ends(" "+cell.Clean(r.Host)+": "+r.Summary(), cell.Clean(right), p.w))
}

// live draws the live values with what they were.
func (p *Pane) live(t theme.Theme) (out []string) {
	values, per := diag.Values(), p.perRow()
	wide := p.w / per
	for i := 0; i < len(values); i += per {
		line := ""
		for _, v := range values[i:min(len(values), i+per)] {
			line += p.gauge(t, v, wide)
		}
		out = append(out, line)
	}
	return out
}

// gauge is one live value in exactly w cells.
func (p *Pane) gauge(t theme.Theme, v diag.Value, w int) string {
	const name, number = 11, 12
	all := p.data.Live
	if len(all) == 0 {
		why := "-"
		if p.data.LiveWhy != "" {
			why = p.data.LiveWhy
		}
		return t.Dim.Render(cell.Fit(" "+cell.Fit(v.Name, name)+" "+cell.Clean(why), w))
	}
	is := v.Unit.Format(v.Of(all[len(all)-1]))
	pad := strings.Repeat(" ", max(0, number-cell.Width(is)))
	return t.Dim.Render(" "+cell.Fit(v.Name, name)) + t.Text.Render(pad+cell.Cut(is, number)+" ") +
		t.Accent.Render(cell.Fit(Spark(all, v, max(0, w-name-number-3)), w-name-number-2))
}

// Spark draws the last w samples of a value, one column each.
func Spark(all []diag.Sample, v diag.Value, w int) string {
	const bars = "▁▂▃▄▅▆▇█"
	steps := []rune(bars)
	all = all[max(0, len(all)-max(0, w)):]
	full := v.Full
	if full == 0 {
		for _, s := range all {
			full = max(full, v.Of(s))
		}
	}
	var b strings.Builder
	for _, s := range all {
		i := 0
		if x := v.Of(s); full > 0 && !math.IsNaN(x) {
			i = int(max(0, min(x/full, 1)) * float64(len(steps)-1))
		}
		b.WriteRune(steps[i])
	}
	return b.String()
}

// mark says in one character how bad the worst of a category is.
func mark(s diag.Severity) string {
	return [...]string{diag.OK: " ", diag.Note: "·", diag.Warn: "!", diag.Bad: "X"}[s]
}

// drawTree is the sections, in treeWidth cells, scrolled so that the open one is seen.
func (p *Pane) drawTree(t theme.Theme) []string {
	all, room := p.tree(), p.room()
	at := 0
	for i, e := range all {
		if e.id == p.at {
			at = i
		}
	}
	top := max(0, min(at-room/2, len(all)-room))
	out := make([]string, 0, room)
	for i := top; i < len(all) && len(out) < room; i++ {
		e := all[i]
		count := ""
		if e.count > 0 {
			count = fmt.Sprintf("%d ", e.count)
		}
		line := cell.Ends(" "+mark(e.worst)+" "+cell.Clean(e.title), count, treeWidth)
		switch {
		case e.id == p.at && !p.right:
			line = t.BarStrong.Render(line)
		case e.id == p.at:
			line = t.Strong.Render(line)
		default:
			line = style(t, toneOf(e.worst), e.worst > diag.Note).Render(line)
		}
		out = append(out, line)
	}
	for len(out) < room {
		out = append(out, cell.Fit("", treeWidth))
	}
	return out
}

// style is how a tone is drawn; what is good is drawn as everything else.
func style(t theme.Theme, n tone, coloured bool) lipgloss.Style {
	switch {
	case n == head:
		return t.Strong
	case n == dim:
		return t.Dim
	case coloured && n == warn:
		return t.Warn
	case coloured && n == bad:
		return t.Bad
	}
	return t.Text
}

func (p *Pane) drawRows(t theme.Theme) []string {
	all, room, w := p.rows(), p.room(), p.w-treeWidth-1
	out := make([]string, 0, room)
	for i := p.top; i < len(all) && len(out) < room; i++ {
		r := all[i]
		line := cell.Fit(" "+strings.Repeat("  ", min(r.depth, 8))+cell.Clean(r.text), w)
		if i == p.cursor && p.right {
			out = append(out, t.BarStrong.Render(line))
			continue
		}
		out = append(out, style(t, r.tone, true).Render(line))
	}
	if len(all) == 0 {
		text := ""
		if p.filter != "" {
			text = " nothing here has \"" + cell.Clean(p.filter) + "\" in it"
		}
		out = append(out, t.Dim.Render(cell.Fit(text, w)))
	}
	for len(out) < room {
		out = append(out, cell.Fit("", w))
	}
	return out
}

// bottom is what is being typed, or the line that the cursor is on, in full.
func (p *Pane) bottom(t theme.Theme) []string {
	out := make([]string, 0, moreRows)
	if p.asking != nothing {
		label := map[asking]string{toFilter: " find: ", toSave: " save as (.md, .json, else text): ", toUnit: " unit (empty: all): "}[p.asking]
		out = append(out, t.Strong.Render(label)+p.field.Row(t, max(1, p.w-cell.Width(label)), true))
	} else if r, ok := p.current(); ok {
		for _, text := range r.more {
			for _, l := range cell.Wrap(cell.Clean(text), max(1, p.w-2)) {
				out = append(out, t.Text.Render(" "+l))
			}
		}
	}
	if len(out) > moreRows {
		out = out[:moreRows]
		out[moreRows-1] = cell.Cut(out[moreRows-1], p.w-2) + "…"
	}
	for len(out) < moreRows {
		out = append(out, "")
	}
	return out
}

// Hint tells the keys.
func (p *Pane) Hint() string {
	if p.asking != nothing {
		return "Enter takes it, Esc does not"
	}
	out := "Esc close  Tab side"
	for _, k := range keys.CheckupTable() {
		log := k.Do == keys.EventPriority || k.Do == keys.EventUnit
		if of := k.Do == keys.Compare || k.Do == keys.SaveReport || k.Do == keys.ReadAgain; (p.at == journal || !log) && (p.at != journal || !of) && k.Do != keys.CopyReport {
			out += "  " + k.Show + " " + k.Label
		}
	}
	return out
}
