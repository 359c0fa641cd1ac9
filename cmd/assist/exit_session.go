package main

import (
	"errors"

	"assist/screen/capture"
	"assist/session/agent"
	"assist/session/inner"
	"assist/tui"
)

// explainSession explains what goes wrong between console, host and the display.
func explainSession(err error) (text, hint string, code int, ok bool) {
	var display *capture.NoDisplayError
	var tty *tui.NoTerminalError
	var key *agent.HostKeyError
	var no *inner.RefusedError
	switch {
	case errors.As(err, &display):
		return display.Error(), display.Hint, exitFailed, true
	case errors.As(err, &tty):
		return tty.Error(), "the console needs a terminal of its own: run it in one, or in tmux", exitUsage, true
	case errors.As(err, &key) && key.Machine != "":
		return "this is NOT the machine that was known: " + key.Error(),
			"somebody may sit in between, or it was set up anew. Ask its owner; then: assist machine forget " + key.Machine, exitFailed, true
	case errors.As(err, &key):
		return "this is NOT the host that was expected: " + key.Error(),
			"somebody may sit in between. Ask the customer for a new code, and compare the three words", exitFailed, true
	case errors.As(err, &no):
		text, hint, code = explainRefusal(no)
		return text, hint, code, true
	case errors.Is(err, agent.ErrProof):
		return agent.ErrProof.Error(), "open it from a terminal with assist connect, or give --password-file", exitLogin, true
	case errors.Is(err, agent.ErrNoAnswer):
		return agent.ErrNoAnswer.Error(), "it may be starting, or out of its network; assist machines shows when it was seen last", exitFailed, true
	case errors.Is(err, agent.ErrNoDirect):
		return agent.ErrNoDirect.Error(), "without --path direct, here and at the customer's, packets go over the relay; assist netcheck says what a network allows", exitRelay, true
	case errors.Is(err, agent.ErrGaveUp):
		return agent.ErrGaveUp.Error(), "assist join with the same code works again as soon as the customer's machine is back", exitFailed, true
	}
	return "", "", 0, false
}

// explainRefusal explains why a host let nobody in. The number decides.
func explainRefusal(no *inner.RefusedError) (text, hint string, code int) {
	switch no.Code {
	case inner.RefusedByCustomer:
		return "the customer said no", "talk to the customer before you try again", exitRefused
	case inner.RefusedNoAnswer:
		return "the customer did not answer", "silence for a minute is a no; ask the customer to look at the question, then join again", exitRefused
	case inner.RefusedRemoved:
		return "you were sent out of this session", "", exitRefused
	case inner.RefusedBadge:
		return "the host does not accept your badge: " + no.Text,
			"join again; if it stays so, the clock of the customer's machine or of the relay may be wrong", exitFailed
	case inner.RefusedPolicy:
		return no.Text, "the machine's owner decides that in its policy; from outside it can only be made tighter", exitFailed
	case inner.RefusedProof:
		return no.Text, "its owner knows them: assist host password, assist host totp", exitLogin
	case inner.RefusedClosed:
		return "the session is over", "ask for a new code", exitCode
	case inner.RefusedFull:
		return "the session has no room for another agent", "", exitFailed
	case inner.RefusedTooOld:
		return "this program is too old for the customer's host", "install a newer assist here", exitFailed
	case inner.RefusedTooNew:
		return "the customer's host is too old for this program", "the customer needs a newer assist", exitFailed
	}
	return "the host says: " + no.Text, "", exitFailed
}
