package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/console"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a console whose host agrees to everything, or to nothing.
type fake struct {
	mu       sync.Mutex
	st       console.State
	log      []chat.Entry
	no       error
	mute     bool // the host does not answer
	asked    []console.Command
	watchers map[chan struct{}]bool
	played   []screen.Input
	streams  []fakeStream
	text     *screen.TextGrid
}

var day = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func newFake() *fake {
	return &fake{watchers: map[chan struct{}]bool{}, st: console.State{
		Phase: console.In, Code: "12345678", URL: "https://relay.example/j/12345678#1.abc", Customer: "Carla", HostName: "web-01",
		Started: day, Self: 2, Roster: session.Roster{Lead: 2, Members: []session.Member{
			{ID: 1, Name: "Carla", Role: session.Customer, Grants: session.AllGrants, Presence: session.Here, Consoles: 1},
			{ID: 2, Name: "Anna Berg", Handle: "anna@acme", Org: "Acme", Trust: session.VerifiedOrg, Role: session.Lead, Grants: session.View | session.Control | session.Chat, Presence: session.Here, Consoles: 2},
			{ID: 3, Name: "Erik Vogt", Handle: "erik@acme", Org: "Acme", Trust: session.RelayOnly, Role: session.Agent, Presence: session.Here, Consoles: 1},
			{ID: 4, Name: "Erika Lund", Handle: "erika@beta", Org: "Beta", Role: session.Agent, Grants: session.View, Presence: session.Away, Consoles: 1},
			{ID: 5, Name: "Gone", Role: session.Agent, Presence: session.Gone},
		}},
	}}
}

func (f *fake) State() console.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.st
	st.Newest = chat.Seq(len(f.log))
	return st
}

func (f *fake) Log(after chat.Seq) []chat.Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log[min(int(after), len(f.log)):]
}

func (f *fake) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, c)
	}
}

// change is what the host says.
func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	for c := range f.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (f *fake) add(e chat.Entry) chat.Seq {
	e.Seq, e.Time = chat.Seq(len(f.log)+1), day
	f.log = append(f.log, e)
	return e.Seq
}

func (f *fake) Ask(ctx context.Context, c console.Command) (seq chat.Seq, err error) {
	f.change(func() {
		f.asked = append(f.asked, c)
		if f.no != nil || f.mute {
			err = f.no
			return
		}
		switch c := c.(type) {
		case console.Say:
			seq = f.add(chat.Entry{From: 2, Name: "Anna Berg", Lane: c.Lane, Kind: chat.Said, Text: c.Text})
		case console.Leave:
			f.st.Phase, f.st.Why = console.Over, "you left the session"
		}
	})
	if f.mute {
		<-ctx.Done()
		err = ctx.Err()
	}
	return seq, err
}

func (f *fake) Invite(_ context.Context, c console.Invite) (made console.Invitation, err error) {
	f.change(func() {
		if err = f.no; err == nil {
			made = console.Invitation{Code: "87654321", URL: "https://relay.example/j/87654321#1.abc", For: c.For, ViewOnly: c.ViewOnly}
			if c.Life != 0 {
				made.Expires = day.Add(c.Life)
			}
			f.st.Invites = append(f.st.Invites, made)
		}
	})
	return made, err
}

func (f *fake) Invites(context.Context) ([]console.Invitation, error) { return f.State().Invites, f.no }

func (f *fake) RevokeInvite(_ context.Context, code string) error {
	err := errors.New("no open invitation has this code")
	f.change(func() {
		if len(f.st.Invites) == 1 && f.st.Invites[0].Code == code {
			f.st.Invites, err = nil, nil
		}
	})
	return err
}

func (f *fake) commands() []console.Command {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// home gives the test run-time and state folders of its own, short enough for a socket's name.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "al")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(dir, "run"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	return dir
}

