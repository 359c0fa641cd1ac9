package machine

import (
	"fmt"
	"strings"
)

// UnitName is how systemd knows the machine's service.
const UnitName = "assist-host.service"

// Unit is the service of a machine under systemd.
type Unit struct {
	Program string // absolute path of assist
	User    string // whose terminal is shared, and who the service runs as
	Home    string // of User: all that the service may write, beside its own folders
	Policy  string
	Display string // X11 display that is shared, too; empty: none
}

// String is the text of the unit (systemd.service(5), systemd.exec(5)). It takes from the service whatever a support session of
// its user can do without; what is left (systemd-analyze security: 2.2) is what such a session is for: the network, the user's
// home, the sight of processes, and programs of any kind, none of which can become root.
func (u Unit) String() string {
	args := []string{u.Program, "host", "--unattended", "--policy", u.Policy}
	if u.Display != "" {
		args = append(args, "--display", u.Display)
	}
	for i, a := range args {
		args[i] = quote(a)
	}
	return fmt.Sprintf(`[Unit]
Description=assist: agents support this machine as its policy allows
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=%s
User=%s
SupplementaryGroups=tty
StateDirectory=assist
StateDirectoryMode=0700
RuntimeDirectory=assist
RuntimeDirectoryMode=0755
UMask=0077
Restart=always
RestartSec=1
RestartPreventExitStatus=2 4
KillMode=mixed
TimeoutStopSec=10

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths=%s
ProtectHome=no
PrivateTmp=no
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`, strings.Join(args, " "), escape(u.User), quote("-"+u.Home))
}

// quote is one word of a command or a list of paths (systemd.syntax(7), systemd.service(5)).
func quote(s string) string {
	s = escape(s)
	if strings.ContainsAny(s, " \t'\"\\;$") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", "$$").Replace(s) + `"`
	}
	return s
}

// escape keeps systemd from reading specifiers, and a text from being more than one line.
func escape(s string) string {
	return strings.NewReplacer("%", "%%", "\n", "", "\r", "", "\x00", "").Replace(s)
}
