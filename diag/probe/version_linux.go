package probe

import "strings"

// compareDebian orders two versions: deb-version(7).
func compareDebian(a, b string) int {
	epoch := func(s string) (uint64, string) {
		if e, rest, ok := strings.Cut(s, ":"); ok {
			return whole(e), rest
		}
		return 0, s
	}
	ea, a := epoch(a)
	eb, b := epoch(b)
	if ea != eb {
		return map[bool]int{true: 1, false: -1}[ea > eb]
	}
	split := func(s string) (string, string) {
		if i := strings.LastIndexByte(s, '-'); i >= 0 {
			return s[:i], s[i+1:]
		}
		return s, ""
	}
	ua, ra := split(a)
	ub, rb := split(b)
	if c := compareParts(ua, ub); c != 0 {
		return c
	}
	return compareParts(ra, rb)
}

// compareParts compares alternating runs of other characters and of digits.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !digit(a[0]) || b != "" && !digit(b[0]) {
			wa, wb := weightAt(a), weightAt(b)
			if wa != wb {
				return wa - wb
			}
			a, b = a[min(1, len(a)):], b[min(1, len(b)):]
		}
		var na, nb string
		na, a = digits(a)
		nb, b = digits(b)
		if len(na) != len(nb) {
			return len(na) - len(nb)
		}
		if c := strings.Compare(na, nb); c != 0 {
			return c
		}
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// digits takes the leading digits, without leading zeros.
func digits(s string) (n, rest string) {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}

// weightAt is the order of the first character: a tilde before the end, letters before the rest.
func weightAt(s string) int {
	switch {
	case s == "" || digit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z':
		return int(s[0])
	}
	return int(s[0]) + 256
}
