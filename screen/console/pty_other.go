//go:build !unix

package console

import (
	"errors"
	"image"
)

func startPTY([]string, []string, image.Point) (backend, error) {
	return nil, errors.New("text sessions need a Unix system")
}

func shell(command string) (argv, env []string) { return []string{command}, nil }
