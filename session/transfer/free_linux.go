package transfer

import "golang.org/x/sys/unix"

// free is how many bytes a user may still write below dir.
func free(dir string) (uint64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Bsize), true
}
