package transport

import (
	"errors"
	"fmt"
	"testing"

	"assist/transport/wire"
)

func TestRelaysFollow(t *testing.T) {
	moved := func(to string) error {
		return fmt.Errorf("register: %w", &ProblemError{Code: wire.CodeMoved, Moved: Relay{Addr: to}})
	}
	r := NewRelays(Relay{Addr: "a:1"})
	asked := 0
	err := r.Follow(func() error {
		if asked++; asked == 1 {
			return moved("b:1")
		}
		return nil
	})
	if all := r.All(); err != nil || asked != 2 || all[0].Addr != "b:1" || len(all) != 2 {
		t.Errorf("asked %d times, %v, %v", asked, err, all)
	}
	asked = 0
	err = r.Follow(func() error {
		asked++
		return moved(fmt.Sprintf("c%d:1", asked))
	})
	if !r.Moved(err) || asked != maxMoves {
		t.Errorf("relays that send round in a circle: asked %d times, %v", asked, err)
	}
	other := errors.New("other")
	asked = 0
	if err = r.Follow(func() error { asked++; return other }); !errors.Is(err, other) || asked != 1 {
		t.Errorf("another error: asked %d times, %v", asked, err)
	}
}
