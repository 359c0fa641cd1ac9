package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/session"
	"assist/session/agent/local"
	"assist/session/agent/work"
	"assist/session/inner"
	"assist/session/transfer"
	"assist/transport/wire"
)

// How a file goes on after a broken link.
const (
	againAfter = time.Second
	goOnFor    = 10 * time.Minute // without a byte more
	// letGoWithin is how long the other end may hold a part after a link broke: it notices silence after 3.5 s.
	letGoWithin = 8 * time.Second
)

type fileFlags struct {
	target
	force bool
}

const fileRules = "A file that is interrupted goes on where it stopped, by itself when the link comes back, and when the same command is " +
	"run again. Its name is given when the checksum (SHA-256) of the whole is right; permissions are kept but for set-user-id and " +
	"what others may write. The customer must allow it (file), and is asked for each file."

func newPutCommand() *cobra.Command {
	var f fileFlags
	cmd := &cobra.Command{
		Use: "put CODE|URL|MACHINE SRC [DST]", Short: "Send a file to the customer's machine", Args: cobra.RangeArgs(2, 3),
		Long: "Sends the file SRC. DST is a path in the folder that is set apart for files there (assist host --files; else one of the " +
			"session's own among the customer's downloads); without it, or when it is a folder, the name stays. Nothing outside of that " +
			"folder is touched, and nothing is replaced without --force.\n\n" + fileRules,
		Example: "  assist put 12345678 driver.zip\n  assist put web-01 site.tar.gz releases/ --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			dst := "."
			if len(args) == 3 && args[2] != "" {
				dst = filepath.ToSlash(args[2])
			}
			return f.put(cmd, args[0], args[1], dst)
		},
	}
	f.all(cmd)
	return cmd
}

func newGetCommand() *cobra.Command {
	var f fileFlags
	cmd := &cobra.Command{
		Use: "get CODE|URL|MACHINE SRC [DST]", Short: "Get a file from the customer's machine", Args: cobra.RangeArgs(2, 3),
		Long: "Gets the file SRC, a path in the folder that is set apart for files there (see assist put). DST is a file or folder here; " +
			"without it the file lands in this folder under the name that it has there. Nothing is replaced without --force.\n\n" + fileRules,
		Example: "  assist get 12345678 report.log\n  assist get web-01 backups/db.dump /srv/backups/",
		RunE: func(cmd *cobra.Command, args []string) error {
			dst := "."
			if len(args) == 3 && args[2] != "" {
				dst = args[2]
			}
			return f.get(cmd, args[0], filepath.ToSlash(args[1]), dst)
		},
	}
	f.all(cmd)
	return cmd
}

func (f *fileFlags) all(cmd *cobra.Command) {
	f.flags(cmd)
	cmd.Flags().BoolVar(&f.force, "force", false, "replace a file of that name")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completeTargets(cmd, args, begun)
		}
		return nil, cobra.ShellCompDirectiveDefault // files
	}
}

func (f *fileFlags) put(cmd *cobra.Command, where, src, dst string) error {
	source, err := transfer.OpenSourceAt(src)
	if err != nil {
		return explainFile(err)
	}
	defer source.Close()
	to := work.Place{Path: dst, Force: f.force}
	return f.move(cmd, where, filepath.Base(src), func(ctx context.Context, c *local.Client, p transfer.Progress) (work.Moved, error) {
		s, err := c.Open(ctx, wire.StreamFile)
		if err != nil {
			return work.Moved{}, err
		}
		defer func() { to.Again = true }()
		return work.Put(ctx, s, source, to, p)
	})
}

