package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"assist/chat"
	"assist/session/transfer"
)

// barEvery is how often a bar is drawn.
const barEvery = 200 * time.Millisecond

// bar shows on a terminal how far a file is; elsewhere it shows nothing.
type bar struct {
	w    io.Writer // nil: nobody looks
	name string

	mu    sync.Mutex
	drawn time.Time
	began time.Time
	first uint64 // what was there when it began
	shown bool
}

func newBar(w io.Writer, name string) *bar {
	b := &bar{name: chat.Clip(chat.FileName(name), 30)}
	if isTerminal(w) {
		b.w = w
	}
	return b
}

func (b *bar) show(got, size uint64) {
	if b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.began.IsZero() {
		b.began, b.first = now, got
	}
	if now.Sub(b.drawn) < barEvery {
		return
	}
	b.drawn, b.shown = now, true
	fmt.Fprintf(b.w, "\r%s\x1b[K", b.line(got, size, now.Sub(b.began)))
}

// line is how far it is, how fast, and how long it takes still.
func (b *bar) line(got, size uint64, took time.Duration) string {
	const cells = 20
	full := cells
	if size > 0 {
		full = int(got * cells / size)
	}
	s := fmt.Sprintf("%s  %s%s  %s of %s", b.name, strings.Repeat("#", full), strings.Repeat("-", cells-full), transfer.Bytes(got), transfer.Bytes(size))
	if took < time.Second || got <= b.first {
		return s
	}
	rate := float64(got-b.first) / took.Seconds()
	left := time.Duration(float64(size-got) / rate * float64(time.Second)).Round(time.Second)
	return s + fmt.Sprintf("  %s/s  %v", transfer.Bytes(uint64(rate)), left)
}

// waits says that the link is broken.
func (b *bar) waits() {
	if b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown, b.began = true, time.Time{}
	fmt.Fprintf(b.w, "\r%s  the link is broken, waiting for it\x1b[K", b.name)
}

// end clears the line.
func (b *bar) end() {
	if b.w != nil && b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
