package chatbox

import (
	"assist/chat"
	"assist/tui/cell"
)

// deeds are what the kinds of entries are in words, after the name of who did it. Said has none: it is the text.
var deeds = map[chat.Kind]string{
	chat.Joined: "joined", chat.Left: "left", chat.Dropped: "lost contact", chat.Removed: "was removed",
	chat.Granted: "was allowed", chat.Revoked: "may no longer", chat.BecameLead: "is the lead now", chat.HandedOver: "handed over the lead",
	chat.ControlTaken: "took control", chat.ModeChanged: "changed how control is shared", chat.Pulled: "looked at the machine's health",
	chat.Note: "", chat.Ended: "ended the session", chat.Declined: "did not take the lead",
}

// Sentence tells an entry that is not Said: who, what, and what the host adds.
func Sentence(e chat.Entry) string {
	s := cell.Clean(e.Name)
	for _, more := range []string{deeds[e.Kind], cell.Clean(e.Text)} {
		switch {
		case more == "":
		case s == "":
			s = more
		default:
			s += " " + more
		}
	}
	return s
}

// Passing says whether an entry is worth a passing notice: who comes, who goes, and what changes for those who stay.
func Passing(k chat.Kind) bool {
	switch k {
	case chat.Joined, chat.Left, chat.Dropped, chat.Removed, chat.BecameLead, chat.HandedOver, chat.Revoked, chat.Note:
		return true
	}
	return false
}
