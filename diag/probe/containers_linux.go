package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"assist/diag"
)

// engines are where Docker's API is answered: docker and podman.
var engines = []struct{ name, socket string }{
	{"docker", "/run/docker.sock"},
	{"podman", "/run/podman/podman.sock"},
}

func containers(ctx context.Context, m *Machine, s *section) {
	if in := m.insideOf(); in != "" {
		s.text("this machine is itself in", in)
	}
	found := false
	all := engines
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" && m.Root == "" {
		all = append(all[:len(all):len(all)], struct{ name, socket string }{"podman of this user", run + "/podman/podman.sock"})
	}
	for _, e := range all {
		if _, err := os.Stat(m.at(e.socket)); err != nil {
			continue
		}
		found = true
		list, err := engine(ctx, m.at(e.socket))
		if err != nil {
			s.missing(e.name, err)
			continue
		}
		s.under(e.name, fmt.Sprintf("%d containers", len(list)), func() {
			for _, c := range list {
				s.text(c.name(), c.State+", "+c.Status+", image "+c.Image)
				if why := c.sick(); why != "" {
					s.find(diag.Sick(c.name(), why))
				}
			}
		})
		if len(list) == 0 {
			s.text(e.name, "no containers")
		}
	}
	for _, name := range m.list("/var/lib/lxc") {
		found = true
		s.text("lxc "+name, "defined")
	}
	if !found {
		s.note("containers: no docker, podman or lxc here")
	}
}

// insideOf says in what kind of container this program runs itself.
func (m *Machine) insideOf() string {
	for _, mark := range []struct{ file, name string }{{"/.dockerenv", "docker"}, {"/run/.containerenv", "podman"}} {
		if _, err := os.Stat(m.at(mark.file)); err == nil {
			return mark.name
		}
	}
	for _, kv := range strings.Split(m.word("/proc/1/environ"), "\x00") {
		if name, ok := strings.CutPrefix(kv, "container="); ok {
			return name
		}
	}
	return ""
}

// container is what GET /containers/json says of one.
type container struct {
	ID     string   `json:"Id"`
	Names  []string `json:"Names"`
	Image  string   `json:"Image"`
	State  string   `json:"State"`
	Status string   `json:"Status"`
}

func (c container) name() string {
	if len(c.Names) > 0 {
		return strings.TrimPrefix(c.Names[0], "/")
	}
	return diag.Clip(c.ID, 12)
}

// sick says why somebody should look.
func (c container) sick() string {
	switch {
	case c.State == "restarting" || c.State == "dead":
		return c.State + ": " + c.Status
	case strings.Contains(c.Status, "(unhealthy)"):
		return c.Status
	}
	return ""
}

// engine lists the containers of one engine.
func engine(ctx context.Context, socket string) ([]container, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/containers/json?all=1&limit=200", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			return nil, os.ErrPermission
		}
		return nil, errors.New("it does not answer")
	}
	defer resp.Body.Close()
	var out []container
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxFile)).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	return out, nil
}
