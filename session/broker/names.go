package broker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"assist/chat"
)

// Limits of what can be registered.
const (
	maxTitleBytes = 128 // of an organisation's title
	maxPassword   = 1024
)

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// ErrName says that a name or title cannot be registered.
var ErrName = errors.New("not allowed as a name")

var errName = fmt.Errorf("%w: 1 to 32 of a-z, 0-9, '.', '_' and '-' are wanted, the first a letter or digit", ErrName)

// CheckName says whether s can be the NAME or the ORG of NAME@ORG.
func CheckName(s string) error {
	if !nameRule.MatchString(s) {
		return fmt.Errorf("name %q: %w", s, errName)
	}
	return nil
}

// ParseHandle splits NAME@ORG; capitals are taken as small letters.
func ParseHandle(s string) (name, org string, err error) {
	name, org, ok := strings.Cut(strings.ToLower(s), "@")
	if !ok {
		return "", "", fmt.Errorf("account %q: %w: NAME@ORG is wanted", s, ErrName)
	}
	if err := CheckName(name); err != nil {
		return "", "", err
	}
	return name, org, CheckName(org)
}

// skeleton makes look-alike names equal: the ASCII part of the confusables of UTS 39, and no difference between separators.
func skeleton(name string) string {
	return strings.NewReplacer("0", "o", "1", "l", "m", "rn", "w", "vv", "_", "-", ".", "-").Replace(name)
}

// CheckTitle says whether s can be shown to people as an organisation's name, and returns it in NFC. It must be one line of
// visible characters that the sanitiser would not change, from one script (UTS 39 "highly restrictive").
func CheckTitle(s string) (string, error) {
	if len(s) == 0 || len(s) > maxTitleBytes || strings.TrimSpace(s) != s {
		return "", fmt.Errorf("title: %w: 1 to %d bytes without space around are wanted", ErrName, maxTitleBytes)
	}
	n := norm.NFC.String(strings.ToValidUTF8(s, "\ufffd"))
	if chat.Name(n) != n || strings.ContainsRune(n, '\ufffd') {
		return "", fmt.Errorf("title: %w: it has control, invisible or direction-changing characters", ErrName)
	}
	return n, oneScript(n)
}

// mixes are the sets of scripts that are written together.
var mixes = [][]string{
	{"Latin", "Han", "Hiragana", "Katakana"},
	{"Latin", "Han", "Bopomofo"},
	{"Latin", "Han", "Hangul"},
}

func oneScript(s string) error {
	seen := map[string]bool{}
	for _, r := range s {
		if !unicode.IsLetter(r) {
			continue
		}
		for name, table := range unicode.Scripts {
			if name != "Common" && name != "Inherited" && unicode.Is(table, r) {
				seen[name] = true
			}
		}
	}
	if len(seen) <= 1 {
		return nil
	}
	for _, mix := range mixes {
		n := 0
		for _, name := range mix {
			if seen[name] {
				n++
			}
		}
		if n == len(seen) {
			return nil
		}
	}
	return fmt.Errorf("title: %w: it mixes letters of different scripts", ErrName)
}
