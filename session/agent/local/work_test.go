package local

import (
	"context"
	"errors"
	"image"
	"io"
	"strings"
	"testing"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/transport"
	"assist/transport/wire"
)

func (f *fake) Obtain(_ context.Context, want session.Grants) (err error) {
	f.change(func() {
		if err = f.no; err == nil {
			f.st.Roster.Members[1].Grants |= want
		}
	})
	return err
}

func (f *fake) Play(_ context.Context, evs []screen.Input) error {
	f.change(func() { f.played = append(f.played, evs...) })
	return f.no
}

func (f *fake) Snapshot(context.Context) (*screen.TextGrid, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text, f.no
}

// Open gives a stream whose other end sends back what it gets, and ends after 'q'.
func (f *fake) Open(context.Context, wire.StreamKind) (transport.Stream, error) {
	up, down := newWay(), newWay()
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := up.Read(b); err != nil {
				down.end(err)
				return
			}
			switch b[0] {
			case 'q':
				down.end(io.EOF)
				return
			case 'x': // takes no more, and has a last word
				_ = up.PipeReader.CloseWithError(errGivenUp)
				time.Sleep(50 * time.Millisecond)
				_, _ = down.Write([]byte("bye"))
				_ = down.PipeWriter.Close()
				return
			}
			_, _ = down.Write(b)
		}
	}()
	s := fakeStream{up, down}
	f.change(func() { f.streams = append(f.streams, s) })
	return s, f.no
}

var errGivenUp = errors.New("given up")

// way is one direction of a fake stream.
type way struct {
	*io.PipeReader
	*io.PipeWriter
}

func newWay() way {
	r, w := io.Pipe()
	return way{r, w}
}

func (w way) end(err error) {
	_ = w.PipeWriter.CloseWithError(err)
	_ = w.PipeReader.CloseWithError(err)
}

// fakeStream writes up and reads down.
type fakeStream struct{ up, down way }

func (s fakeStream) Read(b []byte) (int, error)       { return s.down.Read(b) }
func (s fakeStream) Write(b []byte) (int, error)      { return s.up.Write(b) }
func (s fakeStream) Close() error                     { return s.up.PipeWriter.Close() }
func (s fakeStream) CancelWrite(uint64)               { s.up.end(errGivenUp) }
func (s fakeStream) CancelRead(uint64)                { s.down.end(errGivenUp) }
func (s fakeStream) SetWriteDeadline(time.Time) error { return nil }
func (s fakeStream) SetReadDeadline(time.Time) error  { return nil }
func (s fakeStream) SetUrgency(int8)                  {}

// eachWay runs a test through the socket and within one process.
func eachWay(t *testing.T, test func(t *testing.T, f *fake, c *Client)) {
	t.Run("socket", func(t *testing.T) {
		f := newFake()
		home(t)
		serve(t, f, nil)
		test(t, f, dial(t, ""))
	})
	t.Run("beside", func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		test(t, f, Beside(ctx, f))
	})
}

func TestObtainAndPlay(t *testing.T) {
	eachWay(t, func(t *testing.T, f *fake, c *Client) {
		if err := c.Obtain(t.Context(), session.File|session.Run); err != nil || !f.State().Roster.Members[1].Grants.Has(session.File|session.Run) {
			t.Errorf("%v, %v", err, f.State().Roster.Members[1].Grants)
		}
		if err := c.Play(t.Context(), []screen.Input{{Kind: screen.TypeText, Text: "ls\n"}}); err != nil || len(f.played) != 1 || f.played[0].Text != "ls\n" {
			t.Errorf("%v, %v", err, f.played)
		}
		f.change(func() { f.no = console.ErrRefused })
		var no *Error
		if err := c.Obtain(t.Context(), session.Diag); !errors.As(err, &no) || no.Code != Denied {
			t.Errorf("%v", err)
		}
		f.change(func() { f.played = nil })
		if err := c.Play(t.Context(), []screen.Input{{Kind: screen.KeyTap, Key: 0xD800}}); !errors.As(err, &no) || no.Code != BadRequest || f.played != nil {
			t.Errorf("a key that does not exist: %v, %v", err, f.played)
		}
	})
}