// serve runs a console's socket until the test ends and returns when it can be found.
func serve(t *testing.T, f *fake, allow func(*net.UnixConn) error) {
	t.Helper()
	if allow == nil {
		allow = samePeer
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	before := len(live())
	s := &server{console: f, allow: allow, room: make(chan struct{}, maxCalls)}
	go func() { done <- s.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	await(t, func() bool { return len(live()) > before })
}

// await waits for what another goroutine will do.
func await(t *testing.T, what func() bool) {
	t.Helper()
	for range 2000 {
		if what() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it did not happen")
}

func dial(t *testing.T, code string) *Client {
	t.Helper()
	c, err := Dial(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func js(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// code is that of a no.
func code(err error) string {
	var no *Error
	if !errors.As(err, &no) {
		return fmt.Sprint(err)
	}
	return no.Code
}

func TestWhatScriptsRead(t *testing.T) {
	home(t)
	f := newFake()
	f.add(chat.Entry{From: 3, Name: "Erik Vogt", Lane: chat.Everyone, Kind: chat.Joined, Text: "Acme"})
	f.add(chat.Entry{From: 3, Name: "Erik Vogt", Lane: chat.AgentsOnly, Kind: chat.Said, Text: "a <b>\nc"})
	serve(t, f, nil)
	c := dial(t, "")
	roster, err := c.Roster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var log []Entry
	if err := c.Chat(t.Context(), 0, false, func(e Entry) error { log = append(log, e); return nil }); err != nil {
		t.Fatal(err)
	}
	invite, err := c.Invite(t.Context(), Invitee{})
	if err != nil {
		t.Fatal(err)
	}
	said, err := c.Say(t.Context(), LaneAgents, "hello")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what any
		want string
	}{
		{roster[:3], `[{"id":1,"name":"Carla","org":"","verified":false,"role":"customer","grants":["view","control","chat","diag","clipboard","file","run"],"state":"here","consoles":1},` +
			`{"id":2,"name":"Anna Berg","org":"Acme","verified":true,"role":"lead","grants":["view","control","chat"],"state":"here","consoles":2},` +
			`{"id":3,"name":"Erik Vogt","org":"Acme","verified":false,"role":"agent","grants":[],"state":"here","consoles":1}]`},
		{len(roster), "4"}, // who is gone is not in it
		{log, `[{"seq":1,"time":"2026-03-01T09:30:00Z","from":"Erik Vogt","lane":"all","kind":"joined","text":"Acme"},` +
			`{"seq":2,"time":"2026-03-01T09:30:00Z","from":"Erik Vogt","lane":"agents","kind":"said","text":"a <b>\nc"}]`},
		{invite, `{"code":"87654321","url":"https://relay.example/j/87654321#1.abc","expires":""}`},
		{said, `{"seq":3}`},
		{f.commands(), `[{"Lane":2,"Text":"hello"}]`},
		{Live(t.Context()), `[{"code":"12345678","customer":"Carla","host":"web-01","state":"in","started":"2026-03-01T09:30:00Z","agents":3}]`},
	} {
		if got := js(t, x.what); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}

func TestInvitationsAreMadeListedAndRevoked(t *testing.T) {
	home(t)
	f := newFake()
	f.st.Phase = console.AwaitingHost
	serve(t, f, nil)
	c := dial(t, "")
	if _, err := c.Roster(t.Context()); code(err) != NotIn {
		t.Errorf("roster before the customer came: %v", err)
	}
	made, err := c.Invite(t.Context(), Invitee{For: "beta", ViewOnly: true, Life: 10 * time.Minute})
	want := Invite{Code: "87654321", URL: "https://relay.example/j/87654321#1.abc", Expires: "2026-03-01T09:40:00Z", For: "beta", ViewOnly: true}
	if err != nil || made != want {
		t.Errorf("%+v, %v", made, err)
	}
	if open, err := c.Invites(t.Context()); err != nil || len(open) != 1 || open[0] != want {
		t.Errorf("%+v, %v", open, err)
	}
	if err := c.RevokeInvite(t.Context(), "11111111"); code(err) != Refused {
		t.Errorf("a wrong code: %v", err)
	}
	if err := c.RevokeInvite(t.Context(), made.Code); err != nil {
		t.Error(err)
	}
	if open, err := c.Invites(t.Context()); err != nil || js(t, open) != "[]" {
		t.Errorf("%+v, %v", open, err)
	}
	if _, err := c.Invite(t.Context(), Invitee{Life: 400 * 24 * time.Hour}); code(err) != BadRequest {
		t.Errorf("a year: %v", err)
	}
	f.change(func() { f.st.Phase = console.Knocking })
	if _, err := c.Invite(t.Context(), Invitee{}); code(err) != NotIn {
		t.Errorf("at the door: %v", err)
	}
}

func TestFollowMissesNothingAndEndsWithTheSession(t *testing.T) {
	home(t)
	f := newFake()
	f.add(chat.Entry{Kind: chat.Said, Lane: chat.Everyone, Text: "0"})
	serve(t, f, nil)
	got := make(chan Entry, 1000)
	done := make(chan error, 1)
	c := dial(t, "")
	go func() { done <- c.Chat(t.Context(), 0, true, func(e Entry) error { got <- e; return nil }) }()
	<-got
	for i := range 500 {
		f.change(func() { f.add(chat.Entry{Kind: chat.Said, Lane: chat.Everyone, Text: fmt.Sprint(i)}) })
	}
	f.change(func() {
		f.add(chat.Entry{Kind: chat.Ended, Lane: chat.Everyone, Text: "stopped"})
		f.st.Phase = console.Over
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i := range 501 {
		if e := <-got; int(e.Seq) != i+2 {
			t.Fatalf("entry %d where %d was expected", e.Seq, i+2)
		}
	}
	if _, err := Dial(""); !errors.Is(err, ErrNoSession) {
		t.Errorf("found after its end: %v", err)
	}
}

func TestFollowerMayGo(t *testing.T) {
	home(t)
	f := newFake()
	serve(t, f, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := dial(t, "")
	go func() { done <- c.Chat(ctx, 0, true, func(Entry) error { cancel(); return nil }) }()
	f.change(func() { f.add(chat.Entry{Kind: chat.Said, Lane: chat.Everyone, Text: "x"}) })
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	await(t, func() bool { // the console watches for itself only
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.watchers) == 1
	})
}

func TestSay(t *testing.T) {
	home(t)
	f := newFake()
	serve(t, f, nil)
	c := dial(t, "")
	if _, err := c.Say(t.Context(), "customer", "x"); code(err) != BadRequest {
		t.Errorf("lane: %v", err)
	}
	if _, err := c.Say(t.Context(), "", strings.Repeat("x", chat.MaxBodyRunes+1)); code(err) != BadRequest {
		t.Errorf("long: %v", err)
	}
	if _, err := c.Say(t.Context(), "", strings.Repeat("x", maxRequest)); code(err) != BadRequest {
		t.Errorf("too long to be sent: %v", err)
	}
	if len(f.commands()) != 0 {
		t.Errorf("said: %v", f.commands())
	}
	f.change(func() { f.no = errors.New("slowly") })
	if _, err := c.Say(t.Context(), "", "x"); code(err) != Refused || err.Error() != "slowly" {
		t.Errorf("refused: %v", err)
	}
}

func TestLeaveAndEnd(t *testing.T) {
	for _, c := range []struct {
		do   func(*Client) error
		want session.LeaveHow
	}{
		{func(c *Client) error { return c.Leave(t.Context()) }, session.LeaveOnly},
		{func(c *Client) error { return c.End(t.Context()) }, session.EndForAll},
	} {
		home(t)
		f := newFake()
		serve(t, f, nil)
		if err := c.do(dial(t, "12345678")); err != nil {
			t.Fatal(err)
		}
		if got := f.commands(); len(got) != 1 || got[0] != (console.Leave{How: c.want}) {
			t.Errorf("%v", got)
		}
		await(t, func() bool { return len(live()) == 0 })
	}
	home(t)
	f := newFake()
	f.no = errors.New("only the lead can do that")
	serve(t, f, nil)
	if err := dial(t, "").End(t.Context()); code(err) != Refused {
		t.Errorf("%v", err)
	}
}

func TestHandOver(t *testing.T) {
	home(t)
	f := newFake()
	f.add(chat.Entry{From: 3, About: 2, Kind: chat.Declined, Lane: chat.AgentsOnly}) // an older one
	serve(t, f, nil)
	c := dial(t, "")
	hand := func(name string, answer func()) error {
		_, err := c.HandOver(t.Context(), name, "look at the printer", func(Member) {
			if answer != nil {
				f.change(answer)
			}
		})
		return err
	}
	for name, want := range map[string]string{"": NoMember, "nobody": NoMember, "gone": NoMember, "carla": NoMember, "anna": NoMember, "eri": Ambiguous} {
		if err := hand(name, nil); code(err) != want {
			t.Errorf("hand over to %q: %v, want %s", name, err, want)
		}
	}
	if len(f.commands()) != 0 {
		t.Fatalf("asked: %v", f.commands())
	}
	declined := func() {
		f.add(chat.Entry{From: 3, About: 2, Kind: chat.Declined, Lane: chat.AgentsOnly})
	}
	if err := hand("erik vogt", declined); code(err) != Declined {
		t.Errorf("declined: %v", err)
	}
	if err := hand("erik@", func() { f.st.Roster.Lead = 4 }); code(err) != Declined {
		t.Errorf("somebody else: %v", err)
	}
	f.change(func() { f.st.Roster.Lead = 2 })
	if err := hand("3", func() { f.st.Roster.Lead = 3 }); err != nil {
		t.Errorf("accepted: %v", err)
	}
	if got := f.commands(); len(got) != 3 || got[2] != (console.HandOver{To: 3, Note: "look at the printer"}) {
		t.Errorf("%v", got)
	}
}

// raw says anything to the socket and returns the first line that it answers.
func raw(t *testing.T, send string) string {
	t.Helper()
	conn, err := net.Dial("unix", live()[0].path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = conn.Write([]byte(send)) }()
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return line
}

func TestHostileRequests(t *testing.T) {
	home(t)
	f := newFake()
	serve(t, f, nil)
	for name, send := range map[string]string{
		"huge line":     strings.Repeat("x", 2*maxRequest),
		"no JSON":       "GET / HTTP/1.1\n",
		"wrong type":    `{"v":1,"verb":["roster"]}` + "\n",
		"other version": `{"v":2,"verb":"roster"}` + "\n",
		"no version":    `{"verb":"end"}` + "\n",
		"unknown verb":  `{"v":1,"verb":"consent"}` + "\n",
		"deep":          strings.Repeat("[", 20000) + "\n",
	} {
		if got := raw(t, send); !strings.Contains(got, `"bad_request"`) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := f.commands(); len(got) != 0 {
		t.Errorf("it obeyed: %v", got)
	}
	if _, err := dial(t, "").Roster(t.Context()); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestOtherUsersAreNotAnswered(t *testing.T) {
	home(t)
	f := newFake()
	serve(t, f, func(*net.UnixConn) error { return errors.New("user 4711 is not the owner") })
	if got := raw(t, `{"v":1,"verb":"leave"}`+"\n"); got != "" {
		t.Errorf("answered: %q", got)
	}
	if len(f.commands()) != 0 {
		t.Error("obeyed")
	}
}

func TestTooManyCalls(t *testing.T) {
	home(t)
	f := newFake()
	serve(t, f, nil)
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	path := live()[0].path
	for range maxCalls {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		fmt.Fprintln(c, `{"v":1,"verb":"chat","follow":true}`)
	}
	await(t, func() bool {
		_, err := dial(t, "").Roster(t.Context())
		return code(err) == Busy
	})
	open[0].Close()
	await(t, func() bool {
		_, err := dial(t, "").Roster(t.Context())
		return err == nil
	})
}

func TestSocketIsForItsOwnerOnly(t *testing.T) {
	dir := home(t)
	serve(t, newFake(), nil)
	path := live()[0].path
	if !strings.HasPrefix(path, filepath.Join(dir, "run", "assist")+"/12345678-") {
		t.Errorf("socket at %s", path)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, fi.Mode(), err)
		}
	}
}

func TestOpenFolderIsNotUsed(t *testing.T) {
	dir := home(t)
	open := filepath.Join(dir, "run", "assist")
	if err := os.MkdirAll(open, 0o755); err != nil {
		t.Fatal(err)
	}
	serve(t, newFake(), nil)
	if got := live()[0].path; !strings.HasPrefix(got, filepath.Join(dir, "state", "assist", "run")) {
		t.Errorf("socket at %s", got)
	}
}

func TestNoRuntimeFolder(t *testing.T) {
	dir := home(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	serve(t, newFake(), nil)
	if got := live()[0].path; !strings.HasPrefix(got, filepath.Join(dir, "state", "assist", "run")) {
		t.Errorf("socket at %s", got)
	}
}

func TestDeadSocketsAreRemovedAndOnlyThose(t *testing.T) {
	dir := home(t)
	folder := filepath.Join(dir, "run", "assist")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(folder, "11111111-99999-1.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	file := filepath.Join(folder, "22222222-1-1.sock")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(""); !errors.Is(err, ErrNoSession) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(dead); !os.IsNotExist(err) {
		t.Error("the dead socket is still there")
	}
	if _, err := os.Lstat(file); err != nil {
		t.Error("a file that is no socket was removed")
	}
}

func TestNewestSessionIsMeant(t *testing.T) {
	home(t)
	older, newer := newFake(), newFake()
	older.st.Code, newer.st.Code = "99999999", "11111111"
	serve(t, older, nil)
	past := time.Now().Add(-time.Minute)
	if err := os.Chtimes(live()[0].path, past, past); err != nil {
		t.Fatal(err)
	}
	serve(t, newer, nil)
	if c := dial(t, ""); c.Code != "11111111" {
		t.Errorf("got %s", c.Code)
	}
	if c := dial(t, "99999999"); c.Code != "99999999" {
		t.Errorf("got %s", c.Code)
	}
	if _, err := Dial("00000000"); !errors.Is(err, ErrNoSession) {
		t.Errorf("%v", err)
	}
	if got := Live(t.Context()); len(got) != 2 || got[0].Code != "11111111" {
		t.Errorf("%v", got)
	}
}

func TestSocketFollowsTheCode(t *testing.T) {
	home(t)
	f := newFake()
	f.st.Code, f.st.Phase = "", console.Connecting
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- Serve(ctx, f) }()
	await(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.watchers) == 1 })
	if len(live()) != 0 {
		t.Error("a socket without a code")
	}
	for _, code := range []string{"12345678", "87654321"} {
		f.change(func() { f.st.Code = code })
		await(t, func() bool { l := live(); return len(l) == 1 && l[0].code == code })
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(live()) != 0 {
		t.Error("the socket is still there")
	}
}

func TestCodeIsNoPath(t *testing.T) {
	home(t)
	f := newFake()
	f.st.Code = "../../x"
	if err := Serve(t.Context(), f); err == nil {
		t.Error("a socket was made")
	}
}

func TestPlainWords(t *testing.T) {
	var b strings.Builder
	at := time.Date(2026, 3, 1, 9, 30, 0, 0, time.Local)
	for _, e := range []Entry{
		{Time: at, From: "Erik", Lane: "all", Kind: "joined", Text: "Acme (verified)"},
		{Time: at, From: "* Erik left\n", Lane: "all", Kind: "said", Text: "hi\n09:30:00 *      Erik left"},
		{Time: at, From: "Erik", Lane: "agents", Kind: "said", Text: "\x1b[2Jx"},
		{Time: at, Kind: "ended", Text: "the customer stopped"},
		{Time: at, From: "Sam", About: "Erik", Kind: "granted", Text: "view, chat"},
		{Time: at, From: "Erik", Kind: "revoked", Text: "control"},
	} {
		if err := WriteEntry(&b, e); err != nil {
			t.Fatal(err)
		}
	}
	want := `09:30:00 *      Erik joined: Acme (verified)
09:30:00 all    <* Erik left␊> hi
                09:30:00 *      Erik left
09:30:00 agents <Erik> ␛[2Jx
09:30:00 *      the session is over: the customer stopped
09:30:00 *      Sam allowed Erik view, chat
09:30:00 *      Erik may no longer control
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	WriteRoster(&b, newRoster(newFake().st.Roster))
	if got := strings.Split(b.String(), "\n")[3]; got != "3   Erik Vogt   Acme (not verified)  agent     here" {
		t.Errorf("%q", got)
	}
}
