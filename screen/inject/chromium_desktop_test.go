//go:build desktop

package inject

import (
	"image"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"assist/screen"
)

const page = `<!doctype html><meta charset=utf-8><title>page</title>
<textarea id=t style="position:fixed;left:20px;top:20px;width:600px;height:300px"></textarea>
<button id=b style="position:fixed;left:20px;top:340px;width:200px;height:60px">press</button>
<div style="height:9000px"></div>
<script>
let clicks = 0, queue = Promise.resolve()
const say = (path, body) => { queue = queue.then(() => fetch(path, {method: 'POST', body})) }
t.oninput = () => say('/text', t.value)
t.onfocus = () => say('/focus', 'text')
b.onfocus = () => say('/focus', 'button')
b.onclick = () => { t.value = ''; say('/clicks', String(++clicks)) }
b.onauxclick = e => say('/aux', String(e.button))
onscroll = () => say('/scroll', String(scrollY))
onkeydown = e => { if (e.ctrlKey) { e.preventDefault(); say('/key', 'ctrl+' + String.fromCharCode(e.keyCode)) } }
onload = () => say('/ready', screenX + innerWidth ? 'yes' : 'no')
</script>`

// browser is a Chromium with a page that tells what happens to it.
type browser struct {
	mu   sync.Mutex
	said map[string]string
}

func (b *browser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		_, _ = io.WriteString(w, page)
		return
	}
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said[r.URL.Path] = string(body)
}

func (b *browser) get(path string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said[path]
}

// profile is a folder that goes away when the last process of the browser stopped writing to it.
func profile(t testing.TB) string {
	dir, err := os.MkdirTemp("", "inject-chromium")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%s stays behind", dir)
	})
	return dir
}

// chromium opens the page as a window without browser controls, and returns where its inside begins.
func (d *desktop) chromium() (*browser, image.Point) {
	d.t.Helper()
	b := &browser{said: map[string]string{}}
	srv := httptest.NewServer(b)
	d.t.Cleanup(srv.Close)
	d.start("chromium", "--no-sandbox", "--test-type", "--user-data-dir="+profile(d.t), "--no-first-run", "--disable-gpu", "--disable-quic",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--ozone-platform=x11",
		"--password-store=basic", "--window-position=30,30", "--window-size=900,600", "--app="+srv.URL)
	d.until("the page is there", func() bool { return b.get("/ready") != "" })
	d.until("the page has the focus", func() bool { return d.run("xdotool", "getwindowfocus", "getwindowname") == "page" })
	return b, d.frame("page").Min
}

func TestTextArrivesInChromium(t *testing.T) {
	d := newDesktop(t)
	b, at := d.chromium()
	x := d.open()
	click := func(x0, y0 int) []screen.Input {
		p := at.Add(image.Pt(x0, y0))
		return []screen.Input{press(1, p.X, p.Y), release(1, p.X, p.Y)}
	}
	for i, layout := range []string{"us", "de", "fr", "gr,us", "ru,us"} {
		d.layout(layout)
		d.play(x, click(100, 370)...)
		d.until("the button was pressed", func() bool { return len(b.get("/clicks")) > 0 && b.get("/clicks")[0] == byte('1'+i) })
		d.play(x, click(300, 200)...)
		d.until("the text field has the focus", func() bool { return b.get("/focus") == "text" })
		want := strings.Join(texts, "\n")
		d.play(x, text(want))
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && len(b.get("/text")) < len(want); {
			time.Sleep(20 * time.Millisecond)
		}
		if got := b.get("/text"); got != want {
			t.Errorf("%s: typed\n%q\narrived\n%q", layout, want, got)
		}
		d.play(x, tap('k', screen.ModControl))
		d.until("ctrl+k", func() bool { return b.get("/key") == "ctrl+K" })
		d.play(x, tap('j', screen.ModControl))
		d.until("ctrl+j", func() bool { return b.get("/key") == "ctrl+J" })
	}
}

func TestWheelScrollsChromium(t *testing.T) {
	d := newDesktop(t)
	b, at := d.chromium()
	x := d.open()
	d.play(x, screen.Input{Kind: screen.Wheel, At: at.Add(image.Pt(700, 300)), Steps: image.Pt(0, 3)})
	d.until("the page scrolled", func() bool { return b.get("/scroll") > "0" })
	d.play(x, press(2, at.X+100, at.Y+370), release(2, at.X+100, at.Y+370))
	d.until("the middle button", func() bool { return b.get("/aux") == "1" })
}
