//go:build lab

package sessiontest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"
	"time"

	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// TestBenchFilesUnderLoss gets and puts a file over a line of 20 Mbit/s and 50 ms RTT that loses packets, and prints how much of the line
// it took. It fails where files take less than half of a line that loses one packet of a hundred.
func TestBenchFilesUnderLoss(t *testing.T) {
	const rate = 20_000_000 / 8
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer out.Flush()
	fmt.Fprintln(out, "20 Mbit/s, 50 ms RTT\tloss each way\ts\tof the line used\t")
	for _, up := range []bool{false, true} {
		for _, loss := range []float64{0, 0.01, 0.05} {
			Sim(t, 3, func(t *testing.T, r *Relay) {
				took := measureFile(t, r, transporttest.Conditions{Delay: 25 * time.Millisecond, Rate: rate, Loss: loss}, up, 20*rate)
				use := 20 / took.Seconds()
				fmt.Fprintf(out, "%s\t%.0f %%\t%.1f\t%.0f %%\t\n", map[bool]string{false: "get", true: "put"}[up], 100*loss, took.Seconds(), 100*use)
				if loss <= 0.01 && use < 0.5 {
					t.Errorf("up %v: at %.0f %% loss a file takes %.0f %% of the line", up, 100*loss, 100*use)
				}
			})
		}
	}
}

func measureFile(t *testing.T, r *Relay, path transporttest.Conditions, up bool, size int) time.Duration {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), make([]byte, size), 0o600))
	h := r.NewHost(func(c *host.Config) {
		c.Files = dir
		c.Answer = &host.AutoAnswer{Allow: session.AllGrants}
	})
	conf, _ := r.Behind(r.NewAgent("max@acme"), h.Code, path)
	c := Run(t, agent.Join(conf))
	c.Phase(console.In)
	c.Do(console.AskGrants{Grants: session.File})
	c.Wait("the grant for files", func(st console.State) bool {
		me, _ := st.Roster.Member(st.Self)
		return me.Grants.Has(session.File)
	})
	began := time.Now()
	var err error
	if up {
		_, err = put(t, c, filepath.Join(dir, "file"), "again", false, quiet)
	} else {
		_, err = get(t, c, "file", t.TempDir())
	}
	must(t, err)
	return time.Since(began)
}
