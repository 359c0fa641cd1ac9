package diag

import (
	"fmt"
	"math"
	"strings"
)

// Change is one difference between two reports of a machine.
type Change struct {
	Category ID     `json:"category"`
	What     string `json:"what"`          // names from the category down, or a finding
	Was      string `json:"was,omitempty"` // empty: it is new
	Is       string `json:"is,omitempty"`  // empty: it is gone
	Finding  bool   `json:"finding,omitempty"`
}

// String is the change in one line.
func (c Change) String() string {
	switch {
	case c.Was == "":
		return fmt.Sprintf("new: %s: %s", c.What, c.Is)
	case c.Is == "":
		return fmt.Sprintf("gone: %s: %s", c.What, c.Was)
	}
	return fmt.Sprintf("%s: %s -> %s", c.What, c.Was, c.Is)
}

// restless are categories whose lines come and go by themselves: only their findings are compared.
var restless = map[ID]bool{Load: true, Processes: true, Events: true}

// Compare lists what is different now: findings first, then facts. Numbers that always move count when they moved far.
func Compare(was, now Report) []Change {
	out := compareFindings(was, now)
	for _, c := range now.Categories {
		old, had := was.Category(c.ID)
		if !had || restless[c.ID] {
			continue
		}
		before, order := lines(old)
		after, names := lines(c)
		for _, n := range names {
			a, b := before[n], after[n]
			if _, there := before[n]; !there {
				out = append(out, Change{Category: c.ID, What: n, Is: text(b)})
			} else if moved(a, b) {
				out = append(out, Change{Category: c.ID, What: n, Was: text(a), Is: text(b)})
			}
		}
		for _, n := range order {
			if _, there := after[n]; !there {
				out = append(out, Change{Category: c.ID, What: n, Was: text(before[n])})
			}
		}
	}
	return out
}

// text is the value of an item, or a word for one without.
func text(i Item) string {
	if t := i.Text(); t != "" {
		return t
	}
	return "there"
}

func compareFindings(was, now Report) (out []Change) {
	type key struct{ id, subject string }
	before := map[key]Finding{}
	for _, f := range was.Findings {
		before[key{f.ID, f.Subject}] = f
	}
	say := func(f Finding) string { return f.Severity.String() + ", " + f.Evidence }
	for _, f := range now.Findings {
		k := key{f.ID, f.Subject}
		old, had := before[k]
		delete(before, k)
		c := Change{Category: f.Category, What: f.Name(), Is: say(f), Finding: true}
		switch {
		case !had && f.Severity > OK:
			out = append(out, c)
		case had && old.Severity != f.Severity:
			c.Was = say(old)
			out = append(out, c)
		}
	}
	for _, f := range was.Findings {
		if _, left := before[key{f.ID, f.Subject}]; !left || f.Severity == OK {
			continue
		}
		if _, asked := now.Category(f.Category); asked {
			out = append(out, Change{Category: f.Category, What: f.Name(), Was: say(f), Finding: true})
		}
	}
	return out
}

// Name is the check with what it is about.
func (f Finding) Name() string {
	if f.Subject == "" {
		return f.ID
	}
	return f.ID + " " + f.Subject
}

// lines are the items of a category by the path of their names. Of several of one name the first counts.
func lines(c Category) (map[string]Item, []string) {
	all, path := make(map[string]Item, len(c.Items)), []string(nil)
	var order []string
	for _, i := range c.Items {
		path = append(path[:min(i.Depth, len(path))], i.Name)
		name := strings.Join(path, " / ")
		if _, twice := all[name]; !twice {
			all[name] = i
			order = append(order, name)
		}
	}
	return all, order
}

// moved says whether a fact changed by more than it does by itself: counters and times always run.
func moved(a, b Item) bool {
	if a.Unit != b.Unit {
		return true
	}
	d := math.Abs(a.Number - b.Number)
	switch a.Unit {
	case "":
		return a.Value != b.Value
	case Percent:
		return d >= 5
	case Celsius:
		return d >= 10
	case Seconds, Millis, Hertz, Rate:
		return false
	case Ratio:
		return d >= 1
	case Bytes:
		return d >= 64<<20 && d >= 0.05*math.Max(a.Number, b.Number)
	}
	return d != 0 && d >= 0.1*math.Max(math.Abs(a.Number), math.Abs(b.Number))
}
