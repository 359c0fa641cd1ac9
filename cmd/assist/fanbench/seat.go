//go:build lab

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"os"
	"slices"
	"time"

	"assist/screen"
	"assist/session/agent"
	"assist/session/agent/account"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
)

// grid is what most agents look at: a terminal of 160 by 48 cells.
var grid = image.Pt(160, 96)

// report is what an agent saw between "go" and "stop".
type report struct {
	Lags  []float64 `json:"lags"` // ms from capture to a whole picture, in order
	Bytes uint64    `json:"bytes"`
}

// quantile of a sorted list.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (r report) sorted() []float64 {
	out := slices.Clone(r.Lags)
	slices.Sort(out)
	return out
}

// sit joins, says "ready" with the first picture, and answers each "go" and "stop" on stdin by a report, until stdin ends.
func sit(ctx context.Context, url string, odd int) error {
	login, err := account.Open(io.Discard).Login("")
	if err != nil {
		return err
	}
	invite, err := inner.ParseJoin(url)
	if err != nil {
		return err
	}
	s := agent.Join(agent.Config{
		Relay: login.Relay, Identity: login.Identity, Token: login.Token, Code: invite.Code, HostPin: transport.Pin(invite.Pin),
		Device: "fanbench", Software: "fanbench",
	})
	gone := make(chan error, 1)
	go func() { gone <- s.Run(ctx) }()
	orders := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			orders <- in.Text()
		}
		close(orders)
	}()
	var (
		last  *screen.Picture
		looks bool
		on    bool
		got   report
		from  uint64
	)
	for {
		select {
		case err := <-gone:
			return fmt.Errorf("the session is over: %v", err)
		case order, more := <-orders:
			switch {
			case !more:
				s.Close()
				return <-gone
			case order == "go":
				on, got, from = true, report{}, s.State().Link.Bytes
			case order == "stop":
				on, got.Bytes = false, s.State().Link.Bytes-from
				if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
					return err
				}
			}
		case <-s.Changed():
			if st := s.State(); !looks && st.Phase == console.In && st.Display.Size.X > 0 {
				looks = true
				s.Look(screen.Viewport{Region: image.Rectangle{Max: st.Display.Size}, Grid: grid.Sub(image.Pt(2*odd, odd))})
			}
			p := s.Picture()
			if p == nil || p == last {
				continue
			}
			if last == nil {
				fmt.Println("ready")
			}
			last = p
			if on {
				got.Lags = append(got.Lags, float64(time.Since(p.Captured).Microseconds())/1000)
			}
		}
	}
}
