//go:build unix

package probe

import "golang.org/x/sys/unix"

// kernel is the name and release that uname(2) gives.
func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
