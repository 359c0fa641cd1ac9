package work

import (
	"context"
	"fmt"
	"io"

	"assist/diag"
	"assist/session/inner"
	"assist/transport/wire"
)

// Do has one thing done about a finding, and waits until it is. A no of the host is *inner.RunRefusedError; a stream that ends
// before is ErrLost.
func Do(ctx context.Context, s io.ReadWriteCloser, d diag.Deed) error {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	err := wire.WriteMsg(s, &inner.ToRun{Kind: &inner.ToRun_Begin{Begin: inner.NewDeed(d)}})
	for err == nil {
		var m *inner.FromRun
		if m, err = inner.ReadFromRun(s); err != nil {
			break
		}
		switch k := m.Kind.(type) {
		case *inner.FromRun_Refused:
			return inner.ParseRunRefused(k.Refused)
		case *inner.FromRun_Over:
			return nil
		default:
			return fmt.Errorf("%w: an answer that fits no deed", inner.ErrMalformed)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return lost(err)
}
