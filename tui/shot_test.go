package tui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"
)

func TestScreenshotIsWhatIsInViewAtFullResolution(t *testing.T) {
	d := newDesk(t, 100, 30)
	files := map[string][]byte{}
	d.m.opt.Save = func(name string, b []byte) (string, error) {
		files[name] = b
		return name, nil
	}
	d.press("z")
	d.send(lookMsg{d.m.serial})
	d.news()
	want := d.m.viewer.Wanted().Region
	d.send(d.m.shoot()())
	name := "assist-" + d.clock.Format("20060102-150405")
	img, err := png.Decode(bytes.NewReader(files[name+".png"]))
	if err != nil || img.Bounds().Size() != want.Size() {
		t.Fatalf("%v: %v for %v, of %d files", err, img, want, len(files))
	}
	if text := string(files[name+".ans"]); strings.Count(text, "\n") < 20 || !strings.Contains(text, "\x1b[48;2;") {
		t.Errorf("text of %d bytes", len(text))
	}
	d.sees("Saved " + name + ".png")
	d.s.still = errors.New("the customer does not share the screen")
	d.send(d.m.shoot()())
	d.sees("not at full resolution")
}

func TestTapeIsAnAsciicast(t *testing.T) {
	var out bytes.Buffer
	size := image.Pt(80, 24)
	tape := newTape(&out, "xterm", began, func() image.Point { return size })
	tape.write([]byte("\x1b[>q\x1b[c\x1b[?2026$p\x1b]11;?\a\x1b[>4;2m\x1b[?u"), began)
	tape.write([]byte("\x1b[H▀\"\\\r\n"), began.Add(1500*time.Millisecond))
	size = image.Pt(100, 30)
	tape.write([]byte("x\x1b[?2026$p"), began.Add(2*time.Second))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var head map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &head); err != nil || fmt.Sprint(head["version"], head["width"], head["height"]) != "2 80 24" {
		t.Errorf("header %s: %v", lines[0], err)
	}
	want := []string{`[1.500000,"o","\u001b[H▀\"\\\r\n"]`, `[2.000000,"r","100x30"]`, `[2.000000,"o","x"]`}
	if got := strings.Join(lines[1:], "\n"); got != strings.Join(want, "\n") {
		t.Errorf("events\n%s", got)
	}
}
