// Package remedy does something about what was found on this machine: it restarts a unit, ends a process, restarts the
// machine. It is apart from diag/probe, which only reads.
//
// Prepare says what a deed means here, for the customer who is asked, and hands back what does exactly that and nothing else:
// a process that has ended meanwhile, and whose number another has now, is not ended. It keeps no state and starts nothing
// that outlives a deed.
package remedy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"assist/chat"
	"assist/diag"
)

// Machine is this machine.
type Machine struct{}

// times of deeds.
const (
	restartTime = 90 * time.Second // as long as systemd lets a unit take by itself
	endTime     = 5 * time.Second  // for a process to be gone
)

// Prepare looks at what d is about. The detail is safe to show.
func (m *Machine) Prepare(ctx context.Context, d diag.Deed) (detail string, do func(context.Context) error, err error) {
	if err := d.Check(); err != nil {
		return "", nil, err
	}
	switch {
	case d.Restart != "":
		return restart(d.Restart)
	case d.End != 0:
		return end(ctx, int32(d.End), d.Hard)
	}
	words, err := reboot()
	return "It runs: " + strings.Join(words, " ") + "\nEverything that is open on it and not saved is lost.", func(ctx context.Context) error {
		return run(ctx, words...)
	}, err
}

// restart finds out who starts units here.
func restart(unit string) (string, func(context.Context) error, error) {
	var words []string
	switch script := filepath.Join("/etc/init.d", unit); {
	case systemd():
		words = []string{"systemctl", "--no-ask-password", "restart", "--", unit}
	case regular(script):
		words = []string{script, "restart"}
	default:
		return "", nil, fmt.Errorf("nothing here knows how to restart %s", unit)
	}
	return "It runs: " + strings.Join(words, " "), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, restartTime)
		defer cancel()
		return run(ctx, words...)
	}, nil
}

// systemd says whether it is what runs this machine: sd_booted(3).
func systemd() bool {
	fi, err := os.Stat("/run/systemd/system")
	return err == nil && fi.IsDir()
}

func regular(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

// end finds the process, and ends that one only.
func end(ctx context.Context, pid int32, hard bool) (string, func(context.Context) error, error) {
	if int(pid) == os.Getpid() || int(pid) == os.Getppid() {
		return "", nil, errors.New("that is this program itself, or what runs it")
	}
	p, err := process.NewProcessWithContext(ctx, pid)
	if err != nil {
		return "", nil, fmt.Errorf("there is no process %d", pid)
	}
	since, err := p.CreateTimeWithContext(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("there is no process %d", pid)
	}
	name, _ := p.NameWithContext(ctx)
	owner, _ := p.UsernameWithContext(ctx)
	detail := fmt.Sprintf("It is %s of user %s, started %s.", chat.Line(name), chat.Line(owner), time.UnixMilli(since).Format("2006-01-02 15:04:05"))
	if hard {
		detail += "\nWhat it has not saved is lost."
	}
	return detail, func(ctx context.Context) error {
		p, there := same(ctx, pid, since)
		if !there {
			return fmt.Errorf("process %d has ended already", pid)
		}
		if hard {
			err = p.KillWithContext(ctx)
		} else {
			err = p.TerminateWithContext(ctx)
		}
		if err != nil {
			return fmt.Errorf("end process %d: %w", pid, err)
		}
		return gone(ctx, pid, since)
	}, nil
}

// same finds the process that was started at a time. A Process remembers what it was asked once, so it is found anew.
func same(ctx context.Context, pid int32, since int64) (*process.Process, bool) {
	p, err := process.NewProcessWithContext(ctx, pid)
	if err != nil {
		return nil, false
	}
	now, err := p.CreateTimeWithContext(ctx)
	return p, err == nil && now == since
}

// gone waits until a process has ended; one that only waits to be collected has.
func gone(ctx context.Context, pid int32, since int64) error {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	for {
		p, there := same(ctx, pid, since)
		if !there {
			return nil
		}
		if st, err := p.StatusWithContext(ctx); err == nil && len(st) > 0 && st[0] == process.Zombie {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d was told to end and has not yet", pid)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// run runs a program of the system; what it says on stderr is why it failed.
func run(ctx context.Context, words ...string) error {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	said := strings.Join(strings.Fields(string(out[:min(len(out), 400)])), " ")
	if said == "" {
		said = err.Error()
	}
	return fmt.Errorf("%s says: %s", filepath.Base(words[0]), chat.Line(said))
}
