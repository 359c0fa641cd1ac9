package machine

import (
	"log/slog"

	"assist/session/host"
)

// keeper writes a session for the machine's next process, beside the session loop; of two that wait the newer is written.
type keeper struct {
	folder Folder
	log    *slog.Logger
	slot   chan host.Saved
	done   chan struct{}
}

func newKeeper(f Folder, log *slog.Logger) *keeper {
	k := &keeper{folder: f, log: log, slot: make(chan host.Saved, 1), done: make(chan struct{})}
	go func() {
		defer close(k.done)
		for s := range k.slot {
			if err := k.folder.writeJSON(sessionFile, s); err != nil {
				k.log.Error("keep session", "err", err)
			}
		}
	}()
	return k
}

// keep is called by the session loop only.
func (k *keeper) keep(s host.Saved) {
	select {
	case <-k.slot:
	default:
	}
	k.slot <- s
}

// close returns when the last one is written.
func (k *keeper) close() {
	close(k.slot)
	<-k.done
}
