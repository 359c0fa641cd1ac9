//go:build desktop || lab

package consoletest

import (
	"fmt"
	"strings"
	"time"
)

// Programs are the packages of Debian that Sessions need.
var Programs = []string{"bash", "vim", "less", "htop", "top", "mc", "tmux"}

// live is for programs that draw again and again by themselves.
const live = 1500 * time.Millisecond

// code is a file worth colouring.
const code = `package main

import "fmt"

// main says hello: "привет", "日本語", "naïve café".
func main() {
	for i := 0; i < 10; i++ {
		fmt.Printf("%d hello\n", i*0x1F)
	}
}
`

// colours prints every attribute and many colours.
const colours = `for i in 0 1 2 3 4 5 7 8 9 21; do printf '\033[%sm attr %s \033[m' $i $i; done; echo
for i in 30 31 32 33 34 35 36 37 90 91 97 40 41 42 43 44 45 46 47 100 107; do printf '\033[%sm %s \033[m' $i $i; done; echo
for i in 16 52 88 124 160 196 202 208 214 220 226 240 250 255; do printf '\033[38;5;%sm %s \033[48;5;%sm##\033[m' $i $i $i; done; echo
for i in 0 64 128 192 255; do printf '\033[38;2;%s;100;%sm rgb \033[48:2::20:%s:90m--\033[m' $i $i $i; done; echo
printf 'wide 日本語 ｆｕｌｌ combining e\xcc\x81 n\xcc\x83 Z\xcc\x88\xcc\xa3 box \xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90 \033(0lqkxmj\033(B end\n'
printf 'tab\tstops\there\033[5Cmoved\033[20G<20\r>\n\033[1;4;31mbold red underlined\033[K\033[m\n\033[44mblue to the end\033[K\033[m\n'
`

func text(lines int) string {
	var b strings.Builder
	for i := 1; i <= lines; i++ {
		fmt.Fprintf(&b, "line %d: the quick brown fox jumps over the lazy dog %s\n", i, strings.Repeat("=", i%40))
	}
	return b.String()
}

var files = map[string]string{"hello.go": code, "text.txt": text(300), "colours.sh": colours, "notes.md": "# Notes\n\n* one\n* two\n"}

