// Package codec turns what changed on a display into messages for viewers of one viewport, and messages into pictures.
//
// An Encoder marks the grid pixels that damage touches, averages only those, compares them with what was sent before, and
// packs the spans that differ into one zstd stream. A Decoder puts them on its canvas and hands out copies. The messages of
// one Encoder, from its first on and in order, are for one Decoder each of any number of viewers; whoever comes later needs
// an Encoder of its own.
//
// On a line that loses packets history is a burden: Separate and Gather make and take messages each of which starts from a
// picture that the viewer has confirmed, so that any others may be lost, at about twice the bytes.
//
// Nothing here waits: when a viewer is slow its owner does not call Encode and only marks damage, which costs no memory,
// and the next message goes from what that viewer has to the newest frame. Encoder and Decoder belong to one goroutine
// each, start none, and never look at a frame after a call.
package codec

// A message is
//
//	uvarint  number of the frame
//	varint   when it was captured, in microseconds since 1970
//	uvarint  length of the update, in bytes
//	...      the update: the next blocks of a zstd stream (RFC 8878), flushed
//
// and an update is
//
//	uvarint  length of the spans
//	...      spans: uvarint pixels to skip, uvarint pixels to set, over and over, in reading order
//	...      the pixels to set, RGB565, low byte first (planes of bytes take a third more)
//
// A stream starts from a black grid.

const (
	// MaxMessage is the longest message, in bytes (threats A18). What does not fit is left for the next one.
	MaxMessage = 4 << 20
	// window is how far back the compression looks, in bytes, and what a decoder lends for it.
	window = 1 << 20
	// maxUpdate is the longest update that an encoder makes. It leaves room for the head of the message and for blocks that
	// zstd cannot make smaller, which cost it 3 bytes in 128 KiB, and a row of spans past the mark.
	maxUpdate = MaxMessage - 64<<10
)

// updateLimit is the longest update of a grid of n pixels. Each span sets a pixel and all but the first skip one, so there
// are at most n/2+1 of them; a number below 128 takes one byte, and the bytes that larger ones take beyond the first are
// fewer than the pixels they count divided by 64. Each pixel is set at most once, by two bytes.
func updateLimit(n int) int { return min(2*n+(n+2)+n/64+16, MaxMessage) }
