package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"assist/screen/raster"
	"assist/tui"
)

// drawing is how a console draws the picture.
type drawing struct {
	renderer string
	glyphs   string
	record   string
}

func (d *drawing) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.renderer, "renderer", "painter", "how the picture reaches the terminal: painter, or plain as text")
	cmd.Flags().StringVar(&d.glyphs, "glyphs", "auto", "what it is drawn with: auto, half, quadrant, sextant, octant, ascii or pixels; G changes it")
	cmd.Flags().StringVar(&d.record, "record", "", "keep what the console shows in a new `FILE`.cast, for asciinema")
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
	opt.Save = save
	if d.record != "" {
		if opt.Plain {
			return usage(errors.New("only the painter records"), "leave --renderer=plain out")
		}
		file, err := os.OpenFile(d.record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		opt.Record = file // written to without a buffer, and closed with the process: a recording lasts as long as the console
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

// save keeps a file that the agent asked for in the folder where the console was started; what is there is never overwritten.
func save(name string, b []byte) (string, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = file.Write(b)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	full, err := filepath.Abs(name)
	if err != nil {
		return name, nil
	}
	return full, nil
}
