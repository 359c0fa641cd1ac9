package broker

import (
	"context"
	"errors"
	"sync"
	"testing"

	"assist/transport/wire"
)

func TestHasher(t *testing.T) {
	h, err := newHasher()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		password, hash string
		want           bool
	}{{password, hash, true}, {password + "x", hash, false}, {"", hash, false}, {password, "", false}, {"nobody has this password", "", false}} {
		if got, err := h.check(context.Background(), c.password, c.hash); got != c.want || err != nil {
			t.Errorf("%q: %v %v", c.password, got, err)
		}
	}
	if _, err := hashPassword(""); !errors.Is(err, ErrPassword) {
		t.Errorf("an empty password: %v", err)
	}
}

// The memory that hashing takes has a bound: who comes when the queue is full is sent away at once.
func TestHasherIsBounded(t *testing.T) {
	h, err := newHasher()
	if err != nil {
		t.Fatal(err)
	}
	h.running <- struct{}{} // nobody gets to hash
	h.running <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range hashesAtOnce + hashesQueued {
		h.waiting <- struct{}{}
	}
	_, err = h.check(ctx, "x", "")
	var r *refusal
	if !errors.As(err, &r) || r.code != wire.CodeFull || r.after == 0 {
		t.Errorf("over the bound: %v", err)
	}
	<-h.waiting
	wg.Go(func() {
		if _, err := h.check(ctx, "x", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("one that waits: %v", err)
		}
	})
	cancel()
	wg.Wait()
}
