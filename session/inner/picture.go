package inner

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// A picture stream is the number of its viewport (uvarint), then pictures: each a length (uvarint) and the message that the
// codec made. The stream ends when its viewport is replaced.

// AppendPictureHead begins a picture stream.
func AppendPictureHead(b []byte, viewport uint32) []byte {
	return binary.AppendUvarint(b, uint64(viewport))
}

// ReadPictureHead reads the number of the viewport that a picture stream belongs to.
func ReadPictureHead(r *bufio.Reader) (uint32, error) {
	v, err := readUvarint(r)
	if err != nil {
		return 0, err
	}
	if v > math.MaxUint32 {
		return 0, malformed("viewport %d", v)
	}
	return uint32(v), nil
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
