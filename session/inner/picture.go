package inner

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"assist/screen"
)

// A picture stream is its head, then pictures: each a length (uvarint) and the message that the codec made. It ends when its
// viewport is replaced; one of separate pictures (codec.Separate) after its only picture.
//
// The head is the number of the viewport (uvarint), what its grid is divided by (a byte), and 1 for separate, else 0 (a byte).

// PictureHead is how a picture stream begins.
type PictureHead struct {
	Viewport uint32
	Shrink   uint8 // 1 to screen.MaxShrink
	Separate bool
}

// AppendPictureHead begins a picture stream.
func AppendPictureHead(b []byte, h PictureHead) []byte {
	b = append(binary.AppendUvarint(b, uint64(h.Viewport)), max(1, h.Shrink))
	if h.Separate {
		return append(b, 1)
	}
	return append(b, 0)
}

// ReadPictureHead reads the head of a picture stream.
func ReadPictureHead(r *bufio.Reader) (PictureHead, error) {
	v, err := readUvarint(r)
	if err != nil {
		return PictureHead{}, err
	}
	var rest [2]byte
	if _, err := io.ReadFull(r, rest[:]); err != nil {
		return PictureHead{}, unexpected(err)
	}
	if v > math.MaxUint32 || rest[0] < 1 || rest[0] > screen.MaxShrink || rest[1] > 1 {
		return PictureHead{}, malformed("viewport %d, grid divided by %d, separate %d", v, rest[0], rest[1])
	}
	return PictureHead{Viewport: uint32(v), Shrink: rest[0], Separate: rest[1] == 1}, nil
}

// AppendPicture adds the message of one picture, at most MaxPicture bytes.
func AppendPicture(b, msg []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(msg)))
	return append(b, msg...)
}

// ReadPicture reads the message of one picture into buf, which it returns grown where needed. The limit, at most
// MaxPicture, is checked before memory is asked for. io.EOF means that the stream ended between two pictures.
func ReadPicture(r *bufio.Reader, limit int, buf []byte) ([]byte, error) {
	return readBlock(r, min(limit, MaxPicture), buf)
}

// step is how much memory a length from the network may ask for at once (threats A18).
const step = 64 << 10

// readBlock reads a length (uvarint, at most limit) and as many bytes, into buf's memory where that is enough.
func readBlock(r *bufio.Reader, limit int, buf []byte) ([]byte, error) {
	n, err := readUvarint(r)
	if err != nil {
		return nil, err
	}
	if n > uint64(limit) {
		return nil, malformed("%d bytes announced, %d allowed", n, limit)
	}
	buf = buf[:0]
	for len(buf) < int(n) {
		want := min(int(n)-len(buf), max(step, cap(buf)-len(buf)))
		at := len(buf)
		buf = append(buf, make([]byte, want)...)
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return buf, nil
}

// readUvarint is binary.ReadUvarint with the errors of a stream: io.EOF only before the first byte.
func readUvarint(r *bufio.Reader) (uint64, error) {
	if _, err := r.Peek(1); err != nil {
		return 0, err
	}
	v, err := binary.ReadUvarint(r)
	return v, unexpected(err)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
