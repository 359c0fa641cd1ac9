package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// filesFolder is the folder that --files names, whole; empty: none is named.
func filesFolder(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("--files: %w", err)
	}
	if fi, err := os.Stat(whole); err != nil || !fi.IsDir() {
		return "", usage(fmt.Errorf("--files: %s is no folder", dir), "")
	}
	return whole, nil
}
