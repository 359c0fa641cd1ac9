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
