package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/nftables"

	"assist/diag"
)

func security(_ context.Context, m *Machine, s *section) {
	m.mighty(s)
	m.recentLogins(s)
	m.failedLogins(s)
	m.firewall(s)
	m.confinement(s)
	m.encryption(s)
	m.certificates(s)
	m.sshd(s)
}

// mighty lists who can become root.
func (m *Machine) mighty(s *section) {
	var roots, extra []string
	primary := map[string][]string{} // by gid
	for _, line := range m.lines("/etc/passwd") {
		f := strings.Split(line, ":")
		if len(f) < 4 {
			continue
		}
		primary[f[3]] = append(primary[f[3]], f[0])
		if f[2] == "0" && f[0] != "root" {
			roots = append(roots, f[0])
		}
	}
	s.find(diag.Roots(roots))
	s.text("root under another name", strings.Join(roots, ", "))
	s.under("may become root", "", func() {
		for _, line := range m.lines("/etc/group") {
			f := strings.Split(line, ":")
			if len(f) < 4 || !slices.Contains([]string{"sudo", "wheel", "admin", "docker", "lxd"}, f[0]) {
				continue
			}
			members := primary[f[2]]
			if f[3] != "" {
				members = append(slices.Clone(members), strings.Split(f[3], ",")...)
			}
			if len(members) > 0 {
				s.text("group "+f[0], strings.Join(members, ", "))
			}
		}
		for _, path := range append([]string{"/etc/sudoers"}, m.glob("/etc/sudoers.d/*")...) {
			text, err := m.read(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.missing(path, err)
			}
			extra = append(extra, sudoers(text)...)
		}
		slices.Sort(extra)
		for _, who := range slices.Compact(extra) {
			s.text("sudo", who)
		}
	})
}

// sudoers lists who a sudoers file names: sudoers(5). What they may run is left out.
func sudoers(text string) (who []string) {
	for _, line := range splitLines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") || strings.HasPrefix(f[0], "@") || strings.HasPrefix(f[0], "Defaults") ||
			strings.HasSuffix(f[0], "_Alias") || !strings.Contains(line, "=") {
			continue
		}
		free := ""
		if strings.Contains(line, "NOPASSWD") {
			free = " without a password"
		}
		who = append(who, f[0]+free)
	}
	return who
}

func (m *Machine) recentLogins(s *section) {
	all, err := m.logins("/var/log/wtmp")
	if err != nil {
		s.missing("last logins", err)
		return
	}
	s.under("last logins", "", func() {
		n := 0
		for _, e := range slices.Backward(all) {
			if e.kind != loginUser || n == 10 {
				continue
			}
			n++
			from := ""
			if e.host != "" {
				from = " from " + e.host
			}
			s.text(e.user, e.at.Format("2006-01-02 15:04")+" on "+e.line+from)
		}
		if n == 0 {
			s.text("nobody", "wtmp names no login")
		}
	})
}

func (m *Machine) failedLogins(s *section) {
	all, err := m.logins("/var/log/btmp")
	if err != nil {
		s.missing("failed logins", err)
		return
	}
	from, n := map[string]int{}, 0
	for _, e := range all {
		if s.now.Sub(e.at) < 24*time.Hour && (e.kind == loginFailed || e.kind == loginUser) {
			n++
			if e.host != "" {
				from[e.host]++
			}
		}
	}
	most := ""
	for host, k := range from {
		if most == "" || k > from[most] || k == from[most] && host < most {
			most = host
		}
	}
	s.num("failed logins in the last day", float64(n), diag.Count)
	s.find(diag.Logins(n, most))
}

// firewall asks the kernel for its rules over netlink, and looks for the older kind beside them.
func (m *Machine) firewall(s *section) {
	rules, drops := 0, false
	old := strings.Join(append(m.lines("/proc/net/ip_tables_names"), m.lines("/proc/net/ip6_tables_names")...), ", ")
	c, err := nftables.New()
	if err == nil {
		rules, drops, err = inputRules(c)
	}
	switch {
	case errors.Is(err, os.ErrPermission):
		s.note("firewall: only root may ask for its rules")
		return
	case err != nil && old == "":
		s.note("firewall: the kernel here has none (" + err.Error() + ")")
	}
	how := fmt.Sprintf("%d rules for what comes in", rules)
	switch {
	case drops:
		how += ", the rest is dropped"
	case old != "":
		how += "; older tables: " + old
		rules++ // they may filter; their rules cannot be counted without a tool
	}
	s.text("firewall", how)
	s.find(diag.Firewall(rules, drops, how))
}

