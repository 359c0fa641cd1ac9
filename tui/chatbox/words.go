package chatbox

import (
	"assist/chat"
	"assist/tui/cell"
)

// Sentence tells an entry that is not Said, as it may stand on a terminal.
func Sentence(e chat.Entry, names func(id uint32) string) string {
	return cell.Clean(chat.Sentence(e, names))
}
