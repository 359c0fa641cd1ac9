package keys

// The actions of the diagnostics pane.
const (
	ReadAgain Action = iota + 128
	FindFact
	Compare
	CopyLine
	CopyReport
	SaveReport
	EventLog
	EventPriority
	EventUnit
)

// CheckupTable is every key of the diagnostics pane while it is open, beside those that move in it.
func CheckupTable() []Key {
	return []Key{
		{ReadAgain, []string{"r"}, "r", "read again", "read the machine again; the customer sees what goes before it does", Machine, always},
		{FindFact, []string{"/"}, "/", "find", "only the lines with these words in them", Machine, always},
		{Compare, []string{"x"}, "x", "compare", "what changed since an earlier report; again takes the next one", Machine, always},
		{CopyLine, []string{"y"}, "y", "copy", "copy the line", Machine, always},
		{CopyReport, []string{"Y"}, "Y", "copy all", "copy the whole report", Machine, always},
		{SaveReport, []string{"w"}, "w", "save", "save the report as text, JSON or Markdown", Machine, always},
		{EventLog, []string{"e"}, "e", "log", "follow the event log", Machine, always},
		{EventPriority, []string{"p"}, "p", "priority", "more or less of the event log: errors, warnings, info, all", Machine, always},
		{EventUnit, []string{"u"}, "u", "unit", "the event log of one unit only", Machine, always},
	}
}

// FindCheckup is the key of the diagnostics pane for what was pressed.
func FindCheckup(press string) (Key, bool) { return find(CheckupTable(), press) }
