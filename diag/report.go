package diag

import (
	"slices"
	"strings"
	"time"
)

// Bounds of a report. What is longer is cut when it is made, and refused when it is read.
const (
	MaxReport   = 1 << 20 // bytes of an encoded report
	MaxValue    = 4 << 10 // bytes of one text
	MaxItems    = 400     // of one category
	MaxNotes    = 32      // of one category
	MaxFindings = 400
	MaxDepth    = 32 // of an item below its category
)

// ID names a category; it is stable, for scripts.
type ID string

// The categories, in the order in which people read them.
const (
	Identity   ID = "identity"
	Load       ID = "load"
	CPU        ID = "cpu"
	Memory     ID = "memory"
	Disks      ID = "disks"
	Mounts     ID = "mounts"
	Network    ID = "network"
	Processes  ID = "processes"
	Services   ID = "services"
	Startup    ID = "startup"
	Packages   ID = "packages"
	Events     ID = "events"
	Security   ID = "security"
	Time       ID = "time"
	Containers ID = "containers"
	Display    ID = "display"
	Crashes    ID = "crashes"
)

type title struct {
	id   ID
	text string
}

var titles = []title{
	{Identity, "Identity"},
	{Load, "Load and pressure"},
	{CPU, "CPU"},
	{Memory, "Memory and swap"},
	{Disks, "Disks and space"},
	{Mounts, "Mounts"},
	{Network, "Network"},
	{Processes, "Processes"},
	{Services, "Services"},
	{Startup, "Startup and timers"},
	{Packages, "Packages"},
	{Events, "Event log"},
	{Security, "Security"},
	{Time, "Time"},
	{Containers, "Containers"},
	{Display, "Display and GPU"},
	{Crashes, "Crash dumps"},
}

// All lists every category in its order.
func All() []ID {
	out := make([]ID, len(titles))
	for i, t := range titles {
		out[i] = t.id
	}
	return out
}

// Known says whether id is a category.
func (id ID) Known() bool { return id.place() < len(titles) }

// Title is the category as people read it.
func (id ID) Title() string {
	if i := id.place(); i < len(titles) {
		return titles[i].text
	}
	return string(id)
}

func (id ID) place() int {
	if i := slices.IndexFunc(titles, func(t title) bool { return t.id == id }); i >= 0 {
		return i
	}
	return len(titles)
}

// Item is one fact: a text, or a number with its unit. Those of greater depth belong to the one above them.
type Item struct {
	Name   string  `json:"name"`
	Value  string  `json:"value,omitempty"` // of a number: as people read it
	Number float64 `json:"number,omitempty"`
	Unit   Unit    `json:"unit,omitempty"` // empty: a text
	Depth  int     `json:"depth,omitempty"`
}

// Text is the value as people read it.
func (i Item) Text() string {
	if i.Unit != "" {
		return i.Unit.Format(i.Number)
	}
	return i.Value
}

// Category is what was found out about one side of a machine. One without items has a note that says why.
type Category struct {
	ID    ID       `json:"-"`
	Title string   `json:"title"`
	Took  int      `json:"took_ms"`
	Items []Item   `json:"items"`
	Notes []string `json:"notes,omitempty"` // what could not be read, and why
}

// Report is the answer of one machine at one time.
type Report struct {
	At         time.Time
	Host       string
	Took       time.Duration
	Categories []Category // in the order of All
	Findings   []Finding  // worst first
}

// Category returns the category called id.
func (r Report) Category(id ID) (Category, bool) {
	for _, c := range r.Categories {
		if c.ID == id {
			return c, true
		}
	}
	return Category{}, false
}

// Find returns the first item along a path of names, one level a name.
func (c Category) Find(path ...string) (Item, bool) {
	depth, left := 0, path
	for _, i := range c.Items {
		if len(left) == 0 || i.Depth < depth {
			break
		}
		if i.Depth != depth || i.Name != left[0] {
			continue
		}
		if len(left) == 1 {
			return i, true
		}
		depth, left = depth+1, left[1:]
	}
	return Item{}, false
}

// Order puts categories and findings into the order in which people read them.
func (r *Report) Order() {
	slices.SortStableFunc(r.Categories, func(a, b Category) int { return a.ID.place() - b.ID.place() })
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return a.Category.place() - b.Category.place()
	})
}

// Clean passes every text of a report through f and keeps it within its bounds. It is how a report from outside is made safe.
func (r Report) Clean(f func(string) string) Report {
	text := func(s string) string { return Clip(f(s), MaxValue) }
	r.Host = text(r.Host)
	out := make([]Category, 0, len(r.Categories))
	for _, c := range r.Categories {
		if !c.ID.Known() {
			continue
		}
		c.Title = c.ID.Title()
		c.Items, c.Notes = slices.Clone(c.Items[:min(len(c.Items), MaxItems)]), slices.Clone(c.Notes[:min(len(c.Notes), MaxNotes)])
		for i := range c.Items {
			it := &c.Items[i]
			it.Name, it.Value = text(it.Name), text(it.Value)
			it.Depth = max(0, min(it.Depth, MaxDepth))
		}
		for i := range c.Notes {
			c.Notes[i] = text(c.Notes[i])
		}
		out = append(out, c)
	}
	r.Categories = out
	r.Findings = slices.Clone(r.Findings[:min(len(r.Findings), MaxFindings)])
	for i := range r.Findings {
		g := &r.Findings[i]
		g.ID, g.Subject, g.Evidence, g.Advice = text(g.ID), text(g.Subject), text(g.Evidence), text(g.Advice)
	}
	return r
}

// Clip cuts s to at most n bytes at the end of a character.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const tail = "…"
	return strings.ToValidUTF8(s[:n-len(tail)], "") + tail
}

// ParseIDs reads names of categories; none means all.
func ParseIDs(names []string) ([]ID, error) {
	var out []ID
	for _, n := range names {
		id := ID(strings.ToLower(strings.TrimSpace(n)))
		if !id.Known() {
			return nil, &UnknownError{Name: n}
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// UnknownError says that there is no such category.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	names := make([]string, 0, len(titles))
	for _, t := range titles {
		names = append(names, string(t.id))
	}
	return "there is no category " + Clip(e.Name, 64) + "; there are " + strings.Join(names, ", ")
}