// inputRules counts the rules of chains for what comes in, and says whether one of them drops the rest.
func inputRules(c *nftables.Conn) (rules int, drops bool, err error) {
	chains, err := c.ListChains()
	if err != nil {
		return 0, false, err
	}
	for _, ch := range chains {
		in := ch.Hooknum != nil && *ch.Hooknum == *nftables.ChainHookInput
		if !in || ch.Type != nftables.ChainTypeFilter {
			continue
		}
		drops = drops || ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop
		got, err := c.GetRules(ch.Table, ch)
		if err != nil {
			return rules, drops, err
		}
		rules += len(got)
	}
	return rules, drops, nil
}

// confinement says what keeps programs in their place.
func (m *Machine) confinement(s *section) {
	switch m.word("/sys/fs/selinux/enforce") {
	case "1":
		s.text("SELinux", "enforcing")
	case "0":
		s.text("SELinux", "permissive: it only writes what it would refuse")
	default:
		s.text("SELinux", "not active")
	}
	if m.word("/sys/module/apparmor/parameters/enabled") != "Y" {
		s.text("AppArmor", "not active")
		return
	}
	text, err := m.read("/sys/kernel/security/apparmor/profiles")
	if err != nil {
		s.text("AppArmor", "active")
		s.missing("AppArmor's profiles", err)
		return
	}
	s.text("AppArmor", fmt.Sprintf("active, %d profiles, %d of them enforced", len(splitLines(text)), strings.Count(text, "(enforce)")))
}

// encryption says which mounted file systems lie on an encrypted disk.
func (m *Machine) encryption(s *section) {
	all, _ := m.mounts()
	seen := map[string]bool{}
	s.under("disk encryption", "", func() {
		for _, f := range all {
			if pseudo[f.kind] || !strings.HasPrefix(f.source, "/dev/") || seen[f.device] {
				continue
			}
			seen[f.device] = true
			how := "not encrypted by this machine"
			if m.encrypted("/sys/dev/block/"+f.device, 0) {
				how = "encrypted"
			}
			s.text(f.point, how)
		}
	})
}

// encrypted looks for dm-crypt below a block device.
func (m *Machine) encrypted(dir string, depth int) bool {
	if strings.HasPrefix(m.word(dir+"/dm/uuid"), "CRYPT-") {
		return true
	}
	for _, below := range m.list(dir + "/slaves") {
		if depth < 8 && m.encrypted(dir+"/slaves/"+below, depth+1) {
			return true
		}
	}
	return false
}

// sshd says who may come in by ssh with a password.
func (m *Machine) sshd(s *section) {
	lines := m.lines("/etc/ssh/sshd_config")
	if len(lines) == 0 {
		return
	}
	for _, more := range m.glob("/etc/ssh/sshd_config.d/*.conf") {
		lines = append(m.lines(more), lines...) // they are included at the top, and the first word counts
	}
	set := map[string]string{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) > 0 && strings.EqualFold(f[0], "Match") {
			break
		}
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if k := strings.ToLower(f[0]); set[k] == "" {
			set[k] = strings.ToLower(f[1])
		}
	}
	root, pass := set["permitrootlogin"], set["passwordauthentication"]
	if root == "" {
		root = "prohibit-password"
	}
	if pass == "" {
		pass = "yes"
	}
	s.under("ssh", "", func() {
		s.text("root may come in", root)
		s.text("passwords", pass)
	})
	f := diag.Finding{ID: "security.ssh", Category: diag.Security, Evidence: "root does not come in by ssh with a password"}
	if root == "yes" && pass == "yes" {
		f.Severity, f.Evidence, f.Advice = diag.Warn, "root may come in by ssh with a password", "set PermitRootLogin to prohibit-password, or PasswordAuthentication to no"
	}
	s.find(f)
}
