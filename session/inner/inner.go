// Package inner is what host and console say to each other inside the end-to-end link: the control messages (inner.proto)
// and their conversions to the nouns, the order of the handshake, the three words that show whether somebody sits in
// between, the framing of pictures, input and screen messages, and the join URL that carries the host's key.
//
// Everything here works on readers and writers that it is handed. It starts no goroutine, keeps no state beyond one call
// and owns no connection: the ends (session/host, session/agent) do. What comes from the other side has a limit that is
// checked before memory is asked for, and every text passes chat's sanitiser on its way to a noun. Nothing here waits for a
// slow reader by itself; deadlines are set on the stream by its owner.
package inner

import (
	"errors"
	"fmt"
)

// Limits of what one side accepts from the other. Bytes unless said otherwise.
const (
	MaxMembers = 256     // lines of a roster, those who left included
	MaxLog     = 4096    // entries in one Welcome
	MaxPicture = 4 << 20 // one picture message (threats A18)
	nonceLen   = 32
	commitLen  = 32
	maxBadge   = 3 << 10
)

// Numbers of refusals (Refused.code). They are the interface, the texts may improve; wire's numbers 1..39 mean the same here.
const (
	RefusedBadRequest = 2
	RefusedTooOld     = 3  // the console speaks no version that this host still speaks
	RefusedTooNew     = 4  // the host speaks no version that this console still speaks
	RefusedBadge      = 40 // no badge, one that ended, or one for another device or session
	RefusedByCustomer = 41 // a person said no
	RefusedNoAnswer   = 42 // nobody answered in time
	RefusedRemoved    = 43 // this agent was sent out
	RefusedClosed     = 44 // the session is over or takes nobody in any more
	RefusedReveal     = 45 // the nonce does not fit its commitment
	RefusedFull       = 46 // too many members
	RefusedPolicy     = 47 // the machine's policy does not allow it; the text says why
	RefusedProof      = 48 // password or one-time code wrong, missing, or tried too often
)

// OutcomeJustRefused is the Outcome.code of a wish that the customer has said no to a moment ago.
const OutcomeJustRefused = 4

// Codes with which a link is closed (transport.Link.Close). They are the interface, the reasons may improve.
const (
	CloseLeft    = 1 // the console left by its agent's will
	CloseEnded   = 2 // the session is over for all
	CloseRemoved = 3 // this agent was sent out
	CloseRefused = 4 // this console was not let in
	CloseSilent  = 5 // the other side was not heard for too long; a console may come back
	CloseBroken  = 6 // the other side broke the protocol
	CloseRestart = 7 // the host goes away for a while; a console may come back
	CloseNoPath  = 8 // the host takes direct paths only, and none was found
)

// ErrMalformed says that the other side sent something that this protocol does not allow.
var ErrMalformed = errors.New("malformed message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// RefusedError is a host that does not let a console in.
type RefusedError struct {
	Code uint32 // Refused...
	Text string // in words, sanitised
}

func (e *RefusedError) Error() string {
	if e.Text != "" {
		return "the host refused: " + e.Text
	}
	return fmt.Sprintf("the host refused (%d)", e.Code)
}
