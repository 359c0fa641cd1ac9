//go:build unix

package machine

import (
	"os"
	"syscall"
)

// giveToOwner lets a new file belong to whom the folder does, when root writes into the folder of the service's user.
func giveToOwner(f *os.File, dir string) error {
	st, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}
