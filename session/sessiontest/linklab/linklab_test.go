package main

import "testing"

// The laboratory has no unit tests: it is built with the tag lab and run by make lab.
func TestLabIsRunByMake(t *testing.T) { t.Skip("make lab runs it") }
