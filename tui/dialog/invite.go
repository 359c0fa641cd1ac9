package dialog

import (
	"fmt"
	"image"
	"time"

	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// The answers of Invite beside console.Invite and console.RevokeInvite. The dialog stays open for all but the first.
type (
	// CopyInvite asks for an address on the clipboard.
	CopyInvite struct{ URL string }
	// MailInvite asks for the mail program.
	MailInvite struct{ URL, Code string }
)

// lives are how long an invitation can last.
var lives = []time.Duration{15 * time.Minute, time.Hour, 8 * time.Hour, 5 * time.Minute}

// Invite makes invitations, shows the open ones, and has them copied, mailed or revoked. Tab changes between the form and
// the list; in the form every letter is part of the name.
type Invite struct {
	Open []console.Invitation // newest last
	Now  func() time.Time
	Said string // what the last answer came to

	who      Field
	viewOnly bool
	life     int
	inList   bool
	at       int
}

// Show brings the open invitations up to date and picks a new one.
func (d *Invite) Show(open []console.Invitation) {
	if len(open) > len(d.Open) {
		d.at, d.inList = len(open)-1, true
	}
	d.Open = open
	d.at = max(0, min(d.at, len(open)-1))
	d.inList = d.inList && len(open) > 0
}

// Press fills the form in, or plays a key of the list.
func (d *Invite) Press(k tea.KeyPressMsg) (Answer, bool) {
	switch s := k.String(); {
	case s == "esc", s == "ctrl+c":
		return nil, true
	case s == "tab", s == "shift+tab":
		d.inList = !d.inList && len(d.Open) > 0
	case d.inList:
		return d.list(s), false
	case s == "up", s == "down":
		d.viewOnly = !d.viewOnly
	case s == "right":
		d.life = (d.life + 1) % len(lives)
	case s == "left":
		d.life = (d.life + len(lives) - 1) % len(lives)
	case s == "enter":
		d.Said = "asked for an invitation"
		return console.Invite{For: d.who.Text(), ViewOnly: d.viewOnly, Life: lives[d.life]}, false
	default:
		d.who.Press(k)
	}
	return nil, false
}

func (d *Invite) list(s string) Answer {
	picked := d.Open[d.at]
	switch s {
	case "up", "k":
		d.at = max(0, d.at-1)
	case "down", "j":
		d.at = min(len(d.Open)-1, d.at+1)
	case "y":
		return CopyInvite{picked.URL}
	case "e":
		return MailInvite{picked.URL, picked.Code}
	case "x":
		return console.RevokeInvite{Code: picked.Code}
	}
	return nil
}

// Paste adds to the name.
func (d *Invite) Paste(s string) {
	if !d.inList {
		d.who.Paste(s)
	}
}

// Hint tells the keys.
func (d *Invite) Hint() string {
	if d.inList {
		return "y copies, e mails, x revokes, Tab new one, Esc closes"
	}
	return "type who, Up/Down role, Left/Right life, Enter makes it, Esc closes"
}

// View draws the form and the list.
func (d *Invite) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(72, limit)
	role := "may control"
	if d.viewOnly {
		role = "view only"
	}
	lines := []string{t.PanelTitle.Render("New invitation"), t.PanelDim.Render("  NAME@ORG, ORG, or nothing: whoever has the address")}
	lines = append(lines, t.PanelKey.Render("  for   ")+d.who.rows(t, inner-8, 1, !d.inList)[0])
	lines = append(lines, t.PanelKey.Render("  role  ")+t.Panel.Render(role), t.PanelKey.Render("  life  ")+t.Panel.Render(minutes(lives[d.life])))
	lines = append(lines, "", t.PanelTitle.Render("Open invitations"))
	if len(d.Open) == 0 {
		lines = append(lines, t.PanelDim.Render("  none"))
	}
	var address []string
	if len(d.Open) > 0 {
		address = cell.Wrap(cell.Clean(d.Open[d.at].URL), inner)
	}
	room := max(1, limit.Y-len(lines)-len(address)-8)
	top := max(0, min(d.at-room+1, len(d.Open)-room))
	for i := top; i < min(len(d.Open), top+room); i++ {
		lines = append(lines, d.row(t, i, inner))
	}
	if len(address) > 0 {
		lines = append(lines, "")
	}
	for _, l := range address {
		lines = append(lines, t.PanelTitle.Render(l))
	}
	if d.Said != "" {
		lines = append(lines, "", t.PanelGood.Render(cell.Cut(cell.Clean(d.Said), inner)))
	}
	return frame(t, "Invite"+more(top, len(d.Open)-top-room), lines, inner)
}

func (d *Invite) row(t theme.Theme, i, inner int) string {
	v := d.Open[i]
	who, role := cell.Clean(v.For), ""
	if who == "" {
		who = "whoever has it"
	}
	if v.ViewOnly {
		role = ", view only"
	}
	code := cell.Clean(v.Code)
	if len(code) == 8 {
		code = code[:4] + " " + code[4:]
	}
	left := minutes(v.Expires.Sub(d.Now())) + " left "
	text := cell.Ends(code+"  "+who+role, left, inner-3)
	if i == d.at && d.inList {
		return t.PanelPick.Render(" > " + text)
	}
	return t.Panel.Render("   " + text)
}

func minutes(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
