package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent"
	"assist/session/console"
)

// logFlag is a file in which a session leaves what became of its links, for whoever has to find out later why it was slow. Nothing that was
// said, shown or typed stands in it, and no code.
type logFlag struct{ path string }

func (f *logFlag) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.path, "log", "", "append to FILE how the links fare: phases, paths and why they change, round trips, loss")
	_ = cmd.MarkFlagFilename("log")
}

// open opens the file; the logger is nil where none is wanted.
func (f *logFlag) open() (log *slog.Logger, done func(), err error) {
	if f.path == "" {
		return nil, func() {}, nil
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open log: %w", err)
	}
	return slog.New(slog.NewTextHandler(file, nil)), func() { _ = file.Close() }, nil
}

// keepLog writes down what becomes of the session's link, until it is over. Without a logger it does nothing.
func keepLog(ctx context.Context, s *agent.Session, log *slog.Logger) {
	if log == nil {
		return
	}
	changed, stop := s.Watch()
	defer stop()
	var was console.State
	for {
		st := s.State()
		if st.Phase != was.Phase {
			log.Info("session "+st.Phase.String(), "why", whyOf(st))
		}
		if l := st.Link; l.Path != "" && (l.Path != was.Link.Path || !l.Since.Equal(was.Link.Since)) {
			log.Info("path "+l.Path, "why", printable(l.Why), "rtt", l.RTT.Round(time.Millisecond), "loss", l.Loss)
		}
		if l := st.Link; (l.Loss >= lossNoted) != (was.Link.Loss >= lossNoted) {
			log.Info("loss", "share", l.Loss, "rtt", l.RTT.Round(time.Millisecond))
		}
		if was = st; st.Phase == console.Over {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// whyOf is why a session is in its phase.
func whyOf(st console.State) string {
	if st.Err != nil {
		return printable(st.Err.Error())
	}
	return printable(st.Why)
}
