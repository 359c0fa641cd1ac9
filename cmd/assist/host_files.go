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

// machineFiles is the folder for files of a machine: what --files names, else one in the machine's own folder.
func (f *hostFlags) machineFiles(state string) (string, error) {
	if f.files != "" {
		return filesFolder(f.files)
	}
	dir := filepath.Join(state, "files")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("folder for files: %w", err)
	}
	return filesFolder(dir)
}
