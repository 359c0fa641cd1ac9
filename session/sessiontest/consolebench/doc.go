// Package consolebench measures text sessions: their bytes beside mosh and ssh on the same recordings in the same run, and how
// long a key takes to be a changed cell on the agent's side. All of it is a test with the tag lab; `make bench-console` runs it.
package consolebench
