package inner

import (
	"bufio"

	"assist/screen"
)

// The text stream carries text messages of package screen, each after its length (uvarint).

// Limits of one message in bytes: of what a console sends, and of what a host sends.
const (
	MaxTextUp   = 1 << 10
	MaxTextDown = screen.MaxTextBody + 64
)

// AppendText adds one message of the text stream.
func AppendText(b []byte, m screen.TextMessage) []byte { return AppendPicture(b, m.Append(nil)) }

// ReadText reads one message of at most limit bytes. io.EOF means that the stream ended between two messages.
func ReadText(r *bufio.Reader, limit int) (screen.TextMessage, error) {
	b, err := readBlock(r, limit, nil)
	if err != nil {
		return nil, err
	}
	return screen.ParseText(b)
}
