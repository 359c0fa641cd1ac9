package local

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestKernelSaysWhoIsThere(t *testing.T) {
	dir := home(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := samePeer(c); err != nil {
		t.Error(err)
	}
	if sameUser(os.Getuid()+1) == nil {
		t.Error("another user passes")
	}
}
