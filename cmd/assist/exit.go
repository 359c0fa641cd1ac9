package main

import (
	"errors"
	"strings"
	"time"

	"assist/chat"
	"assist/transport"
	"assist/transport/wire"
)

// Exit codes. They are the interface for scripts; the words beside them may improve.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRefused     = 3 // by a person
	exitLogin       = 4 // login needed, or it was wrong
	exitCode        = 5 // code unknown or expired
	exitRelay       = 6 // relay unreachable, or not the one that was known
	exitInterrupted = 130
)

// exitError is an error that knows its exit code and what to do about it.
type exitError struct {
	Code int
	Err  error
	Hint string // one sentence, or empty
}

func (e *exitError) Error() string { return e.Err.Error() }
func (e *exitError) Unwrap() error { return e.Err }

// usage is a mistake in how the command was called.
func usage(err error, hint string) error { return &exitError{Code: exitUsage, Err: err, Hint: hint} }

// explain gives an error its sentence, its hint (may be empty) and its exit code.
func explain(err error) (text, hint string, code int) {
	var known *exitError
	if errors.As(err, &known) {
		return known.Err.Error(), known.Hint, known.Code
	}
	if text, hint, code, ok := explainRelay(err); ok {
		return text, hint, code
	}
	if text, hint, code, ok := explainSession(err); ok {
		return text, hint, code
	}
	var begun *begunError
	if !errors.As(err, &begun) {
		return firstLine(err.Error()), "assist --help lists the verbs, assist VERB --help what each takes", exitUsage
	}
	return begun.Error(), "", exitFailed
}

// explainRelay explains what goes wrong between here and a relay.
func explainRelay(err error) (text, hint string, code int, ok bool) {
	var far *transport.RelayUnreachableError
	var key *transport.RelayKeyError
	var no *transport.ProblemError
	switch {
	case errors.As(err, &far):
		return "no relay answers at " + far.Addr + ": " + far.Err.Error(),
			"is the address right, is the relay running, and does UDP get through to it?", exitRelay, true
	case errors.As(err, &key) && key.Want == "":
		return "the relay's certificate is not one that this machine trusts: its key is " + string(key.Got),
			"compare it with the fingerprint that the relay prints, then say --relay-key " + string(key.Got), exitRelay, true
	case errors.As(err, &key):
		return "this is NOT the relay that was known: its key is " + string(key.Got) + ", expected " + string(key.Want),
			"someone may be in between. Ask the relay's owner before you say --relay-key with another key", exitRelay, true
	case errors.As(err, &no):
		text, hint, code = explainProblem(no)
		return text, hint, code, true
	}
	return "", "", 0, false
}

// explainProblem explains a refusal by the relay. The number decides; the relay's own words are only for numbers not known here.
func explainProblem(p *transport.ProblemError) (text, hint string, code int) {
	switch p.Code {
	case wire.CodeBadLogin:
		return "wrong account or password", "the relay's owner can set a new one: assist relay agent passwd NAME@ORG", exitLogin
	case wire.CodeLoginNeeded:
		return "you are not logged in at this relay", "assist login RELAY --user NAME@ORG", exitLogin
	case wire.CodeUnknownCode:
		return "this code is unknown or has expired", "ask for the code again; it is 8 digits and lives 10 minutes", exitCode
	case wire.CodeHostGone:
		return "the customer's machine is not connected now", "try again in a moment: its seat is held for 10 minutes", exitCode
	case wire.CodeNoMachine:
		return p.Text, "assist machines lists those of your organisation", exitFailed
	case wire.CodeOffline:
		return p.Text, "assist machines shows which are; on the machine: assist service status", exitFailed
	case wire.CodeMachineKey:
		return p.Text, "was its key lost or copied? An administrator removes it (assist machine remove NAME), then it is enrolled anew", exitFailed
	case wire.CodeToken:
		return p.Text, "an administrator makes a new one: assist machine token --org ORG; each is good for one machine, once", exitFailed
	case wire.CodeForbidden:
		return p.Text, "", exitFailed
	case wire.CodeSlowDown:
		return "too many wrong tries", "try again in " + wait(p.RetryAfter), exitFailed
	case wire.CodeTooOld:
		return "this program is too old for the relay", "install a newer assist here", exitFailed
	case wire.CodeTooNew:
		return "the relay is too old for this program", "ask the relay's owner to update it, or use an older assist here", exitFailed
	case wire.CodeDraining:
		return "the relay is going down", "try again in a moment", exitRelay
	case wire.CodeFull:
		return "the relay has no room now", "try again in " + wait(p.RetryAfter), exitFailed
	}
	return "the relay says: " + p.Text, "", exitFailed
}

// wait says a duration in words.
func wait(d time.Duration) string {
	if d <= 0 {
		return "a moment"
	}
	return d.Round(time.Second).String()
}

// firstLine drops what cobra adds below an error.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// printable makes a sentence safe for a terminal: parts of an error may have come from another machine.
func printable(s string) string { return chat.Line(s) }
