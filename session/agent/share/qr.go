package share

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the light margin that a reader needs, in modules (ISO/IEC 18004, 9.1).
const quiet = 4

// QR draws text as a QR code in half-blocks, two modules a character. With colour it is black on white whatever the theme of
// the terminal; without, light modules are drawn, which is right on a dark terminal (most readers take the other too).
// An address of 78 bytes makes 41 columns and 21 lines.
func QR(text string, colour bool) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", fmt.Errorf("draw QR code: %w", err)
	}
	light := func(x, y int) bool { return !code.Black(x-quiet, y-quiet) } // outside of the code nothing is black
	size := code.Size + 2*quiet
	var b strings.Builder
	for y := 0; y < size; y += 2 {
		if colour {
			b.WriteString("\x1b[38;5;231;48;5;16m")
		}
		for x := range size {
			b.WriteString(half(light(x, y), light(x, y+1)))
		}
		if colour {
			b.WriteString("\x1b[m")
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// half is the character for two modules, one above the other.
func half(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}
