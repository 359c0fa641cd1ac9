package chat

import "time"

// Bounds of the log that a host keeps. The oldest entries go first; Log.First says where the memory begins.
const (
	KeepEntries = 4000
	KeepBytes   = 768 << 10 // fits a Welcome (wire.LimitWelcome) with its framing
	keepNonces  = 1024
	perEntry    = 64 // bytes that an entry weighs beside its texts
)

// Nonce names one message of one member, so that a resend after a broken link is not said twice. Zero: none.
type Nonce [16]byte

// said is the key of a nonce: members cannot touch each other's.
type said struct {
	from  uint32
	nonce Nonce
}

// Log is the ordered log of a session. The host's session loop is its only writer; readers get copies.
type Log struct {
	entries []Entry
	bytes   int
	newest  Seq
	nonces  map[said]Seq
	order   []said // of nonces, oldest first
}

// Append adds e, cleaned, as the newest entry and returns it with its number.
func (l *Log) Append(e Entry) Entry {
	l.newest++
	e.Seq = l.newest
	e.Time = e.Time.Round(0).UTC().Truncate(time.Millisecond) // what travels, so that all logs are equal
	e.Name, e.Text = Name(e.Name), Body(e.Text)
	l.entries = append(l.entries, e)
	l.bytes += e.weight()
	l.forget()
	return e
}

// Say adds e unless the same member said it before under the same nonce; then it returns the number it got at that time.
func (l *Log) Say(e Entry, n Nonce) (got Entry, fresh bool) {
	key := said{from: e.From, nonce: n}
	if seq, known := l.nonces[key]; known && n != (Nonce{}) {
		e.Seq = seq
		return e, false
	}
	e.Kind = Said
	e = l.Append(e)
	if n != (Nonce{}) {
		l.remember(key, e.Seq)
	}
	return e, true
}

func (l *Log) remember(key said, seq Seq) {
	if l.nonces == nil {
		l.nonces = make(map[said]Seq)
	}
	if len(l.order) >= keepNonces {
		delete(l.nonces, l.order[0])
		l.order = append(l.order[:0], l.order[1:]...)
	}
	l.nonces[key] = seq
	l.order = append(l.order, key)
}

func (l *Log) forget() {
	drop := 0
	for len(l.entries)-drop > 1 && (len(l.entries)-drop > KeepEntries || l.bytes > KeepBytes) {
		l.bytes -= l.entries[drop].weight()
		drop++
	}
	clear(l.entries[:drop])
	l.entries = l.entries[drop:]
}

// Load puts entries of an earlier log, in their order, into an empty one, whose newest number was newest. What is not in order
// is left out.
func (l *Log) Load(entries []Entry, newest Seq) {
	for _, e := range entries {
		if e.Seq <= l.newest || e.Seq > newest {
			continue
		}
		e.Name, e.Text = Name(e.Name), Body(e.Text)
		l.newest = e.Seq
		l.entries = append(l.entries, e)
		l.bytes += e.weight()
	}
	l.newest = newest
	l.forget()
}

// Newest is the number of the newest entry, 0 while there is none.
func (l *Log) Newest() Seq { return l.newest }

// First is the number of the oldest entry that is still kept, 0 while there is none.
func (l *Log) First() Seq {
	if len(l.entries) == 0 {
		return 0
	}
	return l.entries[0].Seq
}

// After returns the entries after seq that the customer, or an agent, may see, oldest first.
func (l *Log) After(seq Seq, customer bool) []Entry {
	var out []Entry
	for _, e := range l.entries {
		if e.Seq > seq && e.VisibleTo(customer) {
			out = append(out, e)
		}
	}
	return out
}

// VisibleTo says whether the customer, or an agent, may see e.
func (e Entry) VisibleTo(customer bool) bool {
	return e.Lane == Everyone || e.Lane == AgentsOnly && !customer
}

func (e Entry) weight() int { return perEntry + len(e.Name) + len(e.Text) }
