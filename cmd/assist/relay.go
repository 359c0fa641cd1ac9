package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"assist/session/agent/account"
)

// defaultPort is where a relay listens: 443 would need a privilege.
const defaultPort = account.DefaultPort

type relayFlags struct {
	relayPlace
	listen, cert, key, acme, metrics string
	advertise, region                string
	json                             bool
}

func newRelayCommand() *cobra.Command {
	var f relayFlags
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Run a relay, and say who may use it",
		Long: "Runs the relay: it lets agents log in, gives out codes, and forwards between consoles and hosts what it cannot read.\n\n" +
			"One UDP and one TCP port of the same number. The certificate comes from --cert and --key, from ACME (--acme), or is made " +
			"here; then clients pin the fingerprint that is printed.",
		Args: cobra.NoArgs,
		Example: "  assist relay org add acme --title 'Acme Ltd'\n" +
			"  assist relay agent add eve@acme\n" +
			"  assist relay --listen :" + defaultPort,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.serve(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.relayPlace.flags(cmd)
	cmd.Flags().StringVar(&f.listen, "listen", ":"+defaultPort, "address and port, UDP and TCP")
	cmd.Flags().StringVar(&f.cert, "cert", "", "certificate chain, PEM; read again when it changes")
	cmd.Flags().StringVar(&f.key, "key", "", "private key of --cert, PEM")
	cmd.Flags().StringVar(&f.acme, "acme", "", "get a certificate for this name from Let's Encrypt; its port 443 must lead here")
	cmd.Flags().StringVar(&f.metrics, "metrics", "", "serve Prometheus metrics on this address, such as 127.0.0.1:9090 (default off)")
	cmd.Flags().StringVar(&f.advertise, "advertise", "", "with --db: HOST:PORT under which clients and the other relays' answers reach this very relay (default --listen)")
	cmd.Flags().StringVar(&f.region, "region", "", "with --db: relays of one region take each other's sessions first")
	cmd.Flags().BoolVar(&f.json, "json", false, "print events as NDJSON on stdout, log as JSON on stderr")
	cmd.AddCommand(newOrgCommand(&f.relayPlace), newAgentCommand(&f.relayPlace), newAuditCommand(&f.relayPlace),
		newRelayStatusCommand(&f.relayPlace), newRelayDrainCommand(&f.relayPlace))
	return cmd
}

func (f *relayFlags) check() error {
	if (f.cert == "") != (f.key == "") {
		return usage(fmt.Errorf("--cert and --key go together"), "")
	}
	if f.cert != "" && f.acme != "" {
		return usage(fmt.Errorf("--cert and --acme exclude each other"), "")
	}
	return f.checkFleet()
}

// serve runs the relay until ctx ends, and then lets it go in order.
func (f *relayFlags) serve(ctx context.Context, out, words io.Writer) error {
	hideMemory()
	dir, err := dataFolder(f.data)
	if err != nil {
		return err
	}
	free, err := occupy(dir)
	if err != nil {
		return err
	}
	defer free()
	r, err := openRelay(ctx, f, f.logger(words))
	if err != nil {
		return err
	}
	defer r.close()
	return r.run(ctx, func(e readyEvent) error {
		notify("READY=1")
		if f.json {
			return json.NewEncoder(out).Encode(e)
		}
		_, err := fmt.Fprintf(words, "relay on %s (UDP and TCP)\nfingerprint %s\ndata in %s\n", e.Addr, e.Fingerprint, dir)
		return err
	})
}

// readyEvent says that a relay serves, and where.
type readyEvent struct {
	Event       string `json:"event"`
	Addr        string `json:"addr"`
	Fingerprint string `json:"fingerprint"`
	Metrics     string `json:"metrics,omitempty"`
}

func (f *relayFlags) logger(w io.Writer) *slog.Logger {
	if f.json {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
