package screen

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// TextMessage is one message of the text stream. TextLook, TextShown, TextAsk and TextFind go to the host; TextAbout,
// TextUpdate, TextPage and TextFound to the console. The first byte says which; whoever reads refuses what goes the other way.
type TextMessage interface {
	Append(b []byte) []byte
}

// The first byte of a message. Retired numbers stay reserved.
const (
	kindTextLook   = 1
	kindTextShown  = 2
	kindTextAsk    = 3
	kindTextFind   = 4
	kindTextAbout  = 5
	kindTextUpdate = 6
	kindTextPage   = 7
	kindTextFound  = 8
)

// Limits of the messages.
const (
	MaxTextBody  = 4 << 20 // bytes of an update or page, compressed
	MaxTextLines = 500     // that one TextAsk may ask for
	MaxTextWords = 256     // bytes that are searched for
	maxCount     = math.MaxInt64
)

// TextLook says that a console looks at the text, and how much of it fits there; or that it looks no more.
type TextLook struct {
	On   bool
	Wide uint16 // columns, at most MaxColumns
	High uint16 // rows, at most MaxRows
}

// TextShown says that a console has so many updates since the last that began anew, so that the host may send more. Each word
// of it costs a packet each way, so it is said when updates of TextOwed weigh on it, and not for each.
type TextShown struct{ Updates uint64 }

// How updates that are on their way weigh: two large ones or four small ones may be.
const (
	TextFlight = 4 // weight that stops the host
	TextOwed   = 3 // weight at which the console says TextShown
)

// Weight of an update. A large one is answered at once: else QUIC's own word that it arrived comes so late (25 ms) that on a
// short way it is often sent twice.
func (m TextUpdate) Weight() int {
	const large = 250 // bytes
	if len(m.Body) > large {
		return TextOwed
	}
	return 1
}

// TextAsk asks for lines of scrollback, counted like TextGrid.Top.
type TextAsk struct {
	ID    uint32
	From  uint64
	Count uint16
}

// TextFind searches the scrollback for a line with Words in it, without regard to case, from a line on: upwards, or downwards.
type TextFind struct {
	ID    uint32
	From  uint64
	Down  bool
	Words string
}

// TextAbout says what is shared. It comes first, and again when it changes.
type TextAbout struct {
	Name  string // such as "bash" or "tmux work"; printable ASCII, at most MaxName bytes
	Fixed bool   // the size does not follow the consoles
	Ended bool   // the program is gone
}

// TextUpdate brings the grid up to date; package textcodec knows how.
type TextUpdate struct {
	Begins bool // the first of a new series
	Body   []byte
}

// TextPage answers TextAsk: Count lines from From on, in Body as package textcodec writes rows.
type TextPage struct {
	ID    uint32
	From  uint64
	Count uint16
	Body  []byte
}

// TextFound answers TextFind.
type TextFound struct {
	ID   uint32
	OK   bool
	Line uint64
}

// Append adds m; sizes beyond the limits are cut.
func (m TextLook) Append(b []byte) []byte {
	b = append(b, kindTextLook, flag(m.On))
	b = binary.AppendUvarint(b, uint64(min(m.Wide, MaxColumns)))
	return binary.AppendUvarint(b, uint64(min(m.High, MaxRows)))
}

// Append adds m.
func (m TextShown) Append(b []byte) []byte {
	return binary.AppendUvarint(append(b, kindTextShown), m.Updates)
}

// Append adds m.
func (m TextAsk) Append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, kindTextAsk), uint64(m.ID))
	b = binary.AppendUvarint(b, m.From)
	return binary.AppendUvarint(b, uint64(min(m.Count, MaxTextLines)))
}

// Append adds m; words are cut to MaxTextWords.
func (m TextFind) Append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, kindTextFind), uint64(m.ID))
	b = append(binary.AppendUvarint(b, m.From), flag(m.Down))
	words := validText(m.Words)
	for len(words) > MaxTextWords {
		_, n := utf8.DecodeLastRuneInString(words)
		words = words[:len(words)-n]
	}
	return append(binary.AppendUvarint(b, uint64(len(words))), words...)
}

// Append adds m.
func (m TextAbout) Append(b []byte) []byte {
	return append(appendName(append(b, kindTextAbout), m.Name), flag(m.Fixed), flag(m.Ended))
}

// Append adds m.
func (m TextUpdate) Append(b []byte) []byte {
	return append(append(b, kindTextUpdate, flag(m.Begins)), m.Body...)
}

// Append adds m.
func (m TextPage) Append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, kindTextPage), uint64(m.ID))
	b = binary.AppendUvarint(b, m.From)
	return append(binary.AppendUvarint(b, uint64(min(m.Count, MaxTextLines))), m.Body...)
}

// Append adds m.
func (m TextFound) Append(b []byte) []byte {
	b = append(binary.AppendUvarint(append(b, kindTextFound), uint64(m.ID)), flag(m.OK))
	return binary.AppendUvarint(b, m.Line)
}

// ParseText reads one whole message, or says ErrMalformed. Bodies are parts of b.
func ParseText(b []byte) (TextMessage, error) {
	r := reader{b: b}
	var m TextMessage
	switch kind := r.byte(); kind {
	case kindTextLook:
		m = TextLook{On: r.flag(), Wide: uint16(r.uint(MaxColumns)), High: uint16(r.uint(MaxRows))}
	case kindTextShown:
		m = TextShown{Updates: r.uint(math.MaxUint64)}
	case kindTextAsk:
		m = TextAsk{ID: r.id(), From: r.uint(maxCount), Count: uint16(r.uint(MaxTextLines))}
	case kindTextFind:
		m = TextFind{ID: r.id(), From: r.uint(maxCount), Down: r.flag(), Words: r.words()}
	case kindTextAbout:
		m = TextAbout{Name: r.name(), Fixed: r.flag(), Ended: r.flag()}
	case kindTextUpdate:
		m = TextUpdate{Begins: r.flag(), Body: r.rest()}
	case kindTextPage:
		m = TextPage{ID: r.id(), From: r.uint(maxCount), Count: uint16(r.uint(MaxTextLines)), Body: r.rest()}
	case kindTextFound:
		m = TextFound{ID: r.id(), OK: r.flag(), Line: r.uint(maxCount)}
	default:
		r.fail("kind %d", kind)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return m, nil
}

func (r *reader) id() uint32 { return uint32(r.uint(math.MaxUint32)) }

func (r *reader) words() string {
	s := r.bytes(MaxTextWords)
	if !utf8.Valid(s) {
		r.fail("words that are not UTF-8")
		return ""
	}
	return string(s)
}

// rest is everything that is left.
func (r *reader) rest() []byte {
	if len(r.b) > MaxTextBody {
		r.fail("%d bytes where at most %d are allowed", len(r.b), MaxTextBody)
		return nil
	}
	v := r.b
	r.b = nil
	return v
}
