//go:build !unix

package probe

// kernel is not told apart from the operating system here.
func kernel() string { return "" }
