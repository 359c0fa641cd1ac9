package inner

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

func TestCommandLine(t *testing.T) {
	for _, x := range []struct {
		words        []string
		script, line string
	}{
		{[]string{"echo a | wc"}, "echo a | wc", "echo a | wc"},
		{[]string{"exit", "7"}, "'exit' '7'", "exit 7"},
		{[]string{"sh", "-c", "echo it's"}, `'sh' '-c' 'echo it'\''s'`, `sh -c 'echo it'\''s'`},
		{[]string{"rm", ""}, "'rm' ''", "rm ''"},
		{[]string{"printf", "a\x1b[2J\nb"}, "'printf' 'a\x1b[2J\nb'", "printf 'a␛[2J␊b'"},
	} {
		c, err := ParseCommand(&RunCommand{Words: x.words})
		if err != nil || c.Script() != x.script || c.Line() != x.line {
			t.Errorf("%q: %q, %q, %v", x.words, c.Script(), c.Line(), err)
		}
	}
}

func FuzzRunCommand(f *testing.F) {
	for _, m := range []*RunCommand{{Words: []string{"ls"}}, {Words: []string{"a", "b"}, Env: []string{"A=b"}, Folder: "/", Terminal: &RunSize{Columns: 1}}, {}} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m RunCommand
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		c, err := ParseCommand(&m)
		if err != nil {
			return
		}
		if strings.ContainsAny(c.Line(), "\x00\x1b\n") || strings.ContainsRune(c.Script(), 0) || len(c.Words) == 0 {
			t.Fatalf("%q", c)
		}
		if c.Terminal != nil && (c.Terminal.Columns == 0 || c.Terminal.Columns > maxRunSide || c.Terminal.Rows == 0 || c.Terminal.Rows > maxRunSide) {
			t.Fatalf("%v", c.Terminal)
		}
	})
}
