package consent

import (
	"fmt"
	"strings"
)

// This file is the preview of what would go: as much of it as the screen has room for, paged.

// minPreview is how many lines of a preview are shown even where they push other lines off.
const minPreview = 3

// preview is the lines of a detail that fit into room, and a line that says where in the whole they are.
func (m *model) preview(q *Question, room int) []string {
	var all []string
	for _, s := range q.more() {
		all = append(all, m.styled(m.theme.Dim.Render, "  "+s)...)
	}
	if len(all) == 0 {
		return nil
	}
	room = max(room, minPreview)
	m.pageRows, m.pageRoom = len(all), len(all)
	if len(all) <= room {
		m.page = 0
		return all
	}
	m.pageRoom = room - 1
	m.page = max(0, min(m.page, len(all)-m.pageRoom))
	where := fmt.Sprintf("lines %d to %d of %d: Up, Down, PgUp, PgDn read on", m.page+1, m.page+m.pageRoom, len(all))
	return append(append([]string(nil), all[m.page:m.page+m.pageRoom]...), m.styled(m.theme.Accent.Render, where)...)
}

// turn moves in the preview.
func (m *model) turn(key string) {
	switch key {
	case "down", "j":
		m.page++
	case "up", "k":
		m.page--
	case "pgdown":
		m.page += m.pageRoom
	case "pgup":
		m.page -= m.pageRoom
	case "home":
		m.page = 0
	case "end":
		m.page = m.pageRows
	}
	m.page = max(0, min(m.page, m.pageRows-m.pageRoom))
}

// spoken is how many lines of a preview are read out at once.
const spoken = 12

// readOn says the next lines of a preview.
func (l *lines) readOn(q *Question) {
	all := q.more()
	end := min(len(all), l.read+spoken)
	for _, s := range all[min(l.read, len(all)):end] {
		if strings.TrimSpace(s) != "" {
			l.say("  %s", s)
		}
	}
	l.read = end
	if left := len(all) - end; left > 0 {
		l.say("  (%d more lines: type more and Enter)", left)
	}
}
