package inject

import (
	"time"
	"unicode/utf8"

	"assist/screen"
)

// typeText types what is in a text, paced. A newline is the Enter key (once for CR LF), a tab the Tab key; other control
// characters and bytes that are not UTF-8 are left out: no key types them, and Escape in a text is never meant.
func (x *X11) typeText(text string) error {
	runes := typable(text)
	aborted := x.begin()
	beat := time.NewTimer(0)
	defer beat.Stop()
	for i := range runes {
		select {
		case <-beat.C:
		case <-aborted:
			return nil
		}
		if x.drops(screen.TypeText) {
			return nil
		}
		if err := x.await(stroke{key: screen.Key(runes[i]), text: runes[i:]}, aborted); err != nil {
			return err
		}
		beat.Reset(pace)
	}
	return nil
}

// typable is the characters of a text that keys can type.
func typable(text string) []rune {
	out := make([]rune, 0, len(text))
	for i, w := 0, 0; i < len(text); i += w {
		var r rune
		r, w = utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && w == 1:
		case r == '\r':
			if i+1 == len(text) || text[i+1] != '\n' {
				out = append(out, '\n')
			}
		case len(charSyms(r)) > 0:
			out = append(out, r)
		}
	}
	return out
}
