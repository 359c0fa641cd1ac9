package inner

import (
	"bufio"

	"assist/screen"
)

// maxScreen is the longest message of the screen stream, a Display with all its monitors, in bytes.
const maxScreen = 4 << 10

// The screen stream carries messages of package screen, each after its length (uvarint).

// AppendScreen adds one message of the screen stream.
func AppendScreen(b []byte, m screen.Message) []byte { return AppendPicture(b, m.Append(nil)) }

// ReadScreen reads one message of the screen stream: Viewport or Shown on the host, Display, Pointer or Hands on the console;
// whoever reads refuses what goes the other way. io.EOF means that the stream ended between two messages.
func ReadScreen(r *bufio.Reader) (screen.Message, error) {
	b, err := readBlock(r, maxScreen, nil)
	if err != nil {
		return nil, err
	}
	return screen.ParseMessage(b)
}
