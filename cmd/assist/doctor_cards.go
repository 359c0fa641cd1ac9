package main

import (
	"fmt"
	"io"
	"os"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"assist/screen/raster"
)

// writeCards shows a person what their terminal draws: a test card of each mode. It writes nothing where nobody looks.
func writeCards(w io.Writer) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return
	}
	depth := raster.DepthOf(colorprofile.Env(os.Environ()))
	fmt.Fprintf(w, "\nwhat this terminal draws; --glyphs of join, start and connect, or G there, chooses\n")
	for _, m := range raster.Modes() {
		fmt.Fprintln(w)
		for _, row := range raster.Card(m, depth) {
			fmt.Fprintf(w, "  %s\n", row)
		}
	}
}
