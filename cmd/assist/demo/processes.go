package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// processes are the children of the demo: started in order, stopped in reverse, their words kept in one file each.
type processes struct {
	dir string   // for their logs
	env []string // what all of them get on top of the environment
	mu  sync.Mutex
	all []*process
}

type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // after done
}

func command(argv ...string) *exec.Cmd { return exec.Command(argv[0], argv[1:]...) }

// start runs cmd in the background; env is added to the environment that all children share.
func (p *processes) start(ctx context.Context, cmd *exec.Cmd, env ...string) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name := filepath.Base(cmd.Path)
	log, err := os.CreateTemp(p.dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Env = append(append(os.Environ(), p.env...), env...)
	if cmd.Stderr == nil {
		cmd.Stderr = log
	}
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	child := &process{cmd: cmd, done: make(chan struct{})}
	p.mu.Lock()
	p.all = append(p.all, child)
	p.mu.Unlock()
	go func() {
		child.err = cmd.Wait()
		close(child.done)
	}()
	return child, nil
}

// run waits for cmd, with stdin as its input.
func (p *processes) run(ctx context.Context, cmd *exec.Cmd, stdin io.Reader) error {
	cmd.Stdin = stdin
	child, err := p.start(ctx, cmd)
	if err != nil {
		return err
	}
	select {
	case <-child.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if child.err != nil {
		return fmt.Errorf("%s: %w", cmd.Args[1:], child.err)
	}
	return nil
}

// stop ends every child that still runs, the newest first: politely, then for good after two seconds.
func (p *processes) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.all) - 1; i >= 0; i-- {
		child := p.all[i]
		select {
		case <-child.done:
			continue
		default:
		}
		_ = child.cmd.Process.Signal(syscall.SIGTERM) // it may have ended just now
		select {
		case <-child.done:
		case <-time.After(2 * time.Second):
			_ = child.cmd.Process.Kill()
			<-child.done
		}
	}
	p.all = nil
}
