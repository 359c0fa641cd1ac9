//go:build !unix

package main

import "assist/session/inner"

// watchSize tells nothing: this system does not say when a terminal gets another size.
func watchSize(int) (sizes <-chan *inner.RunSize, stop func()) { return nil, func() {} }
