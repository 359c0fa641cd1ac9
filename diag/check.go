package diag

import (
	"fmt"
	"time"
)

// This file holds the checks: what is measured goes in, a finding comes out. They are pure; probe measures.

// plenty is how many bytes are enough on a disk however large it is.
const plenty = 20 << 30

// Space judges how full a file system is.
func Space(mount string, used, avail uint64) Finding {
	f := Finding{ID: "disk.space", Category: Disks, Subject: mount}
	total := used + avail
	if total == 0 {
		f.Evidence = "it has no blocks of its own"
		return f
	}
	use := 100 * float64(used) / float64(total)
	f.Evidence = fmt.Sprintf("%.1f %% used, %s free of %s", use, Size(float64(avail)), Size(float64(total)))
	switch {
	case use >= 97 && avail < plenty:
		f.Severity, f.Advice = Bad, "find what is large with `du -xh "+mount+" | sort -h | tail`, then delete or move it; programs fail when they cannot write"
	case use >= 90 && avail < plenty:
		f.Severity, f.Advice = Warn, "make room or enlarge it before it is full; `du -xh "+mount+" | sort -h | tail` shows what is large"
	}
	return f
}

// Inodes judges how many files a file system can still take.
func Inodes(mount string, used, total uint64) Finding {
	f := Finding{ID: "disk.inodes", Category: Disks, Subject: mount, Evidence: "it does not count files"}
	if total == 0 {
		return f
	}
	use := 100 * float64(used) / float64(total)
	f.Evidence = fmt.Sprintf("%.1f %% of inodes used, %d of %d", use, used, total)
	switch {
	case use >= 98:
		f.Severity, f.Advice = Bad, "no more files can be made; look for folders with very many small files (caches, sessions, mail queues)"
	case use >= 90:
		f.Severity, f.Advice = Warn, "look for folders with very many small files before none can be made"
	}
	return f
}

// Smart is what a drive says of itself.
type Smart struct {
	Drive       string
	Passed      bool
	Reallocated int64 // sectors moved away from bad places; -1: it does not say
	Pending     int64 // sectors that could not be read; -1: it does not say
	Worn        int   // percent of its life used; -1: it does not say
	Celsius     float64
}

// Health judges a drive by what it says.
func Health(s Smart) Finding {
	f := Finding{ID: "disk.smart", Category: Disks, Subject: s.Drive, Evidence: "the drive says that it is healthy"}
	switch {
	case !s.Passed:
		f.Severity, f.Evidence, f.Advice = Bad, "the drive says that it is failing", "save what is on it now, and replace it"
	case s.Pending > 0:
		f.Severity, f.Evidence = Bad, fmt.Sprintf("%d sectors could not be read", s.Pending)
		f.Advice = "save what is on it, run `smartctl -t long` on it, and replace it if the number stays"
	case s.Reallocated > 0:
		f.Severity, f.Evidence = Warn, fmt.Sprintf("%d sectors were moved away from bad places", s.Reallocated)
		f.Advice = "look again in a week; replace the drive if the number grows"
	case s.Worn >= 90:
		f.Severity, f.Evidence, f.Advice = Warn, fmt.Sprintf("%d %% of its life is used", s.Worn), "plan to replace it"
	case s.Celsius >= 65:
		f.Severity, f.Evidence, f.Advice = Warn, Celsius.Format(s.Celsius), "look after fans, dust and air"
	}
	return f
}

// ReadOnly judges a file system that was mounted to be written and cannot be now.
func ReadOnly(mount string, errors uint64) Finding {
	f := Finding{ID: "mount.errors", Category: Mounts, Subject: mount, Evidence: "no errors recorded"}
	if errors > 0 {
		f.Severity, f.Evidence = Bad, fmt.Sprintf("the file system has recorded %d errors", errors)
		f.Advice = "look into the event log for the disk's errors, save what is on it, and check it with fsck while it is not mounted"
	}
	return f
}

// MemoryLeft judges how much memory programs can still have.
func MemoryLeft(total, available uint64) Finding {
	f := Finding{ID: "memory.available", Category: Memory}
	if total == 0 {
		return f
	}
	left := 100 * float64(available) / float64(total)
	f.Evidence = fmt.Sprintf("%s of %s available (%.1f %%)", Size(float64(available)), Size(float64(total)), left)
	switch {
	case left < 4:
		f.Severity, f.Advice = Bad, "end or restart what uses most (processes, by memory), or add memory"
	case left < 10:
		f.Severity, f.Advice = Warn, "see which processes use most before the kernel has to end some"
	}
	return f
}

