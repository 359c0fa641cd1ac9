package notice

import (
	"fmt"
	"image"
	"image/color"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	askWidth = 620
	askEdge  = 24 // between the edge of the window and what is in it
	askLine  = 24
)

// scam is what everybody should have read before they let a stranger in.
const scam = "Did someone call or message you unexpectedly? Banks, police and Microsoft never ask for this."

// choice is what the customer has done in an open question, beside answering it.
type choice struct {
	since  time.Time       // when it came up
	ticked map[string]bool // grants beyond view and control
	focus  int             // index of the spot that Enter presses; 0 is refuse
}

// opened is the choice with which a question comes up: words alone harm nobody, so their box is ticked.
func opened(now time.Time) choice { return choice{since: now, ticked: map[string]bool{"chat": true}} }

// plain says a grant as a thing that somebody does.
var plain = map[string]string{
	"view":      "see your screen",
	"control":   "use your mouse and keyboard",
	"chat":      "write messages with you",
	"diag":      "read a report about this computer",
	"clipboard": "exchange copied text with you",
	"file":      "exchange files with you",
	"run":       "run commands on this computer",
}

func sentence(grant string) string {
	if s, ok := plain[grant]; ok {
		return s
	}
	return grant
}

// grace is how long yes stays off.
func (q *Question) grace() time.Duration {
	if q.Verified {
		return graceKnown
	}
	return graceUnknown
}

// answers lists the yes buttons of a question: view first and control apart.
func answers(q *Question) (labels []string, grants [][]string) {
	view, control := slices.Contains(q.Asks, "view"), slices.Contains(q.Asks, "control")
	add := func(label string, g ...string) { labels, grants = append(labels, label), append(grants, g) }
	switch {
	case view && control:
		add("Allow viewing", "view")
		add("Allow viewing and control", "view", "control")
	case view:
		add("Allow viewing", "view")
	case control:
		add("Allow control", "control")
	default:
		add("Allow")
	}
	return labels, grants
}

// extras lists the grants that have a box of their own. One that is asked for alone needs none: the button is the answer.
func extras(q *Question) []string {
	var out []string
	for _, g := range q.Asks {
		if g != "view" && g != "control" && len(q.Asks) > 1 {
			out = append(out, g)
		}
	}
	return out
}

// allowed is what a yes button gives, with the boxes that are ticked.
func allowed(q *Question, grant []string, ticked map[string]bool) []string {
	if len(q.Asks) == 1 {
		return q.Asks
	}
	out := slices.Clone(grant)
	for _, g := range extras(q) {
		if ticked[g] {
			out = append(out, g)
		}
	}
	return out
}

// ask draws the question as it is at a time.
func (p *painter) ask(q *Question, c *choice, now time.Time, scale int) *sheet {
	left := max(0, int(q.Deadline.Sub(now).Round(time.Second)/time.Second))
	wait := max(0, int((q.grace()-now.Sub(c.since)+time.Second-1)/time.Second))
	ticked := slices.Sorted(maps.Keys(c.ticked))
	return p.cached("ask", fmt.Sprint(q.Serial, left, wait, ticked, c.focus, scale), func() *sheet {
		// Drawn once to see how high it gets, and once more.
		h := p.askParts(q, c, left, wait, 1200, scale).y
		a := p.askParts(q, c, left, wait, h, scale)
		return &sheet{img: a.b.img, spots: a.spots}
	})
}

// asking is a question that is being drawn from the top down.
type asking struct {
	b      *brush
	q      *Question
	c      *choice
	y      int
	spots  []spot
	inside int // width of what is in it
}

func (p *painter) askParts(q *Question, c *choice, left, wait, height, scale int) *asking {
	a := &asking{b: p.brush(askWidth, height, scale), q: q, c: c, inside: askWidth - 2*askEdge}
	// The first spot is refuse: Enter presses it unless the customer chose another.
	a.spots = append(a.spots, spot{does: doRefuse})
	a.person()
	a.wishes()
	a.words()
	a.warning()
	a.countdown(left)
	a.buttons(wait)
	return a
}

// maxLines is how many lines a text from outside may fill; names are far shorter, and the buttons must stay in sight.
const maxLines = 4

// para writes lines of wrapped text.
func (a *asking) para(text string, s style) {
	lines := a.b.wrap(legible(text), a.inside, s)
	for _, line := range lines[:min(len(lines), maxLines)] {
		a.b.text(askEdge, a.y+s.size, a.inside, line, s)
		a.y += s.size + 8
	}
}

// maxDetail is how many lines of what a request is about are shown here; the terminal shows all of a longer one.
const maxDetail = 9

// detail writes the first lines of what a request is about.
func (a *asking) detail(s style) {
	left := maxDetail
	for line := range strings.Lines(a.q.Detail) {
		if line = strings.TrimSpace(line); line == "" { // what follows is the whole, after its summary
			break
		}
		rows := a.b.wrap(legible(line), a.inside, s)
		for _, row := range rows[:min(len(rows), 2, left)] {
			a.b.text(askEdge, a.y+s.size, a.inside, row, s)
			a.y += s.size + 6
			left--
		}
	}
}

