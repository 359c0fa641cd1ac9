package host

import (
	"errors"

	"assist/chat"
	"assist/session/inner"
)

var errMissed = errors.New("not all of it was played: input was paused or taken back meanwhile")

// done: an event had its turn.
func (in *intake) done(seq uint64, whole bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.played = seq
	if !whole {
		in.missed = seq
	}
}

// howFar says how far a console's input has been played.
func (in *intake) howFar(q *inner.HowFar) (chat.Seq, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.missed != 0 && in.missed >= q.GetFirst() && in.missed <= q.GetLast() {
		return 0, errMissed
	}
	return chat.Seq(in.played), nil
}