func TestOpenCarriesBytesBothWays(t *testing.T) {
	eachWay(t, func(t *testing.T, f *fake, c *Client) {
		s, err := c.Open(t.Context(), wire.StreamRun)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = s.Write([]byte("hello, q")) }()
		b, err := io.ReadAll(s)
		if string(b) != "hello, " || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		_ = s.Close()

		if s, err = c.Open(t.Context(), wire.StreamRun); err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte("x"))
		_, _ = s.Write([]byte("more"))
		if b, err := io.ReadAll(s); string(b) != "bye" || err != nil {
			t.Errorf("of a host that took no more: %q, %v", b, err)
		}
		_ = s.Close()

		s, err = c.Open(t.Context(), wire.StreamFile) // a program that goes takes its stream along
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		f.mu.Lock()
		gone := f.streams[2]
		f.mu.Unlock()
		if _, err := gone.Read(make([]byte, 1)); err == nil { // returns when the stream was given up
			t.Error("the stream goes on without its program")
		}
		var no *Error
		if _, err := c.Open(t.Context(), wire.StreamControl); !errors.As(err, &no) || no.Code != BadRequest {
			t.Errorf("the control stream: %v", err)
		}
	})
}

func TestWait(t *testing.T) {
	eachWay(t, func(t *testing.T, f *fake, c *Client) {
		f.change(func() { f.st.Phase = console.Knocking })
		done := make(chan error, 1)
		watched := func(n int) {
			await(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.watchers) == n })
		}
		idle := len(f.watchers)
		go func() {
			s, _, err := c.Wait(t.Context(), Joined)
			if err == nil && s.Code != "12345678" {
				err = errors.New(s.Code)
			}
			done <- err
		}()
		watched(idle + 1)
		f.change(func() { f.st.Phase = console.In })
		if err := <-done; err != nil {
			t.Error(err)
		}
		watched(idle)
		go func() {
			_, why, err := c.Wait(t.Context(), Ended)
			if err == nil && why != "it is over" {
				err = errors.New(why)
			}
			done <- err
		}()
		watched(idle + 1)
		f.change(func() { f.st.Phase, f.st.Why = console.Over, "it is over" })
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestText(t *testing.T) {
	g := screen.NewTextGrid(image.Pt(4, 2))
	g.Rows[0].Cells[0] = screen.Cell{Rune: 'a', Marks: "\u0308", Style: screen.Style{Fg: screen.PaletteColour(9), Bg: screen.RGBColour(255, 0, 16), Attr: screen.Bold | screen.CurlyLine}}
	g.Rows[0].Cells[1] = screen.Cell{Rune: '日', Span: screen.WideLead}
	g.Rows[0].Cells[2].Span = screen.WideRest
	g.Rows[1].Wrapped = true
	g.Cursor.At = image.Pt(3, 1)
	eachWay(t, func(t *testing.T, f *fake, c *Client) {
		f.change(func() { f.text = g })
		s, err := c.Text(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := `{"columns":4,"rows":2,"cursor":{"x":3,"y":1},"lines":[` +
			`{"text":"ä日","cells":[{"text":"ä","fg":"9","bg":"#ff0010","attributes":["bold","curly_underline"]},{"text":"日","wide":true},{"text":""},{"text":" "}]},` +
			`{"text":"","wrapped":true,"cells":[{"text":" "},{"text":" "},{"text":" "},{"text":" "}]}]}`
		if got := js(t, s); got != strings.ReplaceAll(want, `\u0308`, "\u0308") {
			t.Errorf("%s", got)
		}
	})
}

// Who begins to wait for the end while it comes is told of it like everybody else; nobody's connection breaks.
func TestWaitsThatBeginAtTheEnd(t *testing.T) {
	for round := range 20 {
		home(t)
		f := newFake()
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- Serve(ctx, f) }()
		await(t, func() bool { return len(live()) == 1 })
		c := dial(t, "")
		results := make(chan error)
		const many = 20
		for i := range many {
			go func() {
				time.Sleep(time.Duration(i) * 50 * time.Microsecond)
				s, _, err := c.Wait(context.Background(), Ended)
				if err == nil && s.State != "over" {
					err = errors.New(s.State)
				}
				results <- err
			}()
		}
		time.Sleep(time.Duration(round) * 50 * time.Microsecond)
		f.change(func() { f.st.Phase, f.st.Why = console.Over, "it is over" })
		for range many {
			if err := <-results; err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		cancel()
	}
}
