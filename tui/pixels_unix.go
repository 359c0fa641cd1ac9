//go:build unix

package tui

import (
	"image"
	"os"

	"golang.org/x/sys/unix"
)

// cellPixels is the size of a cell as the terminal's driver knows it (TIOCGWINSZ); zero: it does not.
func cellPixels(f *os.File) image.Point {
	if f == nil {
		return image.Point{}
	}
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 || w.Row == 0 {
		return image.Point{}
	}
	return image.Pt(int(w.Xpixel/w.Col), int(w.Ypixel/w.Row))
}
