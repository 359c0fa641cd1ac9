package inner

import (
	"encoding/binary"
	"math"

	"assist/screen"
	"assist/transport/wire"
)

// MaxInputs is the longest payload of a wire.DatagramInput in bytes, MaxTyped the longest text of one event in it.
const (
	MaxInputs = wire.MaxDatagram - 1
	MaxTyped  = 768
)

// An input datagram is the number of the oldest event that the console still sends (uvarint), then events in order, each
// after its length (uvarint), with no number left out. What is older needs not be waited for: it has arrived, or belonged to
// a link that is gone.

// AppendInputs begins or continues a datagram with as many of evs as fit MaxInputs bytes, and says how many.
func AppendInputs(b []byte, oldest uint64, evs []screen.Input) ([]byte, int) {
	b = binary.AppendUvarint(b, oldest)
	for i, ev := range evs {
		one := ev.Append(nil)
		more := append(binary.AppendUvarint(b, uint64(len(one))), one...)
		if len(more) > MaxInputs {
			return b, i
		}
		b = more
	}
	return b, len(evs)
}

// ParseInputs reads what AppendInputs makes.
func ParseInputs(b []byte) (oldest uint64, evs []screen.Input, err error) {
	oldest, n := binary.Uvarint(b)
	if n <= 0 || len(b) > MaxInputs {
		return 0, nil, malformed("input datagram of %d bytes", len(b))
	}
	for b = b[n:]; len(b) > 0; {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return 0, nil, malformed("%d bytes of input announced, %d there", size, len(b)-max(n, 0))
		}
		ev, err := screen.ParseInput(b[n : n+int(size)])
		if err != nil {
			return 0, nil, err
		}
		if last := len(evs) - 1; ev.Seq < oldest || ev.Seq == math.MaxUint64 || (last >= 0 && ev.Seq != evs[last].Seq+1) {
			return 0, nil, malformed("input %d out of order", ev.Seq)
		}
		evs, b = append(evs, ev), b[n+int(size):]
	}
	return oldest, evs, nil
}
