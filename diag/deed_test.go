package diag

import (
	"errors"
	"strings"
	"testing"
)

func TestDeeds(t *testing.T) {
	for _, d := range []Deed{{Restart: "ssh.service"}, {Restart: "getty@tty1.service"}, {End: 4711}, {End: 4711, Hard: true}, {Reboot: true}} {
		if err := d.Check(); err != nil || !strings.Contains(d.String(), "this computer") {
			t.Errorf("%+v: %v, %q", d, err, d)
		}
	}
	for _, d := range []Deed{
		{},
		{Restart: "a", Reboot: true},
		{End: 5, Reboot: true},
		{Hard: true},
		{Reboot: true, Hard: true},
		{End: 1},
		{End: -5},
		{Restart: "-f"},
		{Restart: "a b"},
		{Restart: "../x"},
		{Restart: "a;b"},
		{Restart: "a\x1b"},
		{Restart: "a\n"},
		{Restart: strings.Repeat("a", 257)},
		{Restart: "a/b"},
	} {
		if err := d.Check(); !errors.Is(err, ErrDeed) {
			t.Errorf("%+v: %v", d, err)
		}
	}
}
