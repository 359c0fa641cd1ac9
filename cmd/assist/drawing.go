package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"assist/screen/raster"
	"assist/tui"
)

// drawing is how a console draws the picture.
type drawing struct {
	renderer string
	glyphs   string
}

func (d *drawing) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.renderer, "renderer", "painter", "how the picture reaches the terminal: painter, or plain as text")
	cmd.Flags().StringVar(&d.glyphs, "glyphs", "auto", "what it is drawn with: auto, half, quadrant, sextant, octant, ascii or pixels; G changes it")
}

// apply puts the choice into the options of a console.
func (d *drawing) apply(opt *tui.Options) error {
	switch d.renderer {
	case "painter":
	case "plain":
		opt.Plain = true
	default:
		return usage(fmt.Errorf("unknown renderer %q", d.renderer), "--renderer is painter or plain")
	}
	if d.glyphs == "auto" {
		return nil
	}
	m, err := raster.ParseMode(d.glyphs)
	if err != nil {
		return usage(err, "--glyphs auto leaves it to what the terminal says")
	}
	opt.Glyphs = &m
	return nil
}
