package start

import (
	"strings"
	"time"

	"assist/tui/cell"
	"assist/tui/dialog"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// shown is how many items of a long list are on the screen at once.
const shown = 12

// listPage is a list to choose from.
type listPage struct {
	title string
	items []item
	at    int
}

func machines(m *Model) *listPage {
	p := &listPage{title: "Machines"}
	for _, one := range m.machines {
		p.items = append(p.items, item{text: one.Name, note: one.Note, why: one.Why, do: func(m *Model) tea.Cmd {
			return m.choose(Choice{Do: Go, Text: one.Name})
		}})
	}
	return p
}

func recent(m *Model, now time.Time) *listPage {
	p := &listPage{title: "Recent sessions"}
	for _, one := range m.opt.Recent {
		note, why := "since "+ago(one.When, now), ""
		if one.Over {
			note, why = "over, "+ago(one.When, now), "That session has ended. Ask for a new code."
		}
		p.items = append(p.items, item{text: one.Name, note: note, why: why, do: func(m *Model) tea.Cmd {
			return m.choose(Choice{Do: Join, Text: one.Join})
		}})
	}
	return p
}

// ago says a time as people do: of today by the clock, else by the day.
func ago(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("Mon 2 Jan 15:04")
}

func (p *listPage) press(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc", "q", "left":
		m.page = newHome(m)
	case "up", "k", "shift+tab":
		p.at = (p.at + len(p.items) - 1) % len(p.items)
	case "down", "j", "tab":
		p.at = (p.at + 1) % len(p.items)
	case "enter":
		return pick(m, p.items[p.at])
	}
	return nil
}

func (p *listPage) paste(*Model, string) {}

func (p *listPage) rows(t theme.Theme, w int) []string {
	top := max(0, min(p.at-shown/2, len(p.items)-shown))
	end := min(len(p.items), top+shown)
	return append([]string{t.Strong.Render(p.title), ""}, list(t, p.items[top:end], p.at-top, w)...)
}

func (p *listPage) hint() string { return "Up/Down choose, Enter goes there, Esc back" }

// form asks for what signing in takes.
type form struct {
	fields [3]dialog.Field
	at     int
}

var labels = [3]string{"Relay", "Account", "Password"}

func newForm(relay, user string) *form {
	f := &form{fields: [3]dialog.Field{{Max: 256}, {Max: 256}, {Max: 256, Secret: true}}}
	f.fields[0].Set(relay)
	f.fields[1].Set(user)
	for f.at < 2 && f.fields[f.at].Text() != "" {
		f.at++
	}
	return f
}

func (f *form) press(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		if m.opt.Joining != "" {
			return tea.Quit
		}
		m.page = newHome(m)
	case "up", "shift+tab":
		f.at = (f.at + 2) % 3
	case "down", "tab":
		f.at = (f.at + 1) % 3
	case "enter":
		for i := range f.fields {
			if f.fields[i].Text() == "" {
				f.at = i
				return nil
			}
		}
		return m.signIn(SignIn{Relay: f.fields[0].Text(), User: f.fields[1].Text(), Password: f.fields[2].Raw()})
	default:
		f.fields[f.at].Press(k)
	}
	return nil
}

func (f *form) paste(_ *Model, text string) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i]
	}
	f.fields[f.at].Paste(text)
}

func (f *form) rows(t theme.Theme, w int) []string {
	out := []string{t.Strong.Render("Sign in"), ""}
	for i := range f.fields {
		mark, style := "  ", t.Text
		if i == f.at {
			mark, style = "> ", t.Accent
		}
		out = append(out, style.Render(cell.Fit(mark+labels[i], 12))+f.fields[i].Row(t, w-12, i == f.at))
	}
	return append(out, "", t.Dim.Render("An account is NAME@ORG; whoever runs the relay makes it."))
}

func (f *form) hint() string { return "Tab next line, Enter signs in, Esc back" }

// keyPage asks whether the key of a relay that is new here is the right one.
type keyPage struct {
	in    SignIn
	fresh *NewRelayError
}

func (p *keyPage) press(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "y":
		p.in.Key = p.fresh.Key
		m.compared[p.in.Relay] = p.in.Key
		return m.signIn(p.in)
	case "n", "esc", "enter":
		m.page = newForm(p.in.Relay, p.in.User)
		m.wrong = "Not signed in: the key was not compared."
	}
	return nil
}

func (p *keyPage) paste(*Model, string) {}

func (p *keyPage) rows(t theme.Theme, w int) []string {
	out := []string{t.Strong.Render("This relay is new here"), ""}
	for _, l := range cell.Wrap("Compare the key of "+cell.Clean(p.fresh.Relay)+" with the fingerprint that it printed when it was started:", w) {
		out = append(out, t.Text.Render(l))
	}
	return append(out, "", "  "+t.Strong.Render(cell.Clean(p.fresh.Key)), "", t.Accent.Render("y")+t.Text.Render(" it is the same    ")+t.Accent.Render("n")+t.Text.Render(" it is not, or I do not know"))
}

func (p *keyPage) hint() string { return "y the key is right, n it is not" }
