package tui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
)

func TestStillPictureIsASixelUntilTheNextKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startPlayed(t, true)
		d.p.Send(pressed("P"))
		time.Sleep(time.Second)
		if !strings.Contains(d.screen.Text(), "does not say that it shows Sixels") {
			t.Error("a terminal without Sixels is not told apart")
		}
		d.p.Send(uv.PrimaryDeviceAttributesEvent{62, 4})
		d.p.Send(uv.CellSizeEvent{Width: 7, Height: 14})
		var wrote []byte
		d.file.tap = func(b []byte) { wrote = append(wrote, b...) }
		d.p.Send(pressed("P"))
		time.Sleep(time.Second)
		hole := d.m.opt.painter.Hole()
		if !strings.Contains(string(wrote), "\x1bP0;1q\"1;1;") || hole.Empty() {
			t.Fatalf("%d bytes without a Sixel, hole %v", len(wrote), hole)
		}
		wrote = nil
		d.s.change(func() { d.s.repaint(7) })
		time.Sleep(time.Second)
		if strings.Contains(string(wrote), "▀") {
			t.Error("the moving picture is painted over the still one")
		}
		d.p.Send(pressed("?"))
		time.Sleep(time.Second)
		if diff := differ(d.asText(), d); diff != "" || d.m.dialog != nil {
			t.Errorf("after the key, dialog %v: %s", d.m.dialog, diff)
		}
		d.finish(t)
	})
}
