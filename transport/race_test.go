package transport

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestRaceTakesTheFirstAddressThatAnswers(t *testing.T) {
	silent, quick, slow := netip.MustParseAddrPort("[2001:db8::1]:1"), netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1")
	refusal := &ProblemError{Code: 3, Text: "too old"}
	there := &Outer{}
	dial := func(refused bool) func(context.Context, netip.AddrPort) (*Outer, error) {
		return func(ctx context.Context, at netip.AddrPort) (*Outer, error) {
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(map[netip.AddrPort]time.Duration{silent: 4 * time.Second, quick: 50 * time.Millisecond, slow: time.Second}[at]):
			}
			switch {
			case at == silent:
				return nil, &RelayUnreachableError{at.String(), ErrSilent}
			case refused:
				return nil, refusal
			}
			return there, nil
		}
	}
	for name, c := range map[string]struct {
		at      []netip.AddrPort
		refused bool
		err     error
		took    time.Duration
	}{
		"one":                        {[]netip.AddrPort{quick}, false, nil, 50 * time.Millisecond},
		"the first is silent":        {[]netip.AddrPort{silent, quick, slow}, false, nil, stagger + 50*time.Millisecond},
		"the last is the only one":   {[]netip.AddrPort{silent, silent, slow}, false, nil, 2*stagger + time.Second},
		"nobody":                     {[]netip.AddrPort{silent, silent}, false, ErrSilent, stagger + 4*time.Second},
		"a refusal is for all":       {[]netip.AddrPort{silent, quick, slow}, true, refusal, stagger + 50*time.Millisecond},
		"a refusal at the first one": {[]netip.AddrPort{quick, slow}, true, refusal, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				o, err := race(t.Context(), c.at, dial(c.refused))
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if !errors.Is(err, c.err) || (o == there) != (c.err == nil) {
					t.Errorf("got %v, %v", o, err)
				}
			})
		})
	}
}

func TestRaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		at := netip.MustParseAddrPort("192.0.2.1:1")
		_, err := race(ctx, []netip.AddrPort{at, at}, func(ctx context.Context, _ netip.AddrPort) (*Outer, error) {
			<-ctx.Done()
			return nil, &RelayUnreachableError{at.String(), context.Cause(ctx)}
		})
		if !unreachable(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
