package chat

import (
	"strings"
	"testing"
	"time"
)

func TestLogNumbersWithoutGaps(t *testing.T) {
	var l Log
	if l.Newest() != 0 || l.First() != 0 || l.After(0, true) != nil {
		t.Fatal("an empty log holds something")
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.UTC)
	for i := range 5 {
		e := l.Append(Entry{Kind: Joined, Lane: Everyone, Name: "A\x1b", Time: at})
		if e.Seq != Seq(i+1) || e.Name != "A␛" || !e.Time.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("entry %d is %+v", i, e)
		}
	}
	if got := l.After(3, false); len(got) != 2 || got[0].Seq != 4 {
		t.Fatalf("after 3: %+v", got)
	}
}

func TestAgentsOnlyIsHiddenFromTheCustomer(t *testing.T) {
	var l Log
	l.Say(Entry{From: 2, Lane: AgentsOnly, Text: "between us"}, Nonce{})
	l.Say(Entry{From: 2, Lane: Everyone, Text: "hello"}, Nonce{})
	l.Say(Entry{From: 2, Lane: 9, Text: "nowhere"}, Nonce{})
	if got := l.After(0, true); len(got) != 1 || got[0].Text != "hello" {
		t.Fatalf("the customer sees %+v", got)
	}
	if got := l.After(0, false); len(got) != 2 {
		t.Fatalf("an agent sees %+v", got)
	}
}

func TestResentIsSaidOnce(t *testing.T) {
	var l Log
	n := Nonce{1}
	first, fresh := l.Say(Entry{From: 2, Lane: Everyone, Text: "once"}, n)
	if !fresh || first.Kind != Said {
		t.Fatalf("first time: %+v %v", first, fresh)
	}
	l.Say(Entry{From: 2, Lane: Everyone, Text: "between"}, Nonce{2})
	again, fresh := l.Say(Entry{From: 2, Lane: Everyone, Text: "once"}, n)
	if fresh || again.Seq != first.Seq || l.Newest() != 2 {
		t.Fatalf("resent: %+v %v, newest %d", again, fresh, l.Newest())
	}
	if _, fresh = l.Say(Entry{From: 3, Lane: Everyone, Text: "mine"}, n); !fresh {
		t.Fatal("another member's nonce was taken for the first one's")
	}
	for range 2 {
		if _, fresh = l.Say(Entry{From: 2, Lane: Everyone, Text: "no nonce"}, Nonce{}); !fresh {
			t.Fatal("a message without a nonce was taken for a resend")
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	var l Log
	for i := range 3 * KeepEntries {
		l.Say(Entry{From: 2, Lane: Everyone, Text: strings.Repeat("x", i%700)}, Nonce{byte(i), byte(i >> 8), 1})
	}
	if l.bytes > KeepBytes || len(l.entries) > KeepEntries || len(l.nonces) != keepNonces || len(l.order) != keepNonces {
		t.Fatalf("%d bytes, %d entries, %d nonces", l.bytes, len(l.entries), len(l.nonces))
	}
	if l.Newest() != 3*KeepEntries || l.First() != l.Newest()-Seq(len(l.entries))+1 {
		t.Fatalf("from %d to %d with %d entries", l.First(), l.Newest(), len(l.entries))
	}
}

func TestLogGoesOnAfterItWasAway(t *testing.T) {
	var l, again Log
	for _, lane := range []Lane{Everyone, AgentsOnly, Everyone, AgentsOnly} {
		l.Append(Entry{From: 2, Lane: lane, Kind: Said, Text: "hello"})
	}
	again.Load(l.After(0, true), l.Newest())
	if got := again.After(0, false); len(got) != 2 || got[0].Seq != 1 || got[1].Seq != 3 {
		t.Errorf("kept: %v", got)
	}
	if e := again.Append(Entry{From: 2, Lane: Everyone, Kind: Said, Text: "again"}); e.Seq != 5 {
		t.Errorf("the next is %d", e.Seq)
	}
	var odd Log
	odd.Load([]Entry{{Seq: 9, Lane: Everyone}, {Seq: 3, Lane: Everyone, Text: "\x1b[2J"}, {Seq: 2, Lane: Everyone}}, 4)
	if got := odd.After(0, true); len(got) != 1 || got[0].Seq != 3 || got[0].Text == "\x1b[2J" {
		t.Errorf("a file that was tampered with: %+v", got)
	}
}
