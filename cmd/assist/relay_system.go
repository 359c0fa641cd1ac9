package main

import (
	"net"
	"os"
)

// notify tells systemd (Type=notify) how the relay stands, when it was started by it: sd_notify(3). Nobody listening is fine.
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if path[0] == '@' { // Linux's abstract names
		path = "\x00" + path[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(state))
}
