package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"

	"github.com/spf13/cobra"

	"assist/session"
	"assist/session/agent/local"
	"assist/session/inner"
	"assist/transport/wire"
)

type screenFlags struct {
	target
	png  string
	text bool
}

func newScreenCommand() *cobra.Command {
	var f screenFlags
	cmd := &cobra.Command{
		Use: "screen CODE|URL|MACHINE [--text | --png FILE]", Short: "Print or save what the customer's machine shows now", Args: cobra.ExactArgs(1),
		Long: "Prints the shared terminal as lines (--text, and what happens by itself), or with --json as cells with colours and " +
			"attributes. With --png it saves the shared desktop at full resolution; - is stdout.",
		Example: "  assist screen web-01 --text\n  assist screen 12345678 --png desktop.png\n  assist screen web-01 --json | jq -r '.lines[].text'",
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.png, "png", "", "save the desktop as a picture in `FILE`")
	cmd.Flags().BoolVar(&f.text, "text", false, "print the shared terminal as lines")
	cmd.MarkFlagsMutuallyExclusive("png", "text")
	return cmd
}

func (f *screenFlags) run(cmd *cobra.Command, where string) error {
	return f.work(cmd.Context(), cmd, where, session.View, func(ctx context.Context, c *local.Client) error {
		if f.png != "" {
			return f.save(ctx, cmd, c)
		}
		s, err := c.Text(ctx)
		if err != nil {
			return noScreen(err)
		}
		if f.json {
			return printJSON(cmd.OutOrStdout(), s)
		}
		out := bufio.NewWriter(cmd.OutOrStdout())
		for _, l := range s.Lines {
			fmt.Fprintln(out, l.Text)
		}
		return out.Flush()
	})
}

// noScreen tells those who look for a terminal where there is only a desktop what to do.
func noScreen(err error) error {
	var no *local.Error
	if errors.As(err, &no) && no.Code == local.Refused {
		return &exitError{Code: exitFailed, Err: err, Hint: "--png FILE saves the desktop, if it is that which is shared"}
	}
	return err
}

// save asks for a still picture and writes it.
func (f *screenFlags) save(ctx context.Context, cmd *cobra.Command, c *local.Client) error {
	stream, err := c.Open(ctx, wire.StreamStill)
	if err != nil {
		return err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { _ = stream.Close() })()
	if _, err := stream.Write(inner.AppendStillAsk(nil, image.Rectangle{})); err != nil {
		return fmt.Errorf("ask for a picture: %w", err)
	}
	img, err := inner.ReadStill(bufio.NewReaderSize(stream, 64<<10))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &exitError{Code: exitFailed, Err: fmt.Errorf("no picture: %w", err), Hint: "a host without a display shares a terminal: --text"}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil { // made anew: nothing of the other side's file goes on
		return err
	}
	if f.png == "-" {
		_, err = cmd.OutOrStdout().Write(b.Bytes())
		return err
	}
	if err := os.WriteFile(f.png, b.Bytes(), 0o600); err != nil {
		return err
	}
	size := img.Bounds().Size()
	if f.json {
		return printJSON(cmd.OutOrStdout(), struct {
			File   string `json:"file"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
			Bytes  int    `json:"bytes"`
		}{f.png, size.X, size.Y, b.Len()})
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d x %d\n", f.png, size.X, size.Y)
	return nil
}
