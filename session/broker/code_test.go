package broker

import "testing"

func TestCodes(t *testing.T) {
	const n = 20000
	var first [10]int
	seen := map[string]bool{}
	for range n {
		c, err := newCode()
		if err != nil {
			t.Fatal(err)
		}
		if !codeRule.MatchString(c) {
			t.Fatalf("code %q", c)
		}
		first[c[0]-'0']++
		seen[c] = true
	}
	for d, k := range first { // 2000 are expected, the standard deviation is 42
		if k < 1750 || k > 2250 {
			t.Errorf("%d of %d codes begin with %d", k, n, d)
		}
	}
	if len(seen) < n-20 { // 2 doubles are expected
		t.Errorf("only %d of %d differ", len(seen), n)
	}
}

func TestCodeNamesNeedTheKey(t *testing.T) {
	a, b := &Broker{}, &Broker{}
	b.keys.Code[0] = 1
	if a.mac("12345678") == b.mac("12345678") || a.mac("12345678") == a.mac("12345679") {
		t.Error("names of codes are equal")
	}
}
