package codec

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// Gather puts separate messages of one viewport together, in whatever order and with whatever gaps they come. It belongs to
// one goroutine. It holds at most MaxAway canvases beside the newest, and one update.
type Gather struct {
	view   screen.Viewport
	kept   []canvas // that messages may start from, oldest first; the last is the newest picture
	update []byte
	zstd   *zstd.Decoder
}

// NewGather starts with v and nothing.
func NewGather(v screen.Viewport) (*Gather, error) {
	if err := v.Check(v.Region.Max); err != nil {
		return nil, fmt.Errorf("viewport: %w", err)
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(MaxMessage), zstd.WithDecoderMaxWindow(MaxMessage))
	if err != nil {
		return nil, fmt.Errorf("start decompression: %w", err)
	}
	return &Gather{view: v, zstd: z}, nil
}

// Decode takes one message. A picture that is older than one that is there is nil, which is no error.
func (g *Gather) Decode(msg []byte) (*screen.Picture, error) {
	h, err := g.head(msg)
	if err != nil {
		return nil, err
	}
	if n := len(g.kept); n > 0 && h.seq <= g.kept[n-1].seq {
		return nil, nil
	}
	pix := make([]screen.RGB565, g.view.Grid.X*g.view.Grid.Y)
	if err := g.start(pix, h.from); err != nil {
		return nil, err
	}
	if g.update, err = g.zstd.DecodeAll(h.rest, g.update[:0]); err != nil || len(g.update) != h.length {
		return nil, malformed("update of %d bytes: %d came, %v", h.length, len(g.update), err)
	}
	if err := set(pix, g.update); err != nil {
		return nil, err
	}
	if g.kept = append(g.kept, canvas{h.seq, pix}); len(g.kept) > MaxAway+1 {
		g.kept = g.kept[1:]
	}
	return &screen.Picture{Viewport: g.view, Pix: pix, Seq: h.seq, Captured: time.UnixMicro(h.taken)}, nil
}

// start copies the picture that a message starts from, and forgets those before it: no later message goes back behind it.
func (g *Gather) start(pix []screen.RGB565, from uint64) error {
	if from == 0 {
		return nil
	}
	for i, c := range g.kept {
		if c.seq == from {
			g.kept = g.kept[i:]
			copy(pix, c.pix)
			return nil
		}
	}
	return malformed("starts from picture %d, which is not there", from)
}

type separateHead struct {
	seq, from uint64
	taken     int64
	length    int
	rest      []byte
}

func (g *Gather) head(msg []byte) (h separateHead, err error) {
	if len(msg) > MaxMessage {
		return h, malformed("message of %d bytes", len(msg))
	}
	h.rest = msg
	ok := true
	next := func() uint64 {
		v, n := binary.Uvarint(h.rest)
		ok = ok && n > 0
		h.rest = h.rest[max(n, 0):]
		return v
	}
	h.seq = next()
	taken := next()
	h.taken = int64(taken>>1) ^ -int64(taken&1) // as binary.AppendVarint has it
	h.from = next()
	length := next()
	limit := updateLimit(g.view.Grid.X * g.view.Grid.Y)
	if !ok || length < 1 || length > uint64(limit) || h.seq == 0 || h.from >= h.seq {
		return h, malformed("picture %d from %d, update of %d bytes, the grid allows %d", h.seq, h.from, length, limit)
	}
	h.length = int(length)
	return h, nil
}
