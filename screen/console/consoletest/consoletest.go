//go:build desktop || lab

package consoletest

import (
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/creack/pty"

	"assist/screen/console/vt"
)

// Size of every recorded terminal.
var Size = image.Pt(80, 24)

// Step is some keys, and the name of the screen that they lead to.
type Step struct {
	Keys   string
	Screen string        // empty: it is not looked at
	Rest   time.Duration // how long the program is given at least; 0: until it is quiet
}

// Session is one program and what is done in it.
type Session struct {
	Name  string
	Argv  []string
	Env   []string
	Files map[string]string // that the program finds in its folder
	Steps []Step
	Close []string // ends what the program has left in the background; relative paths are in its folder
}

// Chunk is one write of the program.
type Chunk struct {
	At    time.Duration
	Bytes []byte
}

// Mark is a moment worth looking at.
type Mark struct {
	Name string
	Upto int // bytes of the whole recording before it
}

// Recording is what a program wrote.
type Recording struct {
	Name   string
	Chunks []Chunk
	Marks  []Mark
}

// Bytes is all of it.
func (r *Recording) Bytes() (all []byte) {
	for _, c := range r.Chunks {
		all = append(all, c.Bytes...)
	}
	return all
}

// quiet is how long a program says nothing before its screen counts as drawn, and patience how long that is waited for.
const (
	quiet    = 300 * time.Millisecond
	patience = 4 * time.Second
)

// tape collects what a program writes.
type tape struct {
	mu    sync.Mutex
	begun time.Time
	rec   Recording
	n     int
	last  time.Time
}

// Record runs s in dir and does its steps.
func Record(s Session, dir string) (*Recording, error) {
	for name, text := range s.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(s.Argv[0], s.Argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=" + dir, "PATH=" + os.Getenv("PATH"), "PS1=\\w\\$ ", "COLORTERM=truecolor",
	}, s.Env...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(Size.X), Rows: uint16(Size.Y)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	t := &tape{begun: time.Now(), last: time.Now(), rec: Recording{Name: s.Name}}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		t.listen(f)
	}()
	for _, step := range s.Steps {
		if _, err := f.WriteString(step.Keys); err != nil {
			break
		}
		t.settle(step.Rest)
		if step.Screen != "" {
			t.mark(s.Name + ": " + step.Screen)
		}
	}
	_ = cmd.Process.Kill()
	_ = f.Close()
	<-gone
	_ = cmd.Wait() // it was killed
	if s.Close != nil {
		end := exec.Command(s.Close[0], s.Close[1:]...)
		end.Dir = dir
		_ = end.Run() // it may have ended by itself
	}
	if t.n == 0 {
		return nil, errors.New(s.Name + " wrote nothing")
	}
	return &t.rec, nil
}

// listen keeps what comes and answers as a terminal does.
func (t *tape) listen(f *os.File) {
	term := vt.New(Size)
	term.Reply = func(b []byte) { _, _ = f.Write(b) }
	buf := make([]byte, 32<<10)
	for {
		n, err := f.Read(buf)
		if n > 0 {
			t.mu.Lock()
			t.last = time.Now()
			t.rec.Chunks = append(t.rec.Chunks, Chunk{t.last.Sub(t.begun), append([]byte(nil), buf[:n]...)})
			t.n += n
			t.mu.Unlock()
			_, _ = term.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (t *tape) settle(rest time.Duration) {
	begun := time.Now()
	if rest > 0 {
		time.Sleep(rest)
		return
	}
	for time.Since(begun) < patience {
		time.Sleep(quiet / 6)
		t.mu.Lock()
		silent := time.Since(t.last)
		t.mu.Unlock()
		if silent > quiet && time.Since(begun) > quiet {
			return
		}
	}
}

func (t *tape) mark(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rec.Marks = append(t.rec.Marks, Mark{name, t.n})
}
