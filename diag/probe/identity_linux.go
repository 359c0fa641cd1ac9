package probe

import (
	"context"
	"strings"

	"github.com/shirou/gopsutil/v4/host"

	"assist/diag"
)

func identity(ctx context.Context, m *Machine, s *section) {
	identityBasics(ctx, s)
	hardware(ctx, m, s)
	s.text("boot id", m.word("/proc/sys/kernel/random/boot_id"))
	lastBoot(m, s)
	identityUsers(ctx, s)
}

// hardware says what the machine is made of, or what it only believes to be.
func hardware(ctx context.Context, m *Machine, s *section) {
	if system, role, err := host.VirtualizationWithContext(ctx); err == nil && system != "" {
		s.text("virtualisation", system+" "+role)
	} else if what, err := ask(ctx, "systemd-detect-virt"); err == nil || strings.TrimSpace(what) == "none" {
		s.text("virtualisation", strings.TrimSpace(what))
	} else {
		s.text("virtualisation", "none found")
	}
	const dmi = "/sys/class/dmi/id/"
	s.text("maker", strings.TrimSpace(m.word(dmi+"sys_vendor")+" "+m.word(dmi+"product_name")))
	s.text("firmware", strings.TrimSpace(m.word(dmi+"bios_vendor")+" "+m.word(dmi+"bios_version")+" "+m.word(dmi+"bios_date")))
	if model := strings.Trim(m.word("/proc/device-tree/model"), "\x00"); model != "" {
		s.text("maker", model)
	}
	if len(m.list("/sys/firmware/efi")) > 0 {
		s.text("started by", "UEFI")
	}
}

// lastBoot says why the machine was started, as far as it is recorded.
func lastBoot(m *Machine, s *section) {
	for _, dog := range m.glob("/sys/class/watchdog/*/bootstatus") {
		if w := m.word(dog); w != "" && w != "0" {
			s.text("boot reason", "a watchdog reset the machine (bootstatus "+w+")")
		}
	}
	entries, err := m.logins("/var/log/wtmp")
	if err != nil {
		s.missing("boot reason (wtmp)", err)
		return
	}
	down, boots := false, 0
	clean := false
	for _, e := range entries {
		switch {
		case e.kind == loginDown:
			down = true
		case e.kind == loginBoot:
			clean, down = down, false
			boots++
		}
	}
	if boots == 0 {
		s.note("boot reason: wtmp holds no start of this machine")
		return
	}
	if boots > 1 { // the first start that a log remembers has nothing before it
		s.find(diag.Unclean(clean))
	}
	reason := "started after it was shut down in order"
	if !clean {
		reason = "no shutdown is recorded before this start"
	}
	s.text("boot reason", reason)
}
