package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"assist/session/broker"
	"assist/session/broker/store"
)

// relayPlace is where a relay keeps what survives it.
type relayPlace struct {
	data string // folder
	db   string // PostgreSQL; empty: SQLite in the folder
}

// dbVariable takes the database's address with a password, which must not stand in a command line.
const dbVariable = "ASSIST_DB"

func (p *relayPlace) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&p.data, "data", "", "folder for database and keys (default $STATE_DIRECTORY, else assist-relay in the user's data folder)")
	cmd.PersistentFlags().StringVar(&p.db, "db", "", "PostgreSQL database that the relays of a fleet share, postgres://USER@HOST/NAME (default $"+dbVariable+", else SQLite in --data)")
}

// address is the database's, empty for SQLite.
func (p *relayPlace) address() (string, error) {
	if p.db == "" {
		return os.Getenv(dbVariable), nil
	}
	u, err := url.Parse(p.db)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", usage(errors.New("--db takes a PostgreSQL address"), "for example --db postgres://assist@db.example/assist")
	}
	if _, secret := u.User.Password(); secret || u.Query().Has("password") {
		return "", usage(errors.New("a password in --db could be read by every user of this machine"),
			"put it into the password file (~/.pgpass), PGPASSWORD, or the whole address into "+dbVariable)
	}
	return p.db, nil
}

// open opens the database.
func (p *relayPlace) open(ctx context.Context) (s *store.Store, dir string, err error) {
	if dir, err = dataFolder(p.data); err != nil {
		return nil, "", err
	}
	addr, err := p.address()
	if err != nil {
		return nil, "", err
	}
	if addr == "" {
		s, err = store.Open(ctx, dir)
		return s, dir, err
	}
	if s, err = store.OpenPostgres(ctx, addr); err != nil && !errors.Is(err, store.ErrNewer) {
		err = &exitError{Code: exitFailed, Err: err, Hint: "is PostgreSQL there, and may this user log in and make tables in that database?"}
	}
	return s, dir, err
}

// dataFolder is where a relay keeps its database and keys; it is made when it is not there.
func dataFolder(flag string) (string, error) {
	dir := flag
	if dir == "" {
		dir = os.Getenv("STATE_DIRECTORY") // systemd's StateDirectory=
	}
	if dir == "" {
		xdg.Reload()
		dir = filepath.Join(xdg.DataHome, "assist-relay")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return dir, nil
}

// checkFleet says what is missing for a relay among others.
func (f *relayFlags) checkFleet() error {
	addr, err := f.address()
	switch {
	case err != nil:
		return err
	case addr == "" && (f.advertise != "" || f.region != ""):
		return usage(errors.New("--advertise and --region are for relays that share a database"), "--db names it")
	case addr == "":
		return nil
	}
	if f.advertise == "" {
		f.advertise = f.listen
	}
	host, port, err := net.SplitHostPort(f.advertise)
	ip, _ := netip.ParseAddr(host)
	if err != nil || host == "" || port == "" || ip.IsUnspecified() {
		return usage(fmt.Errorf("%q is no address that others can dial", f.advertise), "--advertise relay1.example:8443 names this very relay")
	}
	return nil
}

// fleet is what this relay says of itself to others; nil when it is alone.
func (f *relayFlags) fleet(dir string, r *relayParts) (*broker.Fleet, error) {
	if addr, err := f.address(); err != nil || addr == "" {
		return nil, err
	}
	id, err := broker.RelayID(dir)
	if err != nil {
		return nil, err
	}
	out := &broker.Fleet{ID: id, Addr: f.advertise, Region: f.region, Conns: r.server.Conns}
	if f.acme != "" { // its certificate is one that everybody trusts, and comes once the relay listens
		return out, nil
	}
	pin, err := r.cert.pin(context.Background())
	out.Pin = string(pin)
	if _, port, err := net.SplitHostPort(f.advertise); err == nil && port == "0" { // any free port, for tests
		out.Addr = r.server.Addr().String()
	}
	return out, err
}
