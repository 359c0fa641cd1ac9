//go:build !linux

package capture

func dialLocal(string) (fd int, err error) { return -1, errNotDirect }

func closeLocal(int) {}

func writeLocal(int, []byte) error { return errNotDirect }

func readLocal(int, []byte) (int, error) { return 0, errNotDirect }

func cookieOf(string) (name, cookie string) { return "", "" }
