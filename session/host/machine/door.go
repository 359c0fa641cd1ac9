package machine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"assist/session"
	"assist/session/host"
)

// Door is where the people who are logged in at a machine refuse an agent or end a session from a shell of their own: a socket
// that is there while a session is. It is a host.Front. Whoever is logged in, root, and the user of this program are heard;
// all that can be asked for is to forbid.
type Door struct {
	Path string
	May  func(uid int) bool // who is heard beside root and this user
}

const doorTime = 5 * time.Second // for one question of one shell

// Said is what a door answers.
type Said struct {
	Agents []string `json:"agents"`          // NAME@ORG of those who are in
	Asks   string   `json:"asks,omitempty"`  // NAME@ORG of who may be refused now
	Done   string   `json:"done,omitempty"`  // what came of it
	Error  string   `json:"error,omitempty"` // why nothing did
}

// Run implements host.Front.
func (d Door) Run(ctx context.Context, views <-chan host.View, act func(host.Act)) error {
	if err := os.MkdirAll(filepath.Dir(d.Path), 0o755); err != nil {
		return err
	}
	_ = os.Remove(d.Path) // left by a process that was killed
	l, err := net.Listen("unix", d.Path)
	if err != nil {
		return fmt.Errorf("door for the people here: %w", err)
	}
	defer l.Close()
	if err := os.Chmod(d.Path, 0o666); err != nil { // who is there is asked of each connection
		return err
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var newest view
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() { newest.follow(ctx, views) })
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("door for the people here: %w", err)
		}
		serving.Go(func() { d.serve(c, newest.get(), act) })
	}
}

// view is the newest one.
type view struct {
	mu sync.Mutex
	v  host.View
}

func (w *view) follow(ctx context.Context, views <-chan host.View) {
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-views:
			w.mu.Lock()
			w.v = v
			w.mu.Unlock()
		}
	}
}

func (w *view) get() host.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.v
}

// serve answers one line: "status" or "refuse".
func (d Door) serve(c net.Conn, v host.View, act func(host.Act)) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(doorTime))
	line, err := bufio.NewReader(io.LimitReader(c, 64)).ReadString('\n')
	if err != nil {
		return
	}
	said := answerOf(v)
	uid, err := peerUID(c)
	switch {
	case err != nil || uid != 0 && uid != os.Geteuid() && (d.May == nil || !d.May(uid)):
		said = Said{Error: "only people who are logged in here are heard"}
	case line == "refuse\n":
		said.Done = refuse(v, act)
	case line != "status\n":
		said.Error = "status or refuse is wanted"
	}
	_ = json.NewEncoder(c).Encode(said) // a shell that is gone
}

func answerOf(v host.View) Said {
	said := Said{Agents: []string{}}
	for _, m := range v.Roster.Members {
		if m.Role != session.Customer && m.Consoles > 0 {
			said.Agents = append(said.Agents, m.Handle)
		}
	}
	if v.Question != nil {
		said.Asks = v.Question.Handle
	}
	return said
}

// refuse answers the question that is up with no; without one it ends the session for all.
func refuse(v host.View, act func(host.Act)) string {
	if q := v.Question; q != nil {
		act(host.Answer{Serial: q.Serial})
		return q.Handle + " was refused"
	}
	act(host.Stop{})
	return "the session was ended"
}

// ErrNobody says that there is no session at this machine.
var ErrNobody = errors.New("no session is open on this machine")

// AskDoor says one word at the door at path.
func AskDoor(path, word string) (Said, error) {
	c, err := net.DialTimeout("unix", path, doorTime)
	if err != nil {
		return Said{}, ErrNobody
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(doorTime))
	if _, err := io.WriteString(c, word+"\n"); err != nil {
		return Said{}, fmt.Errorf("ask the host: %w", err)
	}
	var said Said
	if err := json.NewDecoder(io.LimitReader(c, 64<<10)).Decode(&said); err != nil {
		return Said{}, fmt.Errorf("answer of the host: %w", err)
	}
	if said.Error != "" {
		return said, errors.New(said.Error)
	}
	return said, nil
}

// Here says whether a user is logged in.
func Here(uid int) bool {
	return slices.ContainsFunc(LoggedIn(), func(p Person) bool { return p.UID == uid })
}
