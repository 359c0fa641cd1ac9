package keys

import "assist/session"

// PeopleTable is every key of the roster while it has the keys. Others do what they do in browse mode.
func PeopleTable() []Key {
	return []Key{
		{PickUp, []string{"up", "k"}, "k, up", "", "the member above", Members, always},
		{PickDown, []string{"down", "j"}, "j, down", "", "the member below", Members, always},
		{ViewOnly, []string{"o"}, "o", "view only", "let this agent only look (lead)", Members, whyViewOnly},
		{MayControl, []string{"a"}, "a", "may control", "let this agent control again (lead)", Members, whyMayControl},
		{GiveBaton, []string{"b"}, "b", "baton", "hand control to this agent", Members, whyBaton},
		{Sharing, []string{"w"}, "w", "sharing", "how control is shared: free, ask, baton (lead)", Members, whyLead},
		{HandOver, []string{"n"}, "n", "hand over", "offer the lead to this agent (lead)", Members, whyHere},
		{Remove, []string{"x"}, "x", "remove", "send this agent out; asks first (lead)", Members, whyAgent},
	}
}

// FindPeople is the key of the roster for what was pressed.
func FindPeople(press string) (Key, bool) { return find(PeopleTable(), press) }

func whyInvite(n Now) string {
	switch {
	case whyIn(n) != "":
		return whyIn(n)
	case n.ViewOnly:
		return "you joined to view only"
	}
	return ""
}

func whyLead(n Now) string {
	switch {
	case whyIn(n) != "":
		return whyIn(n)
	case !n.Lead:
		return "only the lead decides that"
	}
	return ""
}

// other says why the picked member is not another agent of this session.
func other(n Now) string {
	switch {
	case n.Picked.ID == session.Nobody:
		return "nobody is picked"
	case n.Picked.ID == n.Self:
		return "that is you"
	case n.Picked.Role == session.Customer:
		return "that is the customer"
	case n.Picked.Presence == session.Knocking:
		return "the customer has not let them in yet"
	}
	return ""
}

func whyAgent(n Now) string {
	if why := whyLead(n); why != "" {
		return why
	}
	return other(n)
}

func whyHere(n Now) string {
	switch {
	case whyAgent(n) != "":
		return whyAgent(n)
	case n.Picked.Presence != session.Here:
		return "they are not here just now"
	}
	return ""
}

func whyViewOnly(n Now) string { return whyAgent(n) }

func whyMayControl(n Now) string {
	switch {
	case whyAgent(n) != "":
		return whyAgent(n)
	case n.Picked.Grants.Has(session.Control):
		return "they may control already"
	}
	return ""
}

func whyBaton(n Now) string {
	switch {
	case whyIn(n) != "":
		return whyIn(n)
	case n.Mode == session.Free:
		return "control is free for all: nobody holds it; the lead changes that with w"
	case other(n) != "":
		return other(n)
	case n.Picked.Presence != session.Here:
		return "they are not here just now"
	case !n.Picked.Grants.Has(session.Control):
		return "they may not control"
	}
	return ""
}
