// Package tui is what an agent sees: one tea.Model, its panes and dialogs, and the picture in the terminal.
//
// It knows the nouns (session, screen, chat) and never a socket: what it needs of a live session is the small interface
// Session, which session/agent serves; the words they share are those of session/console. The model owns focus, mode, drafts and viewport; everything else it pulls as
// immutable snapshots when Session.Changed says that something is new. Nothing in Update or View waits.
package tui

import (
	"context"
	"image"

	"assist/chat"
	"assist/screen"
	"assist/session/console"
)

// Session is one live session as the console needs it. All methods return at once; what they ask of the host arrives later
// as a change of State.
type Session interface {
	// Changed has at most one pending signal: something in State, Picture or Log is newer than at the last look.
	Changed() <-chan struct{}
	State() State
	// Picture is the newest whole picture, nil before the first. It never changes after it is handed out.
	Picture() *screen.Picture
	// Log returns the entries after seq, oldest first.
	Log(after chat.Seq) []chat.Entry

	// Look asks for another viewport; its ID is given by the implementation.
	Look(v screen.Viewport)
	// Text is the newest state of shared text, nil before the first. It never changes after it is handed out.
	Text() *screen.TextGrid
	// LookText says that the text is looked at, with room for so many cells, or that it is not.
	LookText(on bool, size image.Point)
	// TextLines and TextFind ask the host for lines of scrollback and for words in it. They wait: never in Update.
	TextLines(ctx context.Context, from uint64, n int) (first uint64, rows []screen.Row, err error)
	TextFind(ctx context.Context, from uint64, down bool, words string) (line uint64, found bool, err error)

	// Still is a part of the display as it is now, at full resolution. Unlike the other methods it waits; it is never called in
	// Update.
	Still(ctx context.Context, region image.Rectangle) (image.Image, error)
	// Input queues an event in order; it reports false when control is not held or the queue (bounded) is full.
	Input(ev screen.Input) bool
	Do(c Command)
	// Close leaves at once without asking anything.
	Close()
}

// The words of session/console, under the names that the panes use.
type (
	Phase   = console.Phase
	State   = console.State
	Link    = console.Link
	Outcome = console.Outcome
	Command = console.Command

	Say          = console.Say
	TakeControl  = console.TakeControl
	GiveControl  = console.GiveControl
	AskGrants    = console.AskGrants
	Leave        = console.Leave
	HandOver     = console.HandOver
	ConfirmWords = console.ConfirmWords
	RemoveMember = console.RemoveMember

	AnswerHandOver = console.AnswerHandOver
	SetMember      = console.SetMember
	SetMode        = console.SetMode
	Invite         = console.Invite
	RevokeInvite   = console.RevokeInvite
	PinQuality     = console.PinQuality
	Drew           = console.Drew

	Offer         = console.Offer
	MemberPointer = console.MemberPointer
	Invitation    = console.Invitation
)

// The phases.
const (
	Connecting   = console.Connecting
	AwaitingHost = console.AwaitingHost
	Knocking     = console.Knocking
	In           = console.In
	Lost         = console.Lost
	Over         = console.Over
)
