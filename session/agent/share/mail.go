package share

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Letter is an e-mail that a person will look at and send.
type Letter struct {
	To      string // an address; empty: the person fills it in
	Subject string
	Body    string // lines end in \n
}

// ErrNoMail says that no mail program can be opened here: nobody would see its window, or there is none.
var ErrNoMail = errors.New("no mail program can be opened here")

// Invitation is the letter that invites an agent. Expires is in words; empty: as long as the session lasts.
func Invitation(code, url, expires string) Letter {
	if expires == "" {
		expires = "as long as the session goes on"
	}
	return Letter{
		Subject: "Join my support session " + code,
		Body: "Please join my support session.\n\n" +
			"Open this address:\n" + url + "\n\n" +
			"or in a terminal:\nassist join '" + url + "'\n\n" +
			"The code is " + code + ", valid " + expires + ". You sign in with your own account.\n",
	}
}

// ParseAddress takes an e-mail address as people type it, with or without a name.
func ParseAddress(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return "", fmt.Errorf("%q is not an e-mail address", s)
	}
	return a.Address, nil
}

// URL is the letter as a mailto address (RFC 6068): everything but letters, digits and -._~ is percent-encoded, so that nothing
// in it separates fields, ends a shell word or starts a fragment; a line ends in %0D%0A (section 5).
func (l Letter) URL() string {
	to := l.To
	if local, domain, ok := cutLast(to, '@'); ok {
		to = escape(local) + "@" + escape(domain)
	} else {
		to = escape(to)
	}
	return "mailto:" + to + "?subject=" + escape(l.Subject) + "&body=" + escape(strings.ReplaceAll(l.Body, "\n", "\r\n"))
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// escape encodes all that is not unreserved (RFC 3986, 2.3). net/url has no function for it: QueryEscape writes + for a blank,
// PathEscape leaves & and +.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// String is the letter to copy by hand.
func (l Letter) String() string {
	to := ""
	if l.To != "" {
		to = "To: " + l.To + "\n"
	}
	return to + "Subject: " + l.Subject + "\n\n" + l.Body
}

// Open opens the mail program with the letter filled in and says which program did that. Nothing is sent. The error is
// ErrNoMail when there is no program, or nobody to see its window.
func (l Letter) Open(ctx context.Context) (by string, err error) {
	if !desktop() {
		return "", ErrNoMail
	}
	for _, argv := range mailers(ctx, l.URL()) {
		if there(argv[0]) && start(ctx, argv) == nil {
			return argv[0], nil
		}
	}
	return "", ErrNoMail
}

// mailers are the commands that may open a mailto address, best first. The desktop's own choice goes before $BROWSER, which
// only hands the address back to the desktop or to a web mailer.
func mailers(ctx context.Context, url string) (out [][]string) {
	switch runtime.GOOS {
	case "windows":
		return [][]string{{"rundll32.exe", "url.dll,FileProtocolHandler", url}}
	case "darwin":
		return [][]string{{"open", url}}
	}
	if hasMailer(ctx) { // without one xdg-email opens just any browser
		out = append(out, []string{"xdg-email", url}, []string{"xdg-open", url})
	}
	for _, b := range strings.Split(os.Getenv("BROWSER"), ":") {
		argv := strings.Fields(b)
		if len(argv) == 0 {
			continue
		}
		filled := false
		for i, a := range argv {
			if strings.Contains(a, "%s") {
				argv[i], filled = strings.ReplaceAll(a, "%s", url), true
			}
		}
		if !filled {
			argv = append(argv, url)
		}
		out = append(out, argv)
	}
	return out
}

// hasMailer says whether the desktop knows a program for mailto addresses.
func hasMailer(ctx context.Context) bool {
	if os.Getenv("MAILER") != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "xdg-mime", "query", "default", "x-scheme-handler/mailto").Output()
	return err != nil && !errors.Is(err, exec.ErrNotFound) || strings.TrimSpace(string(out)) != ""
}

// start starts a program that may stay open. It has failed when it fails within programTime.
func start(ctx context.Context, argv []string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }() // ends with the program, which may outlive us
	t := time.NewTimer(programTime)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
