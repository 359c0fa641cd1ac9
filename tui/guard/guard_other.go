//go:build !unix

package guard

import "os"

// Watch does nothing where there is no sh.
func Watch(*os.File) (release func()) { return func() {} }