// SwapUse judges swap; moving is pages a second that came in or went out just now.
func SwapUse(total, used uint64, moving float64) Finding {
	f := Finding{ID: "memory.swap", Category: Memory, Evidence: "there is no swap"}
	if total == 0 {
		return f
	}
	use := 100 * float64(used) / float64(total)
	f.Evidence = fmt.Sprintf("%.1f %% of %s used, %.0f pages/s moving", use, Size(float64(total)), moving)
	switch {
	case moving >= 1000:
		f.Severity, f.Advice = Bad, "the machine spends its time moving memory to disk and back: end what uses most, or add memory"
	case use >= 80:
		f.Severity, f.Advice = Warn, "memory was short: see which processes use most"
	}
	return f
}

// Killed judges how often the kernel has ended programs for want of memory since the start.
func Killed(n uint64) Finding {
	f := Finding{ID: "memory.killed", Category: Memory, Evidence: "the kernel ended no program for want of memory since the start"}
	if n > 0 {
		f.Severity, f.Evidence = Warn, fmt.Sprintf("the kernel ended %d programs for want of memory since the start", n)
		f.Advice = "the event log says which (\"Out of memory\"); give it more memory or a limit"
	}
	return f
}

// LoadOf judges the load average of 5 minutes.
func LoadOf(load float64, cpus int) Finding {
	f := Finding{ID: "load.average", Category: Load, Evidence: fmt.Sprintf("%.2f over 5 minutes on %d CPUs", load, cpus)}
	switch per := load / float64(max(cpus, 1)); {
	case per >= 4:
		f.Severity, f.Advice = Bad, "see the processes that use most CPU, and those in state D, which wait for a disk"
	case per >= 1.5:
		f.Severity, f.Advice = Warn, "see the processes that use most CPU"
	}
	return f
}

// Pressure judges how long programs waited for one resource: percent of the last 60 s in which some, and in which all did.
func Pressure(resource string, some, full float64) Finding {
	f := Finding{ID: "load.pressure", Category: Load, Subject: resource, Evidence: fmt.Sprintf("some programs waited %.1f %% of the last minute, all %.1f %%", some, full)}
	bad, warn := full >= 20, full >= 5 || some >= 40
	if resource == "cpu" { // all waiting at once has no meaning for the whole machine
		bad, warn = some >= 90, some >= 60
	}
	advice := map[string]string{
		"cpu": "see the processes that use most CPU", "memory": "see the processes that use most memory", "io": "see which processes write and read most; is a disk failing or full?",
	}[resource]
	if bad {
		f.Severity, f.Advice = Bad, advice
	} else if warn {
		f.Severity, f.Advice = Warn, advice
	}
	return f
}

// Hot judges a temperature; limit is what the sensor calls critical, 0: it does not say.
func Hot(sensor string, celsius, limit float64) Finding {
	f := Finding{ID: "cpu.temperature", Category: CPU, Subject: sensor, Evidence: Celsius.Format(celsius)}
	if limit <= 0 {
		limit = 100
	}
	switch {
	case celsius >= limit:
		f.Severity, f.Advice = Bad, "it is above its limit of "+Celsius.Format(limit)+": shut down what works hard, look after fans and dust"
	case celsius >= limit-10:
		f.Severity, f.Advice = Warn, "it is near its limit of "+Celsius.Format(limit)+": look after fans and dust"
	}
	return f
}

// Zombies judges processes that have ended and whom their parent does not bury.
func Zombies(n int, parents string) Finding {
	f := Finding{ID: "process.zombies", Category: Processes, Evidence: "no process has ended without being collected"}
	if n > 0 {
		f.Severity, f.Evidence = Note, fmt.Sprintf("%d ended and not collected by their parent: %s", n, parents)
		f.Advice = "they use no memory; when they grow, restart the parent"
		if n >= 50 {
			f.Severity = Warn
		}
	}
	return f
}

