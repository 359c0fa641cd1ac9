package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"assist/tui"
)

// The questions to a terminal (xterm's ctlseqs; the kitty keyboard and graphics protocols). The last one every terminal
// answers: what has not come before its answer does not come.
const (
	askVersion  = "\x1b[>0q"
	askSync     = "\x1b[?2026$p"
	askKeyboard = "\x1b[?u"
	askKitty    = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
	askCell     = "\x1b[16t"
	askWidths   = "\r\u00e9\x1b[6n\r\U0001CD00\x1b[6n\r\x1b[K" // by what the cursor does
	askDevice   = "\x1b[c"
)

var (
	answerVersion  = regexp.MustCompile(`\x1bP>\|([^\x1b]*)\x1b\\`)
	answerSync     = regexp.MustCompile(`\x1b\[\?2026;([0-4])\$y`)
	answerKeyboard = regexp.MustCompile(`\x1b\[\?[0-9]+u`)
	answerKitty    = regexp.MustCompile(`\x1b_Gi=31;OK\x1b\\`)
	answerCell     = regexp.MustCompile(`\x1b\[6;([0-9]+);([0-9]+)t`)
	answerWidth    = regexp.MustCompile(`\x1b\[[0-9]+;([0-9]+)R`)
	answerColours  = regexp.MustCompile(`\x1bP1\$r[0-9:;]*m\x1b\\`)
	answerDevice   = regexp.MustCompile(`\x1b\[\?([0-9;]*)c`)
)

// terminalTime is how long a terminal may take to answer, over a slow ssh, too.
const terminalTime = 2 * time.Second

// lookAtTerminal says what the terminal can do for a console.
func lookAtTerminal(ctx context.Context, p *patient) []doctorLine {
	name := os.Getenv("TERM")
	fd, person := terminal(p.cmd)
	if !person {
		return []doctorLine{fine("terminal", "stdin is none (TERM is %q)", name).but(checkNote, "the console needs one; verbs for scripts do not")}
	}
	w, h, _ := term.GetSize(fd)
	size := fine("size", "%d x %d", w, h)
	if w < 80 || h < 24 {
		size = size.but(checkNote, "the console is made for 80 x 24 and more")
	}
	answers, err := askTerminal(ctx, fd)
	if err != nil {
		return []doctorLine{size, fine("answers", "%v", err).but(checkNote, "")}
	}
	called := name
	if own := ownName(answers); own != "" {
		called = own + " (TERM=" + name + ")"
	}
	profile := tui.Colours(os.Environ(), answerColours.FindString(answers))
	out := []doctorLine{fine("terminal", "%s", called), size, colours(profile)}
	out = append(out, abilities(answers)...)
	out = append(out, drawnBy(ctx, answers, profile))
	return append(out, between()...)
}

// ownName is the name that the terminal gives itself.
func ownName(answers string) string {
	if m := answerVersion.FindStringSubmatch(answers); m != nil {
		return m[1]
	}
	return ""
}

// drawnBy says by what a console would draw the picture here.
func drawnBy(ctx context.Context, answers string, profile colorprofile.Profile) doctorLine {
	t := tui.Terminal{Name: ownName(answers), Images: answerKitty.MatchString(answers)}
	if widths := answerWidth.FindAllStringSubmatch(answers, -1); len(widths) == 2 {
		t.Latin, t.Wide = widths[0][1] != "2", widths[1][1] != "2"
	}
	if ask := tmuxAround(ctx); ask != nil {
		t.Behind, t.Passes = ask()
	}
	line := fine("picture", "%s", t.Mode(profile))
	switch {
	case t.Latin:
		line = line.but(checkNote, "this terminal shows no Unicode, or the locale of what is between says so: a UTF-8 locale shows more")
	case len(t.Behind) > 0:
		line.Evidence += ", in tmux shown by " + strings.Join(t.Behind, ", ")
	}
	return line
}

