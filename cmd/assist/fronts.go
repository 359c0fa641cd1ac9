package main

import (
	"assist/screen/inject"
	"assist/session/host"
)

func (f *hostFlags) fronts(_ *inject.X11) ([]host.Front, error) { return nil, nil }
