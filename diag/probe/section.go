package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os/exec"
	"time"

	"assist/diag"
)

// section is a category while it is being filled, by one goroutine.
type section struct {
	category diag.Category
	findings []diag.Finding
	now      time.Time
	depth    int
	full     bool
}

// add puts an item at the present depth. Past the limit the rest is counted out in a note.
func (s *section) add(i diag.Item) {
	if len(s.category.Items) >= diag.MaxItems {
		if !s.full {
			s.full = true
			s.note(fmt.Sprintf("more than %d lines: the rest is left out", diag.MaxItems))
		}
		return
	}
	i.Depth = min(i.Depth+s.depth, diag.MaxDepth)
	s.category.Items = append(s.category.Items, i)
}

// text adds a fact in words; an empty one is left out.
func (s *section) text(name, value string) {
	if value != "" {
		s.add(diag.Item{Name: name, Value: value})
	}
}

func (s *section) num(name string, n float64, u diag.Unit) {
	if !math.IsNaN(n) && !math.IsInf(n, 0) {
		s.add(diag.Item{Name: name, Number: n, Unit: u})
	}
}

// under adds a heading with what f adds one level below it. A heading with nothing below it and no value is left out.
func (s *section) under(name, value string, f func()) {
	s.add(diag.Item{Name: name, Value: value})
	had := len(s.category.Items)
	s.depth++
	f()
	s.depth--
	if value == "" && len(s.category.Items) == had && !s.full {
		s.category.Items = s.category.Items[:had-1]
	}
}

// note says what could not be read, and why.
func (s *section) note(why string) {
	if len(s.category.Notes) < diag.MaxNotes {
		s.category.Notes = append(s.category.Notes, why)
	}
}

// missing says that what could not be read, because of err.
func (s *section) missing(what string, err error) {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		s.note(what + ": no permission")
	case errors.Is(err, exec.ErrNotFound):
		s.note(what + ": " + err.Error())
	case errors.Is(err, fs.ErrNotExist):
		s.note(what + ": there is none on this system")
	case errors.As(err, &path):
		s.note(what + ": " + path.Err.Error())
	default:
		s.note(what + ": " + err.Error())
	}
}

func (s *section) find(f diag.Finding) {
	if len(s.findings) < diag.MaxFindings {
		s.findings = append(s.findings, f)
	}
}
