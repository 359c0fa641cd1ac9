package tui

import (
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// resting shows one text; a key ends it.
type resting struct{}

func (resting) Init() tea.Cmd { return nil }
func (m resting) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		return m, tea.Quit
	}
	return m, nil
}
func (resting) View() tea.View { return tea.NewView("still") }

// TestTickerRests fails when another Bubble Tea keeps its ticker elsewhere.
func TestTickerRests(t *testing.T) {
	k := &ticker{}
	p := tea.NewProgram(resting{}, tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithFPS(framesAsked), tea.WithFilter(k.filter), tea.WithoutSignalHandler())
	k.p = p
	done := make(chan error, 1)
	go func() {
		_, err := p.Run()
		done <- err
	}()
	every := func() time.Duration {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.tick == nil {
			return 0
		}
		return k.every
	}
	await := func(want time.Duration) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); every() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it ticks each %v, not %v", every(), want)
			}
		}
	}
	await(slowTick)
	p.Send(struct{}{})
	await(quickTick)
	await(slowTick)
	p.Send(tea.KeyPressMsg{Code: 'q'})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestTickerElsewhereIsLeftAlone is a Bubble Tea that keeps no ticker, or another thing by that name.
func TestTickerElsewhereIsLeftAlone(t *testing.T) {
	for _, program := range []any{
		&struct{ renderer int }{}, &struct{ ticker int }{}, &struct{ ticker time.Ticker }{}, &struct{ ticker *time.Ticker }{},
		(*tea.Program)(nil),
		tea.Program{},
		nil, 7,
	} {
		if got := tickerOf(program); got != nil {
			t.Errorf("%T: %v", program, got)
		}
	}
	own := &struct{ ticker *time.Ticker }{time.NewTicker(time.Hour)}
	defer own.ticker.Stop()
	if tickerOf(own) != own.ticker {
		t.Error("a ticker where Bubble Tea has it is not found")
	}
	k := &ticker{p: nil}
	for range 3 {
		k.filter(nil, struct{}{})
		k.slower()
	}
	if k.stop(); k.every != quickTick && k.every != slowTick || k.tick != nil {
		t.Errorf("%+v", k)
	}
}