// Stuck judges processes that wait for a device and cannot be ended.
func Stuck(n int, who string) Finding {
	f := Finding{ID: "process.stuck", Category: Processes, Evidence: "no process waits for a device"}
	if n > 0 {
		f.Severity, f.Evidence = Warn, fmt.Sprintf("%d waited for a device all through the reading: %s", n, who)
		f.Advice = "a disk or network file system does not answer: see pressure, mounts and the event log"
	}
	return f
}

// Failed judges a unit that has failed.
func Failed(unit, why string) Finding {
	return Finding{
		ID: "service.failed", Category: Services, Subject: unit, Severity: Bad, Evidence: why,
		Advice: "`systemctl status " + unit + "` and its event log say why; then restart it",
	}
}

// Restarting judges a unit that starts again and again.
func Restarting(unit string, times uint64, now bool) Finding {
	f := Finding{ID: "service.restarting", Category: Services, Subject: unit, Severity: Warn, Evidence: fmt.Sprintf("restarted by itself %d times", times)}
	f.Advice = "its event log says why it ends"
	if now {
		f.Severity, f.Evidence = Bad, f.Evidence+", and waits to be started again now"
	}
	return f
}

// Certificate judges how long a certificate is still good.
func Certificate(file, name string, until, now time.Time) Finding {
	f := Finding{ID: "certificate.expiry", Category: Security, Subject: file, Evidence: fmt.Sprintf("%s is good until %s", name, until.UTC().Format("2006-01-02"))}
	switch left := until.Sub(now); {
	case left <= 0:
		f.Severity, f.Evidence, f.Advice = Bad, fmt.Sprintf("%s has expired on %s", name, until.UTC().Format("2006-01-02")), "renew it and restart what uses it"
	case left < 7*24*time.Hour:
		f.Severity, f.Advice = Warn, "renew it now; does the timer or job that should do it still run?"
	case left < 30*24*time.Hour:
		f.Severity, f.Advice = Note, "renew it, or see that the timer or job that does it still runs"
	}
	return f
}

// Updates judges packages for which newer versions are known; the lists were fetched at listed.
func Updates(all, security int, listed, now time.Time) Finding {
	f := Finding{ID: "packages.updates", Category: Packages, Evidence: "everything is as new as the package lists of " + Ago(now, listed)}
	switch {
	case security > 0:
		f.Severity, f.Evidence = Warn, fmt.Sprintf("%d updates wait, %d of them for security", all, security)
		f.Advice = "install them"
	case all > 0:
		f.Severity, f.Evidence, f.Advice = Note, fmt.Sprintf("%d updates wait", all), "install them when it suits"
	}
	if old := now.Sub(listed); !listed.IsZero() && old > 30*24*time.Hour && f.Severity < Warn {
		f.Severity, f.Evidence = Warn, "the package lists were fetched "+Ago(now, listed)
		f.Advice = "fetch them anew: what is missing is not known"
	}
	return f
}

// Reboot judges whether a restart is due.
func Reboot(why []string) Finding {
	f := Finding{ID: "reboot.needed", Category: Packages, Evidence: "no restart is due"}
	if len(why) > 0 {
		f.Severity, f.Evidence, f.Advice = Warn, why[0], "restart the machine when it suits"
		for _, w := range why[1:] {
			f.Evidence += "; " + w
		}
	}
	return f
}

// Errors judges the event log of the last day: lines of priority error, and of critical and above.
func Errors(errors, critical int, newest string, day string) Finding {
	f := Finding{ID: "events.errors", Category: Events, Evidence: fmt.Sprintf("%d errors, %d critical in %s", errors, critical, day)}
	switch {
	case critical > 0:
		f.Severity, f.Advice = Warn, "the newest: "+newest
	case errors > 0:
		f.Severity, f.Advice = Note, "the newest: "+newest
	}
	return f
}

// Logins judges failed logins of the last day; most says where most came from.
func Logins(failed int, most string) Finding {
	f := Finding{ID: "security.logins", Category: Security, Evidence: fmt.Sprintf("%d failed logins in the last day", failed)}
	if failed > 0 && most != "" {
		f.Evidence += ", most from " + most
	}
	switch {
	case failed >= 500:
		f.Severity, f.Advice = Warn, "somebody tries passwords: allow keys only, or keep them out with a firewall or fail2ban"
	case failed >= 20:
		f.Severity, f.Advice = Note, "is this somebody who forgot a password?"
	}
	return f
}

