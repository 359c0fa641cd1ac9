package capture

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// makeShared makes System V shared memory, the kind that MIT-SHM takes by number.
func makeShared(length int) (id int, pix []byte, err error) {
	id, err = unix.SysvShmGet(unix.IPC_PRIVATE, length, unix.IPC_CREAT|0o600)
	if err != nil {
		return 0, nil, fmt.Errorf("make shared memory: %w", err)
	}
	pix, err = unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		removeShared(id)
		return 0, nil, fmt.Errorf("attach shared memory: %w", err)
	}
	return id, pix, nil
}

// removeShared marks the memory for removal, which happens when nobody is attached any more.
func removeShared(id int) { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) }

func unshare(pix []byte) { _ = unix.SysvShmDetach(pix) }
