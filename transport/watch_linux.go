package transport

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// netlinkGroups are the changes that may mean another way out of this machine (rtnetlink(7)).
const netlinkGroups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE

// watchAddresses calls changed after each change of the machine's addresses and routes, until the file is closed.
func watchAddresses(changed func()) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: netlinkGroups}); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	f := os.NewFile(uintptr(fd), "netlink")
	go func() {
		b := make([]byte, 1<<16)
		for {
			if _, err := f.Read(b); err != nil && !overrun(err) {
				return
			}
			changed()
		}
	}()
	return f, nil
}

// overrun says that changes came faster than they were read: something has changed, what is not known.
func overrun(err error) bool { return errors.Is(err, unix.ENOBUFS) }
