package agent

import (
	"sort"

	"assist/chat"
)

// replica is the log as far as this console has it, in the host's order. Like the host it keeps the newest
// chat.KeepEntries; entries are never changed, so slices of them may be handed out.
type replica struct{ entries []chat.Entry }

func (r *replica) newest() chat.Seq {
	if len(r.entries) == 0 {
		return 0
	}
	return r.entries[len(r.entries)-1].Seq
}

// add appends e; one that is known already is passed over.
func (r *replica) add(e chat.Entry) {
	if e.Seq <= r.newest() {
		return
	}
	r.entries = append(r.entries, e)
	if n := len(r.entries) - chat.KeepEntries; n > 0 {
		r.entries = r.entries[n:]
	}
}

func (r *replica) after(seq chat.Seq) []chat.Entry {
	i := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].Seq > seq })
	return r.entries[i:len(r.entries):len(r.entries)]
}
