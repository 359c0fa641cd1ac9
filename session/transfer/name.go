package transfer

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"assist/chat"
	"assist/session/inner"
)

// partEnd ends the name of a part.
const partEnd = ".assist-part"

// CheckName says why name, without a folder, is not the name of a file that is sent or taken.
func CheckName(name string) error {
	spaced := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, name)
	switch {
	case name == "" || name == "." || name == "..":
		return No(inner.FileBadName, "%q is no name of a file", name)
	case len(name) > chat.MaxFileBytes:
		return No(inner.FileBadName, "a name has at most %d bytes", chat.MaxFileBytes)
	case !utf8.ValidString(name), chat.FileName(spaced) != norm.NFC.String(spaced):
		return No(inner.FileBadName, "the name %s has characters in it that do not show, or that change how it reads", chat.FileName(name))
	case strings.ContainsAny(name, `/\`), runtime.GOOS == "windows" && strings.ContainsAny(name, `:*?"<>|`):
		return No(inner.FileBadName, "the name %s has characters in it that lead elsewhere on some systems", chat.FileName(name))
	case strings.HasSuffix(name, partEnd), !filepath.IsLocal(name):
		return No(inner.FileBadName, "the name %s is kept for something else", chat.FileName(name))
	}
	return nil
}

// Local is where a path of the other side, with slashes, leads inside a folder; an absolute one must be below it. Nothing
// leads out: "." is the folder itself.
func Local(folder, p string) (string, error) {
	if len(p) > inner.MaxFilePath {
		return "", No(inner.FileBadName, "a path has at most %d bytes", inner.MaxFilePath)
	}
	if path.IsAbs(p) {
		rest, below := strings.CutPrefix(path.Clean(p)+"/", strings.TrimSuffix(filepath.ToSlash(folder), "/")+"/")
		if !below {
			return "", No(inner.FileBadName, "%s is not in the folder for files, %s", chat.Line(p), chat.Line(folder))
		}
		p = rest
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return "", No(inner.FileBadName, "%s leads out of the folder for files", chat.Line(p))
		}
		if part == "" || part == "." {
			continue
		}
		if err := CheckName(part); err != nil {
			return "", err
		}
	}
	return path.Clean("./" + p), nil
}

// Hidden says whether a part of a local path begins with a dot: keys, settings and what a shell starts with are such.
func Hidden(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if part != "." && strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// partOf is the name of the part of a file.
func partOf(name string) string {
	part := "." + name + partEnd
	if len(part) > chat.MaxFileBytes {
		return "." + shortHash(name) + partEnd
	}
	return part
}

// Bytes is a size as people read it, in decimal units.
func Bytes(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n), 0
	for v >= 999.5 && unit < 5 {
		v, unit = v/1000, unit+1
	}
	digits := 1
	if v >= 99.95 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %cB", digits, v, " kMGTP"[unit])
}
