package broker

import (
	"net/netip"
	"sync"
	"time"
)

// pace limits how often something that is not a guess may be done.
type pace struct {
	mu  sync.Mutex
	all *expiring[string, bucket]
}

func newPace(aMinute int) *pace {
	return &pace{all: newExpiring[string](perMinute(aMinute), (*bucket).idle)}
}

// take says 0 and counts, or how long to wait.
func (p *pace) take(who string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.all.get(who, now)
	wait := b.wait(now, false)
	if wait == 0 {
		b.rate.AllowN(now, 1)
	}
	return wait
}

func nearNetwork(a netip.AddrPort) string {
	near, _ := networks(a.Addr())
	return near.String()
}
