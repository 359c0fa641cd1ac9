package account

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

const (
	recentFile = "recent.json"
	keepRecent = 20                 // sessions that are remembered
	forgetFrom = 7 * 24 * time.Hour // and for how long
)

// Recent is a session that this user was in.
type Recent struct {
	Code     string    `json:"code"`
	URL      string    `json:"url,omitempty"` // with the host's key, where it was known
	Relay    string    `json:"relay"`
	Machine  string    `json:"machine"` // as the host calls itself, sanitised
	Customer string    `json:"customer"`
	Began    time.Time `json:"began"`
	Over     bool      `json:"over"` // it has ended for everyone
}

// Recent lists the sessions that are remembered, newest first.
func (b *Book) Recent(now time.Time) ([]Recent, error) {
	var all []Recent
	err := readJSON(filepath.Join(b.state, recentFile), &all)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(all, func(r Recent) bool { return now.Sub(r.Began) > forgetFrom }), err
}

// Remember puts a session in front; what was known of it is replaced.
func (b *Book) Remember(now time.Time, r Recent) error {
	all, err := b.Recent(now)
	if err != nil {
		all = nil // a file that cannot be read is begun anew
	}
	all = slices.DeleteFunc(all, func(old Recent) bool { return old.Code == r.Code && old.Relay == r.Relay })
	all = append([]Recent{r}, all...)
	return writeJSON(filepath.Join(b.state, recentFile), all[:min(len(all), keepRecent)])
}
