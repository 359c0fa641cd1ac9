package probe

import "assist/diag"

// readers is how each category is read on Linux.
var readers = map[diag.ID]reader{
	diag.Identity:   identity,
	diag.Load:       pressure,
	diag.CPU:        processors,
	diag.Memory:     memory,
	diag.Disks:      disks,
	diag.Mounts:     mounts,
	diag.Network:    network,
	diag.Processes:  processes,
	diag.Services:   services,
	diag.Startup:    startup,
	diag.Packages:   packages,
	diag.Events:     events,
	diag.Security:   security,
	diag.Time:       clock,
	diag.Containers: containers,
	diag.Display:    displays,
	diag.Crashes:    crashes,
}
