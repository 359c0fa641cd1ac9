package inner

import (
	"io"
	"strings"
	"unicode/utf8"

	"assist/chat"
	"assist/transport/wire"
)

// Limits of a command.
const (
	MaxRunWords  = 256
	MaxRunBytes  = 48 << 10 // of all words, the folder and the environment
	MaxRunEnv    = 64
	MaxRunPiece  = 32 << 10  // bytes of stdin, stdout or stderr in one message
	MaxRunStdin  = 256 << 10 // bytes of stdin that the host may want at a time
	maxRunSide   = 1000      // columns or rows of a terminal (threats A16)
	maxRunSignal = 31        // the last one before the real-time signals
)

// Numbers of RunRefused.code. They are the interface, the texts may improve.
const (
	RunNotGiven  = 1 // the customer has not allowed it
	RunSaidNo    = 2 // the customer said no to this one
	RunTooMany   = 3 // too many at once
	RunMalformed = 4
	RunFailed    = 5 // it could not be started
)

// RunRefusedError is a command or action that the host did not begin.
type RunRefusedError struct {
	Code uint32
	Text string // sanitised
}

func (e *RunRefusedError) Error() string { return e.Text }

// ParseRunRefused takes a refusal from the host.
func ParseRunRefused(m *RunRefused) error {
	return &RunRefusedError{Code: m.GetCode(), Text: chat.Line(m.GetText())}
}

// ReadToRun reads one message of a console.
func ReadToRun(r io.Reader) (*ToRun, error) {
	m := new(ToRun)
	return m, wire.ReadMsg(r, wire.LimitControl, m)
}

// ReadFromRun reads one message of the host.
func ReadFromRun(r io.Reader) (*FromRun, error) {
	m := new(FromRun)
	return m, wire.ReadMsg(r, wire.LimitControl, m)
}

// Command is a command to run, its limits checked.
type Command struct {
	Words    []string
	Folder   string
	Env      []string
	Terminal *RunSize // nil: pipes
}

// ParseCommand takes a command from a console.
func ParseCommand(m *RunCommand) (Command, error) {
	c := Command{Words: m.GetWords(), Folder: m.GetFolder(), Env: m.GetEnv()}
	if len(c.Words) == 0 || len(c.Words) > MaxRunWords || strings.TrimSpace(c.Words[0]) == "" {
		return c, malformed("a command of %d words", len(c.Words))
	}
	if len(c.Env) > MaxRunEnv {
		return c, malformed("%d variables", len(c.Env))
	}
	bytes := len(c.Folder)
	for _, w := range append(append([]string{c.Folder}, c.Words...), c.Env...) {
		if bytes += len(w); bytes > MaxRunBytes {
			return c, malformed("a command of more than %d bytes", MaxRunBytes)
		}
		if strings.ContainsRune(w, 0) || !utf8.ValidString(w) { // proto3 sees to the second
			return c, malformed("a command with a NUL in it")
		}
	}
	for _, v := range c.Env {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return c, malformed("a variable without a name")
		}
	}
	if m.GetTerminal() != nil {
		c.Terminal = ParseRunSize(m.GetTerminal())
	}
	return c, nil
}

// ParseRunSize brings the size of a terminal within what there is.
func ParseRunSize(m *RunSize) *RunSize {
	side := func(n uint32, none uint32) uint32 {
		if n == 0 {
			return none
		}
		return min(n, maxRunSide)
	}
	return &RunSize{Columns: side(m.GetColumns(), 80), Rows: side(m.GetRows(), 24)}
}

// ParseRunSignal takes the number of a signal.
func ParseRunSignal(n uint32) (int, error) {
	if n == 0 || n > maxRunSignal {
		return 0, malformed("signal %d", n)
	}
	return int(n), nil
}

// Script is the command as one line for the shell of POSIX: several words are quoted, so that each arrives as it is.
func (c Command) Script() string {
	if len(c.Words) == 1 {
		return c.Words[0]
	}
	return join(c.Words, quote)
}

// Line is the command as it is shown and logged: quotes only where they tell something.
func (c Command) Line() string {
	if len(c.Words) == 1 {
		return chat.Line(c.Words[0])
	}
	return chat.Line(join(c.Words, func(w string) string {
		if w != "" && strings.Trim(w, plainLetters) == "" {
			return w
		}
		return quote(w)
	}))
}

// plainLetters mean themselves to every shell.
const plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,@%+="

func join(words []string, each func(string) string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = each(w)
	}
	return strings.Join(out, " ")
}

func quote(w string) string { return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'" }
