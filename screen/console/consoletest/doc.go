// Package consoletest records what real programs write to their terminal while somebody works in them, so that emulators can
// be compared and bytes be counted on the same sessions. Every recording is made anew where it is used: nothing is stored.
// All of it has a build tag: it needs the programs.
package consoletest
