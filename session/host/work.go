package host

import (
	"context"

	"assist/transport"
	"assist/transport/wire"
)

// worker serves one stream of a console that works: it ends with the stream, and with what it needs of the customer.
type worker func(ctx context.Context, c *console, s transport.Stream) error

// work is what serves a kind of stream; nil: no work comes by it.
func (h *Host) work(kind wireKind) worker {
	switch kind {
	case wire.StreamRun:
		return h.serveRun
	case wire.StreamReport:
		return h.serveReport
	case wire.StreamFile:
		return h.serveFile
	}
	return nil
}
