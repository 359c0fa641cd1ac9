//go:build lab

package sessiontest

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

const (
	seeds  = 100
	crowd  = 8
	rounds = 25
)

// Eight agents on bad paths say, type, look, drop out and leave at random, and at the end all that are left have one log
// and one picture, nothing was said twice, and nothing acknowledged was lost.
func TestManySeeds(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			Sim(t, seed, func(t *testing.T, r *Relay) { crowded(t, r, rand.New(rand.NewPCG(seed, 2))) })
		})
	}
}

type guest struct {
	*Console
	path *Path
	good transporttest.Conditions
	gone bool
	said []string
}

func crowded(t *testing.T, r *Relay, dice *rand.Rand) {
	h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
	var guests []*guest
	for i := range crowd {
		g := &guest{good: transporttest.Conditions{
			Delay: time.Duration(dice.IntN(60)) * time.Millisecond, Jitter: time.Duration(dice.IntN(10)) * time.Millisecond, Loss: dice.Float64() * 0.05,
		}}
		var conf agent.Config
		conf, g.path = r.Behind(r.NewAgent(fmt.Sprintf("a%d@org%d", i, i%2)), h.Code, g.good)
		g.Console = Run(t, agent.Join(conf))
		guests = append(guests, g)
	}
	for _, g := range guests {
		g.Phase(console.In)
		g.Wait("chat", func(st console.State) bool {
			m, _ := st.Roster.Member(st.Self)
			return m.Grants.Has(everything)
		})
		g.LookAll(image.Pt(64, 48))
	}
	for round := range rounds {
		h.Display.Fill(image.Rect(dice.IntN(320), dice.IntN(240), 320+dice.IntN(320), 240+dice.IntN(240)), byte(dice.Uint32()), byte(dice.Uint32()), 99)
		for i, g := range guests {
			if !g.gone {
				act(g, dice, round, i)
			}
		}
		time.Sleep(time.Duration(dice.IntN(1500)) * time.Millisecond)
	}
	judge(t, h, guests)
}

// act does one thing at random. The first guest stays until the end.
func act(g *guest, dice *rand.Rand, round, i int) {
	switch n := dice.IntN(20); {
	case n < 8:
		text := fmt.Sprintf("%d from %d", round, i)
		g.said = append(g.said, text)
		g.Do(console.Say{Lane: chat.Everyone, Text: text})
	case n < 12:
		g.Do(console.TakeControl{})
		g.Input(screen.Input{Kind: screen.KeyPress, Key: screen.Key('a' + i)})
	case n < 14:
		g.path.Set(transporttest.Conditions{Down: true})
	case n < 18:
		g.path.Set(g.good)
	case n == 18 && i > 0 && round > rounds/2:
		g.gone = true
		g.Close()
	default:
		g.LookAll(image.Pt(32+16*dice.IntN(4), 48))
	}
}

func judge(t *testing.T, h *Host, guests []*guest) {
	var here []*guest
	for _, g := range guests {
		if g.gone {
			continue
		}
		g.path.Set(g.good)
		here = append(here, g)
	}
	for _, g := range here {
		g.Phase(console.In)
		g.LookAll(image.Pt(64, 48))
		for _, text := range g.said {
			g.Wait(text, func(console.State) bool { return slices.Contains(g.Said(), text) })
		}
	}
	want := h.Display.Average(image.Pt(64, 48))
	for _, g := range here {
		g.Sees("the last picture", func(p *screen.Picture) bool { return slices.Equal(p.Pix, want) })
		g.Wait("the newest entry", func(st console.State) bool { return st.Newest == here[0].State().Newest })
		log := g.Log(0)
		for i := range log {
			if i > 0 && log[i].Seq != log[i-1].Seq+1 {
				t.Errorf("entry %d after %d", log[i].Seq, log[i-1].Seq)
			}
		}
		if !slices.Equal(log, here[0].Log(log[0].Seq-1)) {
			t.Error("the logs differ")
		}
		if said := g.Said(); len(slices.Compact(slices.Sorted(slices.Values(said)))) != len(said) {
			t.Errorf("said twice: %q", said)
		}
	}
	leads := 0
	for _, m := range here[0].State().Roster.Members {
		if m.Role == session.Lead {
			leads++
		}
	}
	if leads != 1 {
		t.Errorf("%d leads", leads)
	}
}