func (a *asking) person() {
	title := "Somebody asks for more"
	if a.q.Comes {
		title = "Somebody comes to this computer, unless you refuse"
	} else if a.q.What != "" {
		title = "Somebody asks for this once"
	} else if a.q.Again {
		title = "May they go on using your mouse and keyboard?"
	} else if slices.Contains(a.q.Asks, "view") {
		title = "Somebody asks to see your screen"
	} else if slices.Contains(a.q.Asks, "control") {
		title = "Somebody asks to use your mouse and keyboard"
	}
	a.y = 18
	a.para(title, style{true, 20, edge})
	a.y += 6
	a.para(a.q.Name, style{true, 24, white})
	a.para(strings.TrimSuffix(a.q.Handle+" · "+a.q.Org, " · "), style{false, 16, pale})
	col := color.Color(amber)
	if a.q.Verified {
		col = lime
	}
	a.para("Organisation: "+a.q.Trust, style{true, 15, col})
	if a.q.Stranger {
		a.para("This organisation is not the one that leads your session.", style{true, 15, amber})
	}
	a.y += 8
}

// wishes says what is asked for, with a box where something can be left out.
func (a *asking) wishes() {
	text := style{false, 16, white}
	if a.q.What != "" {
		a.para("They want to "+a.q.What, text)
		a.detail(style{false, 14, pale})
		a.y += 8
		return
	}
	head := "They ask to:"
	if a.q.Again {
		head = "They have had this for half an hour:"
	}
	a.para(head, style{true, 16, white})
	boxes := extras(a.q)
	for _, g := range a.q.Asks {
		if slices.Contains(boxes, g) {
			a.box(g, text)
			continue
		}
		a.b.fill(image.Rect(askEdge+6, a.y+6, askEdge+14, a.y+14), edge)
		a.b.text(askEdge+30, a.y+16, a.inside-30, sentence(g), text)
		a.y += askLine
	}
	if len(a.q.Later) > 0 {
		var later []string
		for _, g := range a.q.Later {
			later = append(later, sentence(g))
		}
		a.para("You will be asked again before they may "+strings.Join(later, ", ")+".", style{false, 14, pale})
	}
	a.y += 8
}

// box draws a box that can be ticked.
func (a *asking) box(g string, s style) {
	r := image.Rect(askEdge, a.y, askEdge+20, a.y+20)
	a.b.frame(r, 2, white)
	if a.c.ticked[g] {
		a.b.fill(r.Inset(5), lime)
	}
	if a.c.focus == len(a.spots) {
		a.b.frame(r.Inset(-3), 2, edge)
	}
	a.b.text(askEdge+30, a.y+16, a.inside-30, sentence(g), s)
	row := image.Rect(askEdge, a.y, askEdge+a.inside, a.y+askLine)
	a.spots = append(a.spots, spot{at: a.b.scaled(row), does: doTick, grant: []string{g}})
	a.y += askLine
}

func (a *asking) words() {
	if len(a.q.Words) == 0 {
		return
	}
	a.para("Read these three words to them; they must see the same, or it is somebody else:", style{false, 15, pale})
	r := image.Rect(askEdge, a.y, askEdge+a.inside, a.y+44)
	a.b.fill(r, raisedC)
	a.b.centred(r, strings.Join(a.q.Words, "   "), style{true, 22, white})
	a.y += 58
}

func (a *asking) warning() {
	if a.q.Verified {
		return
	}
	s := style{true, 15, amber}
	lines := a.b.wrap(scam, a.inside-24, s)
	r := image.Rect(askEdge, a.y, askEdge+a.inside, a.y+16+len(lines)*23)
	a.b.fill(r, warnBg)
	for i, line := range lines {
		a.b.text(askEdge+12, a.y+25+i*23, a.inside-24, line, s)
	}
	a.y = r.Max.Y + 14
}

func (a *asking) countdown(left int) {
	const whole = 60 // seconds that the bar stands for
	track := image.Rect(askEdge, a.y, askEdge+a.inside, a.y+6)
	a.b.fill(track, raisedC)
	track.Max.X = track.Min.X + a.inside*min(left, whole)/whole
	a.b.fill(track, edge)
	a.y += 12
	silent := "no"
	if a.q.Comes {
		silent = "yes"
	}
	a.para(fmt.Sprintf("No answer within %d s means %s. Escape means no.", left, silent), style{false, 14, pale})
	a.y += 6
}

func (a *asking) buttons(wait int) {
	labels, grants := answers(a.q)
	const refuse, high, gap = 130, 46, 12
	row := func(x, w int) image.Rectangle { return image.Rect(x, a.y, x+w, a.y+high) }
	r := row(askEdge, refuse)
	a.b.button(r, "Refuse", red, false, a.c.focus == 0)
	a.spots[0].at = a.b.scaled(r)
	x, w := askEdge+refuse+gap, a.inside-refuse-gap
	for i, label := range labels {
		wide := w
		if len(labels) == 2 { // the longer label gets more room
			wide = []int{w * 2 / 5, w - w*2/5 - gap}[i]
		}
		if wait > 0 {
			label = fmt.Sprintf("%s (%d)", label, wait)
		}
		r := row(x, wide)
		a.b.button(r, label, green, wait > 0, a.c.focus == len(a.spots))
		a.spots = append(a.spots, spot{at: a.b.scaled(r), does: doAllow, off: wait > 0, grant: grants[i]})
		x += wide + gap
	}
	a.y += high + 20
}