// Sessions are the programs that people run on servers, each with what people do in them.
var Sessions = []Session{
	{Name: "bash", Argv: []string{"bash", "--norc", "-i"}, Files: files, Steps: []Step{
		{Keys: "", Screen: "prompt"},
		{Keys: "ls -la --color=always /etc | head -40\r", Screen: "coloured list, scrolled"},
		{Keys: "bash colours.sh\r", Screen: "attributes and colours"},
		{Keys: "echo " + strings.Repeat("a long line that wraps ", 8), Screen: "long line wrapped"},
		{Keys: "\x01\x0b\x19\x1b[D\x1b[Dxyz\x7f\x7f", Screen: "line edited in the middle"},
		{Keys: "\x03clear\r", Screen: "cleared"},
		{Keys: "cat hello.go\r\x12he", Screen: "search in history"},
		{Keys: "\x07\x03for i in 1 2 3 4 5 6 7 8 9; do echo $i; done | column; seq 100 | tail -30\r", Screen: "output scrolled"},
	}},
	{Name: "vim", Argv: []string{"vim", "-u", "NONE", "-N", "-i", "NONE", "hello.go"}, Files: files, Steps: []Step{
		{Keys: "", Screen: "opened"},
		{Keys: ":syntax on\r:set number ruler hlsearch termguicolors\r", Screen: "syntax in true colour"},
		{Keys: "Go// a new line at the end\x1bggO// and one at the top", Screen: "inserting"},
		{Keys: "\x1b/hello\r", Screen: "search highlighted"},
		{Keys: "ggVjj", Screen: "visual lines"},
		{Keys: "\x1b:split notes.md\r:vsplit text.txt\r", Screen: "split windows"},
		{Keys: "50\x05", Screen: "scrolled in a window"},
		{Keys: ":only\r:help\r", Screen: "help"},
		{Keys: ":q\r:e hello.go\rdd3Jx", Screen: "deleted and joined"},
	}},
	{Name: "less", Argv: []string{"less", "text.txt"}, Files: files, Steps: []Step{
		{Keys: "", Screen: "opened"},
		{Keys: " ", Screen: "a page on"},
		{Keys: "jjjkd", Screen: "lines and half a page"},
		{Keys: "/fox\r", Screen: "search highlighted"},
		{Keys: "G", Screen: "the end"},
		{Keys: "1000000g-S\rb", Screen: "back, lines chopped"},
		{Keys: "h", Screen: "help"},
	}},
	{Name: "htop", Argv: []string{"htop", "-d", "7"}, Files: files, Steps: []Step{
		{Keys: "", Screen: "opened", Rest: live},
		{Keys: "\x1b[B\x1b[B\x1b[B", Screen: "moved down", Rest: live},
		{Keys: "t", Screen: "tree", Rest: live},
		{Keys: "\x1bOS", Screen: "filter", Rest: live},
		{Keys: "\x1b\x1b\x1bOQ", Screen: "set-up", Rest: live},
		{Keys: "\x1b\x1b", Screen: "back", Rest: live},
		{Keys: "h", Screen: "help", Rest: live},
	}},
	{Name: "top", Argv: []string{"top", "-d", "0.7"}, Files: files, Steps: []Step{
		{Keys: "", Screen: "opened", Rest: live},
		{Keys: "z", Screen: "colours", Rest: live},
		{Keys: "x", Screen: "column marked", Rest: live},
		{Keys: "c1", Screen: "command lines, each processor", Rest: live},
		{Keys: "f", Screen: "fields", Rest: live},
	}},
	{Name: "mc", Argv: []string{"mc", "--nosubshell"}, Files: files, Steps: []Step{
		{Keys: "", Screen: "panels", Rest: live},
		{Keys: "\t\x1b[B\x1b[B\x1b[B", Screen: "second panel"},
		{Keys: "\x1bOR", Screen: "viewer"},
		{Keys: "\x1b0", Screen: "closed again"},
		{Keys: "\x1b9\r", Screen: "menu"},
		{Keys: "\x1b\x1b\x1b7folder", Screen: "dialog"},
		{Keys: "\x1b\x1b\x1b1", Screen: "help"},
	}},
	{Name: "tmux", Argv: []string{"tmux", "-S", "socket", "-f", "/dev/null", "new-session", "-s", "work", "bash --norc"}, Files: files, Steps: []Step{
		{Keys: "bash colours.sh\r", Screen: "colours inside", Rest: live},
		{Keys: "\x02%", Screen: "split beside", Rest: live},
		{Keys: "\x02\"less text.txt\r", Screen: "split below, less in it", Rest: live},
		{Keys: "  ", Screen: "scrolled in a pane", Rest: live},
		{Keys: "\x02c" + "ls --color=always /\r", Screen: "second window", Rest: live},
		{Keys: "\x02w", Screen: "list of windows", Rest: live},
		{Keys: "q\x02t", Screen: "clock", Rest: live},
	}, Env: []string{"SHELL=/bin/bash"}, Close: []string{"tmux", "-S", "socket", "kill-server"}},
}

// Vttest is the test of terminals by Per Lindberg and Thomas Dickey, as far as it shows screens.
var Vttest = Session{Name: "vttest", Argv: []string{"vttest", "-q"}, Steps: vttestSteps()}

func vttestSteps() []Step {
	steps := []Step{{Keys: "", Screen: ""}}
	menu := func(choice string, screens int) {
		steps = append(steps, Step{Keys: choice + "\r", Screen: "menu " + choice + ", 1"})
		for i := 2; i <= screens; i++ {
			steps = append(steps, Step{Keys: "\r", Screen: fmt.Sprintf("menu %s, %d", choice, i)})
		}
		steps = append(steps, Step{Keys: "\r"})
	}
	menu("1", 6)
	menu("2", 15)
	menu("8", 9)
	return steps
}
