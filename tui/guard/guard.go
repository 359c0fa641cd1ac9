// Package guard gives a terminal back when the process that uses it dies without doing so: killed, or by a panic in any of
// its goroutines, which Go lets nobody catch.
//
// It is a shell of a few lines that waits in a session of its own for the end of a pipe, and does nothing else. Released in
// time it goes without a trace. When the pipe ends without that word, it sets the terminal's modes as they were, leaves the
// alternate screen and the mouse, and writes there what the Go runtime had to say last, which would be lost otherwise. Where
// there is no sh or stty there is no guard, and that is no error: nothing but this safety net is missing.
package guard

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// undo is what a terminal needs after a console that did not say goodbye.
var undo = strings.Join([]string{
	ansi.ResetModeSynchronizedOutput, ansi.ResetModeMouseButtonEvent, ansi.ResetModeMouseAnyEvent, ansi.ResetModeMouseExtSgr,
	ansi.ResetModeBracketedPaste, ansi.ResetModeFocusEvent, ansi.ResetModifyOtherKeys, ansi.PopKittyKeyboard(1), ansi.ResetStyle,
	ansi.ResetModeAltScreenSaveCursor, ansi.SetModeTextCursorEnable,
}, "")
