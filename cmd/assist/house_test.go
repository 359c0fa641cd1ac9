package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rule says what one part of the tree must not import, and why.
type rule struct {
	in     string   // folder, with everything below unless exact
	exact  bool     // only that folder itself
	not    []string // import path prefixes
	except []string // import paths that are fine all the same
	why    string
}

const quic = "github.com/quic-go/quic-go"

var bubbles = []string{"charm.land/bubbletea", "charm.land/lipgloss", "charm.land/bubbles"}

var rules = []rule{
	{
		in: "tui", not: []string{quic, "assist/transport", "assist/session/agent", "assist/session/host", "assist/session/broker", "net/http"},
		why: "the eyes know the nouns, never a socket: what a console needs of a session is the interface tui.Session",
	},
	{
		in: "transport/relay", not: []string{"assist/screen", "assist/chat", "assist/diag", "assist/session", "assist/tui"},
		why: "the relay forwards what it cannot read, so it has no words for it",
	},
	{
		in: "transport", not: []string{"assist/session", "assist/tui", "assist/screen", "assist/chat", "assist/diag"},
		why: "bytes travel without knowing what they mean",
	},
	{
		in: "session/host", not: append([]string{"assist/tui", "assist/session/agent", "assist/session/broker"}, bubbles...),
		why: "the host runs on servers and desktops alike; what the customer sees is a Front that cmd gives it",
	},
	{
		in: "session/agent", not: append([]string{"assist/session/host", "assist/session/broker"}, bubbles...),
		why: "the console's end talks to a host over the link, never by calling it",
	},
	{
		in: "session/transfer", not: append([]string{quic, "assist/session/host", "assist/session/agent", "assist/session/broker", "assist/tui"}, bubbles...),
		why: "both ends move files by the same rules, over any stream",
	},
	{
		in: "session/broker", not: append([]string{"assist/session/host", "assist/session/agent", "assist/tui", "assist/screen", "assist/diag", quic}, bubbles...),
		why: "who is who and who is where needs no picture and no socket; it speaks over streams it is handed",
	},
	{
		in: "screen", not: append([]string{quic, "assist/transport", "assist/session", "assist/tui"}, bubbles...),
		why: "pictures and input are the same however they travel and whoever looks",
	},
}

// nouns hold vocabulary: the standard library and nothing else, but for what is listed with its reason.
var nouns = map[string]map[string]string{
	"session": {},
	"screen":  {},
	"diag":    {},
	"chat": {
		"golang.org/x/text/unicode/norm":             "names are compared in NFC (UTS 39), and the tables are not in the standard library",
		"github.com/rivo/uniseg":                     "what a person sees as one character (UAX 29) needs its tables",
		"github.com/clipperhouse/displaywidth":       "how wide a character is drawn: the same tables as the renderer uses, so layout and drawing agree",
		"github.com/clipperhouse/uax29/v2/graphemes": "the same grapheme rules as the renderer uses",
		"github.com/charmbracelet/x/ansi":            "the width function of the renderer itself, so layout and drawing agree",
	},
}

// worldly is what only machinery may hold; it starts one level below a noun.
var worldly = []string{"net", "os", "sync", "syscall"}

func TestImportsPointOneWay(t *testing.T) {
	for file, imports := range sources(t) {
		dir := filepath.ToSlash(filepath.Dir(file))
		for _, r := range rules {
			if dir != r.in && (r.exact || !strings.HasPrefix(dir, r.in+"/")) {
				continue
			}
			for _, imp := range imports {
				if hasPrefix(imp, r.not) && !hasPrefix(imp, r.except) && !within(imp, r.in) {
					t.Errorf("%s imports %s: %s", file, imp, r.why)
				}
			}
		}
	}
}

func TestNounsHoldVocabularyOnly(t *testing.T) {
	for file, imports := range sources(t) {
		allowed, noun := nouns[filepath.ToSlash(filepath.Dir(file))]
		if !noun {
			continue
		}
		for _, imp := range imports {
			if hasPrefix(imp, worldly) {
				t.Errorf("%s imports %s: a noun touches no socket, disk, process or lock; that is machinery, one level below", file, imp)
			}
			if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") && first != "assist" {
				continue
			}
			if _, ok := allowed[imp]; !ok {
				t.Errorf("%s imports %s: a noun needs the standard library only", file, imp)
			}
		}
	}
}

func TestEveryPackageOpensWithWhatItIs(t *testing.T) {
	root := filepath.Join("..", "..")
	said := map[string]bool{}
	for file := range sources(t) {
		dir := filepath.Dir(file)
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		said[dir] = said[dir] || f.Doc != nil
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment: say what it is, who owns what, what it will not do", dir)
		}
	}
}

func TestNoCupboards(t *testing.T) {
	for file := range sources(t) {
		for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(file)), "/") {
			switch part {
			case "internal", "pkg", "utils", "util", "common", "helpers", "misc":
				t.Errorf("%s: a folder called %q says nothing; name the noun", file, part)
			}
		}
	}
}

// sources maps every non-test Go file of the module to its imports.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out[rel] = []string{}
		for _, s := range f.Imports {
			imp, err := strconv.Unquote(s.Path.Value)
			if err != nil {
				return err
			}
			out[rel] = append(out[rel], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found only %d source files: the test looks in the wrong place", len(out))
	}
	return out
}

func hasPrefix(imp string, prefixes []string) bool {
	for _, p := range prefixes {
		if imp == p || strings.HasPrefix(imp, p+"/") {
			return true
		}
	}
	return false
}

// within says whether imp is a part of the same folder: transport/relay may import transport/wire.
func within(imp, dir string) bool {
	top, _, _ := strings.Cut(dir, "/")
	return strings.HasPrefix(imp, "assist/"+dir+"/") || (top == dir && strings.HasPrefix(imp, "assist/"+top))
}