// abilities reads what the terminal has answered.
func abilities(answers string) []doctorLine {
	yes := func(check string, ok bool, without string) doctorLine {
		if ok {
			return fine(check, "yes")
		}
		return fine(check, "no").but(checkNote, without)
	}
	sync := answerSync.FindStringSubmatch(answers)
	device := answerDevice.FindStringSubmatch(answers)
	if device == nil {
		return []doctorLine{fine("answers", "none came").but(checkNote, "the terminal, or what is between, answers no questions: the plain ways are used")}
	}
	graphics := []string{}
	if answerKitty.MatchString(answers) {
		graphics = append(graphics, "kitty")
	}
	if hasField(device[1], "4") {
		graphics = append(graphics, "sixel")
	}
	out := []doctorLine{
		yes("synchronized", sync != nil && sync[1] != "0", "a picture may be seen while it is painted"),
		yes("kitty keyboard", answerKeyboard.MatchString(answers), "no key releases: a press is a tap, and modifiers are held from the menu (s)"),
	}
	if len(graphics) == 0 {
		return append(out, fine("graphics", "none").but(checkNote, "the picture is drawn with characters"))
	}
	cell := ""
	if m := answerCell.FindStringSubmatch(answers); m != nil {
		cell = fmt.Sprintf(", cells of %s x %s pixels", m[2], m[1])
	}
	return append(out, fine("graphics", "%s%s", strings.Join(graphics, ", "), cell))
}

func hasField(list, want string) bool {
	for f := range strings.SplitSeq(list, ";") {
		if f == want {
			return true
		}
	}
	return false
}

// colours is what the environment and the terminal say about them, as the console decides it.
func colours(profile colorprofile.Profile) doctorLine {
	line := fine("colours", "%v", profile)
	if profile < colorprofile.TrueColor {
		line = line.but(checkNote, "if the terminal has 24-bit colours: export COLORTERM=truecolor")
	}
	return line
}

// between is what stands between the terminal and this program.
func between() (out []doctorLine) {
	if os.Getenv("TMUX") != "" {
		out = append(out, fine("tmux", "%s", versionOf("tmux", "-V")))
		if versionOf("tmux", "show-options", "-gv", "focus-events") == "off" {
			out = append(out, fine("tmux focus", "off").but(checkNote, "tmux set -g focus-events on lets the console rest when nobody looks"))
		}
	}
	if os.Getenv("STY") != "" {
		out = append(out, fine("screen", "GNU screen is in between").but(checkNote, "it passes on neither key releases nor graphics; tmux does more"))
	}
	if os.Getenv("SSH_TTY") != "" {
		out = append(out, fine("ssh", "this terminal is at the other end of ssh"))
	}
	return out
}

// askTerminal asks all questions and collects the answers until the last has come.
func askTerminal(ctx context.Context, fd int) (string, error) {
	if os.Getenv("TERM") == "dumb" {
		return "", fmt.Errorf("a dumb terminal is asked nothing")
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("no terminal to ask: %w", err)
	}
	defer tty.Close()
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("prepare terminal: %w", err)
	}
	defer func() { _ = term.Restore(fd, before) }()
	if _, err := io.WriteString(tty, askVersion+askSync+askKeyboard+askKitty+askCell+tui.AskColours+askWidths+askDevice); err != nil {
		return "", err
	}
	answers := make(chan string, 1)
	ctx, cancel := context.WithTimeout(ctx, terminalTime)
	defer cancel()
	go func() { answers <- readAnswers(tty) }() // ends with the last answer, or with the file
	select {
	case a := <-answers:
		return a, nil
	case <-ctx.Done():
		_ = tty.SetReadDeadline(time.Unix(1, 0))
		_ = tty.Close()
		return "", fmt.Errorf("it answers nothing within %v", terminalTime)
	}
}

// readAnswers reads until the answer that comes last, at most a few kilobytes.
func readAnswers(r io.Reader) string {
	var all strings.Builder
	b := make([]byte, 256)
	for all.Len() < 8<<10 && !answerDevice.MatchString(all.String()) {
		n, err := r.Read(b)
		all.Write(b[:n])
		if err != nil {
			break
		}
	}
	return all.String()
}
