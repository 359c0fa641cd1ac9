package host

import (
	"errors"
	"sync"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/inner"
)

// keepEvery is how often a changed session is kept at most.
const keepEvery = time.Second

// Saved is what of a session outlives this process.
type Saved struct {
	Session [16]byte
	Started time.Time
	Kept    time.Time
	State   session.Saved
	Log     []chat.Entry // what was for everyone; the agents' own lane stays with the agents
	Newest  chat.Seq
	Over    bool // it has ended: there is nothing to come back to
}

// ErrSuspended is why Run ends after Suspend.
var ErrSuspended = errors.New("the host goes away for a while; the session goes on when it is back")

// suspension is the wish to go away for a while.
type suspension struct {
	once  sync.Once
	why   string        // set before asked is closed
	asked chan struct{} // closed by Suspend
}

// Suspend lets the session wait for the next process of this machine: consoles hear why, in words, what has to be kept is
// handed to Keep, and Run ends. Nothing is played or sent meanwhile.
func (h *Host) Suspend(why string) {
	h.pause.once.Do(func() {
		h.pause.why = why
		close(h.pause.asked)
	})
}

func (h *Host) suspended() bool {
	select {
	case <-h.pause.asked:
		return true
	default:
		return false
	}
}

// suspend is the end of the loop when the session goes on elsewhere in time.
func (l *loop) suspend() error {
	l.note(chat.Everyone, session.Member{}, l.h.pause.why)
	for _, c := range l.consoles {
		c.send(&inner.ToConsole{Kind: &inner.ToConsole_Restarting{Restarting: &inner.Restarting{Why: l.h.pause.why}}})
		c.bye(inner.CloseRestart, l.h.pause.why)
	}
	l.keep(true)
	late := time.After(farewell + closeGrace)
	for _, c := range l.consoles {
		select {
		case <-c.link.Done():
		case <-l.h.stop:
			return ErrSuspended
		case <-late:
			return ErrSuspended
		}
	}
	return ErrSuspended
}

// saver is when the session was kept, and how it was then.
type saver struct {
	at   time.Time
	what [2]uint64        // version of the roster, newest entry
	due  <-chan time.Time // set while a change waits
}

// keep hands on what outlives this process, when it has changed and not too often; now: at once.
func (l *loop) keep(now bool) {
	what := [2]uint64{l.sess.Roster().Version, uint64(l.log.Newest())}
	if l.h.cfg.Keep == nil || !now && what == l.saver.what {
		return
	}
	if wait := keepEvery - time.Since(l.saver.at); wait > 0 && !now {
		if l.saver.due == nil {
			l.saver.due = time.After(wait)
		}
		return
	}
	l.saver = saver{at: time.Now(), what: what}
	over, _ := l.sess.Ended()
	l.h.cfg.Keep(Saved{
		Session: l.at.session, Started: l.started, Kept: time.Now(), State: l.sess.Save(), Log: l.log.After(0, true), Newest: l.log.Newest(), Over: over,
	})
}

// resume takes the session up where an earlier process left it.
func (l *loop) resume(now time.Time, opt session.Options) {
	from := l.h.cfg.Resume
	if from == nil || from.Session != l.at.session || from.Over {
		return
	}
	l.sess, l.started = session.Restore(now, opt, from.State), from.Started
	l.log.Load(from.Log, from.Newest)
	l.note(chat.Everyone, session.Member{}, "the machine is back")
}
