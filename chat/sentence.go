package chat

import "strings"

// deeds tell the kinds of entries in words: {who} did it, {whom} it is about, {more} is what the host adds. The first that
// has all it needs is taken. Said has none: it is the text itself.
var deeds = map[Kind][]string{
	Joined:       {"{who} joined: {more}", "{who} joined"},
	Left:         {"{who} left: {more}", "{who} left"},
	Dropped:      {"{who} lost contact"},
	Removed:      {"{who} sent {whom} out: {more}", "{who} sent {whom} out", "{who} was sent out"},
	Granted:      {"{who} allowed {whom} {more}", "{who} may {more} now"},
	Revoked:      {"{who} took {more} back from {whom}", "{who} may no longer {more}"},
	BecameLead:   {"{who} is the lead now"},
	HandedOver:   {"{who} handed the lead over to {whom}", "{who} is the lead now"},
	Declined:     {"{who} did not take the lead from {whom}", "{who} did not take the lead"},
	ControlTaken: {"{who} gave control to {whom}", "{who} took control"},
	ModeChanged:  {"{who} changed how control is shared: {more}", "{who} changed how control is shared"},
	Pulled:       {"{who} looked at the machine's health: {more}", "{who} looked at the machine's health"},
	Note:         {"{who} {more}", "{more}"},
	Ended:        {"{who} ended the session: {more}", "{who} ended the session", "the session is over: {more}", "the session is over"},
}

// back is what the host adds to Joined when a member had only lost contact.
const back = "is back"

// Sentence tells an entry that is not Said. names knows the members by their ids.
func Sentence(e Entry, names func(id uint32) string) string {
	who, whom, more := Line(e.Name), "", Line(e.Text)
	if e.About != 0 && e.About != e.From {
		whom = Line(names(e.About))
	}
	if e.Kind == Joined && more == back {
		return who + " " + back
	}
	for _, s := range deeds[e.Kind] {
		if fits(s, "{who}", who) && fits(s, "{whom}", whom) && fits(s, "{more}", more) {
			return strings.NewReplacer("{who}", who, "{whom}", whom, "{more}", more).Replace(s)
		}
	}
	return strings.TrimSpace(who + " " + more)
}

// fits says whether a sentence that has the place can fill it.
func fits(sentence, place, value string) bool {
	return value != "" || !strings.Contains(sentence, place)
}

// Passing says whether an entry is worth a passing notice: who comes, who goes, and what changes for those who stay.
func Passing(k Kind) bool {
	switch k {
	case Joined, Left, Dropped, Removed, BecameLead, HandedOver, Declined, Revoked, ControlTaken, Note:
		return true
	}
	return false
}
