package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"assist/session/broker"
	"assist/session/broker/store"
)

// explainFleet gives the mistakes of who sets up a fleet their hint.
func explainFleet(err error) error {
	switch {
	case errors.Is(err, broker.ErrTwin):
		return &exitError{Code: exitFailed, Err: err, Hint: "remove the file relay.id from this relay's data folder"}
	case errors.Is(err, store.ErrOtherKeys):
		return &exitError{Code: exitFailed, Err: err, Hint: "copy the folders keys and orgs from the data folder of a relay that runs, then start again"}
	}
	return err
}

// relayLine is one relay of `assist relay status --json`.
type relayLine struct {
	ID       string    `json:"id"`
	Addr     string    `json:"addr"`
	Key      string    `json:"key"`
	Region   string    `json:"region"`
	State    string    `json:"state"` // serving, draining, drained, silent
	Sessions int       `json:"sessions"`
	Conns    int       `json:"connections"`
	Software string    `json:"software"`
	Started  time.Time `json:"started"`
	Silent   float64   `json:"silent_s"` // since it was heard from
}

func (l relayLine) cells() []string {
	return []string{l.Addr, l.Region, l.State, fmt.Sprint(l.Sessions), fmt.Sprint(l.Conns), (time.Duration(l.Silent*10) * time.Second / 10).String(), l.Software, l.ID}
}

func relayState(r store.Relay) string {
	switch {
	case !r.Alive:
		return "silent"
	case r.Draining && r.Sessions == 0:
		return "drained"
	case r.Draining:
		return "draining"
	}
	return "serving"
}

func newRelayStatusCommand(at *relayPlace) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show the relays that share this database", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error {
				all, err := a.Store.Relays(ctx)
				if err != nil {
					return err
				}
				return table(cmd.OutOrStdout(), asJSON, all, func(r store.Relay) relayLine {
					return relayLine{
						r.ID, printable(r.Addr), printable(r.Pin), printable(r.Region), relayState(r), r.Sessions, r.Conns, printable(r.Software), r.Started,
						r.Silent.Round(100 * time.Millisecond).Seconds(),
					}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newRelayDrainCommand(at *relayPlace) *cobra.Command {
	var off bool
	var id string
	var patience time.Duration
	cmd := &cobra.Command{
		Use: "drain", Short: "Move this relay's sessions to the others of its fleet, without ending them",
		Long: "Asks the relay of --data (or --id) to take nothing new and to send its sessions to the other relays that share its database. " +
			"It returns when the relay has none left. The relay goes on running until it is stopped; --off lets it take sessions again.",
		Args:    cobra.NoArgs,
		Example: "  assist relay drain --db postgres://assist@db.example/assist && systemctl stop assist-relay",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error {
				if id == "" {
					var err error
					if id, err = broker.RelayID(a.Dir); err != nil {
						return err
					}
				}
				return drain(ctx, a.Store, id, !off, patience)
			})
		},
	}
	cmd.Flags().BoolVar(&off, "off", false, "take sessions again")
	cmd.Flags().StringVar(&id, "id", "", "which relay, as assist relay status shows it (default the one of --data)")
	cmd.Flags().DurationVar(&patience, "wait", time.Minute, "how long to wait until no session is left")
	return cmd
}

// drain asks a relay and waits until it has done it.
func drain(ctx context.Context, s *store.Store, id string, on bool, patience time.Duration) error {
	kind := map[bool]string{true: "relay.drain", false: "relay.drain.off"}[on]
	err := s.Drain(ctx, id, on, store.Event{At: time.Now(), Kind: kind, Actor: "console", Outcome: "ok", Detail: id})
	if errors.Is(err, store.ErrNotFound) {
		return &exitError{
			Code: exitFailed, Err: errors.New("this relay is not one of a fleet"),
			Hint: "assist relay status --db … lists them; a relay that is alone is simply stopped: its sessions wait for it",
		}
	}
	if err != nil || !on {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		all, err := s.Relays(ctx)
		if err != nil {
			return err
		}
		left, others := -1, 0
		for _, r := range all {
			if r.ID == id && r.Alive {
				left = r.Sessions
			} else if r.Open() {
				others++
			}
		}
		switch {
		case left <= 0:
			return nil
		case others == 0:
			return &exitError{
				Code: exitFailed, Err: fmt.Errorf("no other relay takes the %d sessions", left),
				Hint: "start another relay on the same database; this one gives them away as soon as it is there",
			}
		}
		select {
		case <-ctx.Done():
			return &exitError{Code: exitFailed, Err: fmt.Errorf("%d sessions have not gone yet", left), Hint: "it goes on by itself; assist relay status shows how many are left"}
		case <-time.After(500 * time.Millisecond):
		}
	}
}
