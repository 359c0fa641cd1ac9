package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"assist/screen/capture"
	"assist/session/agent/account"
	"assist/session/agent/local"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// lookAtPicture says whether this machine has a desktop that can be shared, and else why not.
func lookAtPicture(_ context.Context, _ *patient) []doctorLine {
	display, wayland := os.Getenv("DISPLAY"), os.Getenv("WAYLAND_DISPLAY")
	var out []doctorLine
	switch {
	case display == "" && wayland == "":
		out = append(out, fine("display", "neither DISPLAY nor WAYLAND_DISPLAY is set").
			but(checkNote, "there is no desktop here: assist host shares a terminal; on a desktop, start it from there"))
		return out
	case wayland != "" && display == "":
		return append(out, fine("display", "a Wayland desktop (%s) without X11", wayland).
			but(checkNote, "desktops are shared by X11 for now: log in to an X11 session, or share a terminal with assist host --text"))
	case wayland != "":
		out = append(out, fine("display", "a Wayland desktop (%s) with X11 beside it (%s)", wayland, display).
			but(checkNote, "only windows of X11 programs may be seen; an X11 session shows all"))
	default:
		out = append(out, fine("display", "DISPLAY is %s", display))
	}
	x, err := capture.Open(display)
	if err != nil {
		var no *capture.NoDisplayError
		line := ofError("picture", err)
		if errors.As(err, &no) {
			line = fine("picture", "%s", no.Error()).but(checkBad, no.Hint)
		}
		return append(out, line)
	}
	defer x.Close()
	d := x.Display()
	return append(out, fine("picture", "%d x %d pixels on %d monitors can be shared", d.Size.X, d.Size.Y, len(d.Monitors)))
}

// clockSlack is how far the clock may be off before badges are refused (threats A43).
const clockSlack = 30 * time.Second

// lookAtRelay says whether the relay is reached, how the clocks differ, and whether the login holds.
func lookAtRelay(ctx context.Context, p *patient) []doctorLine {
	book := account.Open(io.Discard)
	login, err := loginAt(book, p.args())
	addr := p.addr
	if err == nil {
		addr = login.Relay.Addr
	}
	if addr == "" {
		return []doctorLine{ofError("login", err)}
	}
	if whole, bad := account.Addr(addr); bad == nil {
		addr = whole
	}
	began := time.Now()
	v, dialErr := book.Dial(ctx, addr, "", software())
	if dialErr != nil {
		return []doctorLine{ofError("reach by UDP", dialErr)}
	}
	defer v.Close()
	out := []doctorLine{fine("reach by UDP", "%s answers in %v, handshake included", addr, time.Since(began).Round(time.Millisecond))}
	offset := v.ServerOffset()
	clock := fine("clock", "%v off the relay's", offset.Round(time.Millisecond))
	if offset.Abs() > clockSlack {
		clock = clock.but(checkBad, "badges and codes are refused by a clock that is wrong: let NTP set it (timedatectl set-ntp true)")
	}
	out = append(out, clock)
	if err != nil {
		return append(out, ofError("login", err))
	}
	var a *wire.Account
	began = time.Now()
	if a, err = v.Whoami(ctx); err != nil {
		return append(out, ofError("login", err))
	}
	out = append(out, fine("round trip", "%v", time.Since(began).Round(10*time.Microsecond)))
	line := fine("login", "%s, until %s", account.Handle(a), login.Expires.Local().Format("2006-01-02 15:04"))
	if time.Until(login.Expires) < 24*time.Hour {
		line = line.but(checkNote, "it ends soon: assist login "+addr)
	}
	return append(out, line)
}

func (p *patient) args() []string {
	if p.addr == "" {
		return nil
	}
	return []string{p.addr}
}

// lossNoted is the share of packets from which on their loss is worth a word.
const lossNoted = 0.01

// lookAtSessions says of each running console which way its packets travel.
func lookAtSessions(ctx context.Context, _ *patient) []doctorLine {
	var out []doctorLine
	for _, s := range local.Live(ctx) {
		l := s.Link
		if l == nil {
			out = append(out, fine(inner.SpacedCode(s.Code), "%s; no link to the customer's machine now", s.State).
				but(checkNote, "it is looked for in the background; what you write in the chat is sent when it is found"))
			continue
		}
		line := fine(inner.SpacedCode(s.Code), "%s since %s (%s), round trip %d ms, %.1f %% lost", pathWords[l.Path], l.Since.Local().Format("15:04:05"),
			l.Why, l.RTTMs, 100*l.Loss)
		switch {
		case l.Loss >= lossNoted:
			line = line.but(checkNote, "packets are lost: keys and pictures are sent so that it shows little; Wi-Fi or a mobile line is the usual reason")
		case l.Path == string(transport.PathTCP):
			line = line.but(checkNote, "UDP is blocked on the way; assist netcheck says more")
		}
		out = append(out, line)
	}
	return out
}

var pathWords = map[string]string{
	string(transport.PathDirect): "directly", string(transport.PathRelay): "through the relay", string(transport.PathTCP): "through the relay by TCP",
}

// lookAtClipboard says where a copy would go.
func lookAtClipboard(_ context.Context, _ *patient) []doctorLine {
	var ways []string
	if os.Getenv("TMUX") != "" {
		ways = append(ways, "tmux's buffer")
	}
	if t := os.Getenv("TERM"); t != "" && t != "dumb" && t != "linux" {
		ways = append(ways, "the terminal, by OSC 52 if it allows that")
	}
	for _, program := range []string{"wl-copy", "xclip", "xsel", "pbcopy", "clip.exe"} {
		if _, err := exec.LookPath(program); err == nil && (os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" || program == "pbcopy" || program == "clip.exe") {
			ways = append(ways, program)
		}
	}
	if len(ways) == 0 {
		return []doctorLine{fine("copy", "nothing here takes a copy").but(checkNote, "addresses are printed: copy them from there; on a desktop, install xclip or wl-clipboard")}
	}
	line := fine("copy", "goes to %s", strings.Join(ways, ", "))
	if os.Getenv("TMUX") != "" {
		if out, err := exec.Command("tmux", "show-options", "-gv", "set-clipboard").Output(); err == nil && strings.TrimSpace(string(out)) == "off" {
			line = line.but(checkNote, "tmux keeps it to itself: tmux set -g set-clipboard on")
		}
	}
	return []doctorLine{line}
}

// lookAtKeyring says where logins are kept.
func lookAtKeyring(_ context.Context, _ *patient) []doctorLine {
	where, ring := account.Open(io.Discard).Keeps()
	if ring {
		return []doctorLine{fine("keyring", "logins are kept in the system's keyring")}
	}
	advice := "a keyring (GNOME Keyring, KWallet) keeps them better, where there is a desktop"
	line := fine("keyring", "none answers; logins are kept in %s, which only you can read", where)
	if fi, err := os.Stat(where); err == nil && fi.Mode().Perm()&0o077 != 0 {
		return []doctorLine{fine("keyring", "others can read %s (mode %04o)", where, fi.Mode().Perm()).but(checkBad, "chmod 600 "+where)}
	}
	return []doctorLine{line.but(checkNote, advice)}
}

// versionOf is the first line that a program says of its version; empty: it is not there.
func versionOf(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return ""
	}
	return firstLine(strings.TrimSpace(string(out)))
}
