package tui

import (
	"encoding/json"
	"fmt"
	"image"
	"io"
	"regexp"
	"time"
)

// tape writes what a console shows as an asciicast of version 2 (asciinema's docs, "asciicast v2"): a header, then one event a
// line. It belongs to the goroutine that writes to the terminal. After the first error it writes nothing more.
type tape struct {
	w     io.Writer
	began time.Time
	size  func() image.Point
	last  image.Point
	err   error
}

// newTape begins a recording of a terminal.
func newTape(w io.Writer, term string, began time.Time, size func() image.Point) *tape {
	t := &tape{w: w, began: began, size: size, last: size()}
	t.line(struct {
		Version   int               `json:"version"`
		Width     int               `json:"width"`
		Height    int               `json:"height"`
		Timestamp int64             `json:"timestamp"`
		Env       map[string]string `json:"env"`
	}{2, t.last.X, t.last.Y, began.Unix(), map[string]string{"TERM": term}})
	return t
}

// questions are what a console asks its terminal, and the modes of its keyboard: a player's terminal would answer the player.
var questions = regexp.MustCompile(`\x1b(\[>[0-9;]*[qmuc]|\[[<=][0-9;]*u|\[c|\[\?[0-9;]*\$p|\[\?u|\[1[46]t|\]1[0-2];\?(\x07|\x1b\\)|P\+q[^\x1b]*\x1b\\|_G[^\x1b]*a=q[^\x1b]*\x1b\\)`)

// Write takes what was written to the terminal at now: whole sequences, whole characters.
func (t *tape) write(b []byte, now time.Time) {
	if size := t.size(); size != t.last {
		t.last = size
		t.event(now, "r", fmt.Sprintf("%dx%d", size.X, size.Y))
	}
	if b = questions.ReplaceAll(b, nil); len(b) > 0 {
		t.event(now, "o", string(b))
	}
}

func (t *tape) event(now time.Time, kind, what string) {
	t.line([]any{json.Number(fmt.Sprintf("%.6f", now.Sub(t.began).Seconds())), kind, what})
}

func (t *tape) line(v any) {
	if t.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = t.w.Write(append(b, '\n'))
	}
	t.err = err
}
