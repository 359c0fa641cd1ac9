package main

import (
	"errors"
	"strings"
	"unicode"
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
	var begun *begunError
	if !errors.As(err, &begun) {
		return firstLine(err.Error()), "assist --help lists the verbs, assist VERB --help what each takes", exitUsage
	}
	return begun.Error(), "", exitFailed
}

// firstLine drops what cobra adds below an error.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// printable replaces what could act on a terminal: parts of an error may have come from another machine.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '\u00b7'
		}
		return r
	}, s)
}