// Firewall judges whether incoming packets are filtered.
func Firewall(rules int, drops bool, how string) Finding {
	f := Finding{ID: "security.firewall", Category: Security, Evidence: how}
	if rules == 0 && !drops {
		f.Severity, f.Advice = Note, "nothing filters what comes in: if nothing else does in front of this machine, set up a firewall"
	}
	return f
}

// Clock judges whether the clock follows another one.
func Clock(synced bool, by string, uncertain float64) Finding {
	f := Finding{ID: "time.sync", Category: Time, Evidence: "the clock is kept right by " + by}
	switch {
	case !synced && by == "":
		f.Severity, f.Evidence = Warn, "the clock is not kept right: no program for it runs, and the kernel says that it runs free"
		f.Advice = "start systemd-timesyncd or chrony: logins, certificates and logs need the right time"
	case !synced:
		f.Severity, f.Evidence, f.Advice = Note, by+" runs, but has not set the clock yet", "look again in a few minutes; does it reach its servers (UDP port 123)?"
	case uncertain > 1:
		f.Severity, f.Evidence, f.Advice = Note, fmt.Sprintf("%s, within %s", f.Evidence, Span(uncertain)), "does it reach its servers?"
	}
	return f
}

// Gateway judges the way out: rtt and lost of sent.
func Gateway(addr string, rtt time.Duration, lost, sent int) Finding {
	f := Finding{ID: "network.gateway", Category: Network, Subject: addr}
	f.Evidence = fmt.Sprintf("answers in %.1f ms, %d of %d lost", float64(rtt.Microseconds())/1000, lost, sent)
	switch {
	case lost == sent: // many do not answer at all
		f.Severity, f.Evidence, f.Advice = Note, fmt.Sprintf("did not answer %d pings", sent), "it may not answer to pings; if nothing else gets through, look after cable, wireless and gateway"
	case lost > 0 || rtt > 100*time.Millisecond:
		f.Severity, f.Advice = Warn, "the first step on the way out is slow or loses packets: look after wireless and cable"
	}
	return f
}

// Resolver judges a name server.
func Resolver(addr string, rtt time.Duration, err error) Finding {
	f := Finding{ID: "network.dns", Category: Network, Subject: addr}
	if err != nil {
		f.Severity, f.Evidence = Warn, "does not answer: "+err.Error()
		f.Advice = "names are not found, or late: is the address right, is the server up, does UDP port 53 get through?"
		return f
	}
	f.Evidence = fmt.Sprintf("answers in %.1f ms", float64(rtt.Microseconds())/1000)
	if rtt > 500*time.Millisecond {
		f.Severity, f.Advice = Warn, "everything that looks up names is slow: try another name server"
	}
	return f
}

// Dumps judges crashes of the last week.
func Dumps(recent int, newest string) Finding {
	f := Finding{ID: "crash.recent", Category: Crashes, Evidence: "no crash of the last week is kept"}
	if recent > 0 {
		f.Severity, f.Evidence = Warn, fmt.Sprintf("%d crashes in the last week, the newest %s", recent, newest)
		f.Advice = "see which program it was and whether a newer version exists"
	}
	return f
}

// Sick judges a container that does not run as it should.
func Sick(name, state string) Finding {
	return Finding{ID: "container.state", Category: Containers, Subject: name, Severity: Warn, Evidence: state, Advice: "its own log says why"}
}

// Unclean judges how the last run of the machine ended.
func Unclean(clean bool) Finding {
	f := Finding{ID: "boot.clean", Category: Identity, Evidence: "the machine was shut down in order before it started"}
	if !clean {
		f.Severity, f.Evidence = Note, "nothing records that the machine was shut down before it started: power loss, crash or reset"
		f.Advice = "see crash dumps and the event log of the run before"
	}
	return f
}

// Roots judges accounts that are root under another name.
func Roots(others []string) Finding {
	f := Finding{ID: "security.root", Category: Security, Evidence: "only root has user id 0"}
	if len(others) > 0 {
		f.Severity, f.Evidence, f.Advice = Bad, fmt.Sprintf("these are root under another name: %v", others), "if nobody here made them, the machine was broken into"
	}
	return f
}