func (f *fileFlags) get(cmd *cobra.Command, where, src, dst string) error {
	name := path.Base(src)
	if fi, err := os.Stat(dst); err == nil && fi.IsDir() {
		dst = filepath.Join(dst, name)
	} else if strings.HasSuffix(dst, "/") {
		return usage(fmt.Errorf("there is no folder %s", dst), "")
	} else {
		name = filepath.Base(dst)
	}
	if err := transfer.CheckName(name); err != nil {
		return explainFile(err)
	}
	root, err := os.OpenRoot(filepath.Dir(dst))
	if err != nil {
		return explainFile(err)
	}
	defer root.Close()
	keep := func(o *inner.FileOffer) (transfer.Sink, error) {
		sink := transfer.Sink{Root: root, Name: name, Size: o.Size, Mode: o.Mode, Force: f.force}
		return sink, sink.Check()
	}
	if err := keepable(root, name, f.force); err != nil {
		return explainFile(err)
	}
	return f.move(cmd, where, name, func(ctx context.Context, c *local.Client, p transfer.Progress) (work.Moved, error) {
		s, err := c.Open(ctx, wire.StreamFile)
		if err != nil {
			return work.Moved{}, err
		}
		m, err := work.Get(ctx, s, src, keep, p)
		m.Path = dst
		return m, err
	})
}

// keepable says early what the file would be refused for late.
func keepable(root *os.Root, name string, force bool) error {
	return transfer.Sink{Root: root, Name: name, Force: force}.Check()
}

// moves is one attempt.
type moves func(context.Context, *local.Client, transfer.Progress) (work.Moved, error)

// move moves a file, again and again while the link breaks.
func (f *fileFlags) move(cmd *cobra.Command, where, name string, try moves) error {
	bar := newBar(cmd.ErrOrStderr(), name)
	var moved work.Moved
	err := f.work(cmd.Context(), cmd, where, session.View|session.File, func(ctx context.Context, c *local.Client) (err error) {
		moved, err = persist(ctx, c, bar, try)
		return err
	})
	bar.end()
	if err != nil {
		return explainFile(err)
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), struct {
			Path   string `json:"path"`
			Size   uint64 `json:"size"`
			From   uint64 `json:"resumed_from"`
			SHA256 string `json:"sha256"`
		}{printable(moved.Path), moved.Size, moved.From, hex.EncodeToString(moved.Digest)})
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s, sha256 %x\n", printable(moved.Path), transfer.Bytes(moved.Size), moved.Digest)
	return nil
}

// persist tries until the file is there, it is refused, or nothing has come for goOnFor.
func persist(ctx context.Context, c *local.Client, bar *bar, try moves) (work.Moved, error) {
	for newest := time.Now(); ; {
		moved, err := try(ctx, c, func(got, size uint64) {
			newest = time.Now()
			bar.show(got, size)
		})
		switch {
		case busy(err) && time.Since(newest) < letGoWithin:
		case !brokenLink(err) || time.Since(newest) > goOnFor:
			return moved, err
		default:
			bar.waits()
		}
		select {
		case <-ctx.Done():
			return moved, ctx.Err()
		case <-time.After(againAfter):
		}
	}
}

// busy says whether the part is held: by somebody else, or by the end of a broken link that does not know it yet.
func busy(err error) bool {
	var no *inner.FileRefusedError
	return errors.As(err, &no) && no.Code == inner.FileBusy
}

// brokenLink says whether another attempt may help.
func brokenLink(err error) bool {
	var no *local.Error
	return errors.Is(err, transfer.ErrLost) || errors.As(err, &no) && no.Code == local.NoContact
}

// explainFile gives what keeps a file from its place its exit code and hint.
func explainFile(err error) error {
	var no *inner.FileRefusedError
	if errors.Is(err, transfer.ErrLost) {
		return &exitError{Code: exitFailed, Err: err, Hint: "run it again: it goes on where it stopped"}
	}
	if !errors.As(err, &no) {
		return err
	}
	switch no.Code {
	case inner.FileNotGiven, inner.FileSaidNo:
		return &exitError{Code: exitRefused, Err: err, Hint: "talk to the customer before you try again"}
	case inner.FileExists:
		return &exitError{Code: exitFailed, Err: err, Hint: "--force replaces it"}
	case inner.FileBadName, inner.FileMalformed:
		return usage(err, "")
	case inner.FileTooMany, inner.FileBusy:
		return &exitError{Code: exitFailed, Err: err, Hint: "wait until it is done"}
	}
	return &exitError{Code: exitFailed, Err: err}
}
