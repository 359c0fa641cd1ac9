package chatbox

import (
	"strings"

	"assist/chat"
	"assist/tui/cell"
)

// deeds tell the kinds of entries in words: {who} did it, {whom} it is about, {more} is what the host adds. The first that
// has all it needs is taken. Said has none: it is the text itself.
var deeds = map[chat.Kind][]string{
	chat.Joined:       {"{who} joined: {more}", "{who} joined"},
	chat.Left:         {"{who} left: {more}", "{who} left"},
	chat.Dropped:      {"{who} lost contact"},
	chat.Removed:      {"{who} sent {whom} out: {more}", "{who} sent {whom} out", "{who} was sent out"},
	chat.Granted:      {"{who} allowed {whom} {more}", "{who} may {more} now"},
	chat.Revoked:      {"{who} took {more} back from {whom}", "{who} may no longer {more}"},
	chat.BecameLead:   {"{who} is the lead now"},
	chat.HandedOver:   {"{who} handed the lead over to {whom}", "{who} is the lead now"},
	chat.Declined:     {"{who} did not take the lead from {whom}", "{who} did not take the lead"},
	chat.ControlTaken: {"{who} gave control to {whom}", "{who} took control"},
	chat.ModeChanged:  {"{who} changed how control is shared: {more}", "{who} changed how control is shared"},
	chat.Pulled:       {"{who} looked at the machine's health: {more}", "{who} looked at the machine's health"},
	chat.Note:         {"{who} {more}", "{more}"},
	chat.Ended:        {"{who} ended the session: {more}", "{who} ended the session", "the session is over: {more}", "the session is over"},
}

// back is what the host adds to Joined when a member had only lost contact.
const back = "is back"

// Sentence tells an entry that is not Said. names knows the members by their ids.
func Sentence(e chat.Entry, names func(id uint32) string) string {
	who, whom, more := cell.Clean(e.Name), "", cell.Clean(e.Text)
	if e.About != 0 && e.About != e.From {
		whom = cell.Clean(names(e.About))
	}
	if e.Kind == chat.Joined && more == back {
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
func Passing(k chat.Kind) bool {
	switch k {
	case chat.Joined, chat.Left, chat.Dropped, chat.Removed, chat.BecameLead, chat.HandedOver, chat.Declined, chat.Revoked, chat.Note:
		return true
	}
	return false
}
