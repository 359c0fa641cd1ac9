package host

import (
	"errors"
	"strings"
	"time"

	"assist/session"
	"assist/session/inner"
)

// Gate decides about agents on a machine where nobody has to answer. Judge is called by the session loop, for each connection,
// for each grant and every judgeEvery; it waits for nobody. Prove may take the time of a password hash.
type Gate interface {
	Judge(c session.Caller) (session.Terms, error)
	Prove(c session.Caller, what session.Proof, secret string) error
}

// ErrProofs says that no further proof of this agent is looked at for a while. A Gate's Prove wraps it.
var ErrProofs = errors.New("too many wrong tries at this machine, try again in ten minutes")

// Times and limits at the gate.
const (
	nobodyCame = 3 * time.Minute  // a session on a machine to which nobody comes ends
	judgeEvery = 15 * time.Second // who is in is judged anew: hours end, policies change
	proofTime  = 2 * time.Minute  // for all proofs of one console
	proofTries = 3
	maxSecret  = 1024 // bytes
)

// guard is what the loop knows of agents beside the rules. All of it belongs to the loop.
type guard struct {
	callers map[session.MemberID]session.Caller
	proving map[session.ConsoleID]*proving
}

// proving is a console that has something to prove before it is let in.
type proving struct {
	knock  session.Knock
	caller session.Caller
	left   session.Proof
	tries  int
}

func newGuard() guard {
	return guard{callers: map[session.MemberID]session.Caller{}, proving: map[session.ConsoleID]*proving{}}
}

// stopAtGate judges who comes. Who was let in before, and whose seat is held, has nothing to prove again.
func (l *loop) stopAtGate(c *console, k session.Knock, org string) {
	p := &proving{knock: k, caller: session.Caller{Agent: k.Agent, Handle: k.Handle, Name: k.Name, Org: org, Trust: k.Trust}, tries: proofTries}
	terms, err := l.h.cfg.Gate.Judge(p.caller)
	if err != nil {
		l.turnAway(c, p, inner.RefusedPolicy, err)
		return
	}
	if p.left = terms.Proof; p.left == 0 || l.sess.Knows(k.Agent, k.Device) {
		l.passGate(c, p)
		return
	}
	l.guard.proving[c.id] = p
	l.challenge(c, p)
	time.AfterFunc(proofTime, func() {
		l.post(func(l *loop) {
			if l.guard.proving[c.id] == p && l.consoles[c.id] == c {
				l.turnAway(c, p, inner.RefusedProof, errors.New("nothing was proven in time"))
			}
		})
	})
}

func (l *loop) turnAway(c *console, p *proving, code uint32, err error) {
	delete(l.guard.proving, c.id)
	l.h.log.Info("turned away", "agent", p.caller.Handle, "err", err)
	l.event("refused", session.Member{Name: p.caller.Name, Handle: p.caller.Handle, Org: p.knock.Org, Trust: p.caller.Trust}, Event{Why: err.Error()})
	l.sendAway(c.id, code, err.Error())
}

// passGate lets the rules decide on the terms that hold at this moment.
func (l *loop) passGate(c *console, p *proving) {
	delete(l.guard.proving, c.id)
	terms, err := l.h.cfg.Gate.Judge(p.caller)
	if err != nil {
		l.turnAway(c, p, inner.RefusedPolicy, err)
		return
	}
	p.knock.Policy = &terms
	l.admit(p.knock)
	if l.consoles[c.id] == c && c.member != session.Nobody {
		l.guard.callers[c.member] = p.caller
	}
}

func (l *loop) challenge(c *console, p *proving) {
	want := session.Password
	if !p.left.Has(want) {
		want = session.OneTimeCode
	}
	c.send(&inner.ToConsole{Kind: &inner.ToConsole_Challenge{Challenge: &inner.Challenge{Want: uint32(want), Tries: uint32(p.tries)}}})
}

// prove looks at a proof in the console's own goroutine: a password takes a while.
func (h *Host) prove(c *console, m *inner.Prove) {
	what, secret := session.Proof(m.GetWhat()), m.GetSecret()
	asked := make(chan session.Caller, 1)
	ok := h.loop.post(func(l *loop) {
		defer close(asked)
		if p := l.guard.proving[c.id]; p != nil && l.consoles[c.id] == c && p.left.Has(what) && (what == session.Password || what == session.OneTimeCode) {
			asked <- p.caller
		}
	})
	if !ok {
		return
	}
	var caller session.Caller
	select {
	case got, wanted := <-asked:
		if !wanted {
			return
		}
		caller = got
	case <-h.loop.done:
		return
	}
	err := errWrongProof
	if len(secret) <= maxSecret {
		err = h.cfg.Gate.Prove(caller, what, strings.TrimSpace(secret))
	}
	h.loop.post(func(l *loop) { l.proved(c, what, err) })
}

var errWrongProof = errors.New("that is not right")

// proved goes on with what is left, or counts a wrong try.
func (l *loop) proved(c *console, what session.Proof, err error) {
	p := l.guard.proving[c.id]
	if p == nil || l.consoles[c.id] != c {
		return
	}
	switch {
	case errors.Is(err, ErrProofs):
		l.turnAway(c, p, inner.RefusedProof, err)
		return
	case err != nil:
		if p.tries--; p.tries == 0 {
			l.turnAway(c, p, inner.RefusedProof, errors.New("the machine's "+what.String()+" was wrong"))
			return
		}
	default:
		if p.left &^= what; p.left == 0 {
			l.passGate(c, p)
			return
		}
	}
	l.challenge(c, p)
}

// judge holds a member to the policy of this moment. Whom it does not allow any more is sent out.
func (l *loop) judge(id session.MemberID) {
	caller, known := l.guard.callers[id]
	if l.h.cfg.Gate == nil || !known {
		return
	}
	terms, err := l.h.cfg.Gate.Judge(caller)
	if err == nil {
		_ = l.apply(session.Judge{Member: id, Terms: terms}) // gone meanwhile: nothing to hold
		return
	}
	_ = l.apply(session.Remove{By: session.CustomerID, Member: id, Why: err.Error()}) // the same
	delete(l.guard.callers, id)
}

func (l *loop) judgeAll() {
	for id := range l.guard.callers {
		l.judge(id)
	}
}
