package probe

import (
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// stamp writes seconds since 1970 as a time of this machine; empty for none.
func stamp(unix int64) string {
	if unix <= 0 {
		return ""
	}
	return time.Unix(unix, 0).Format("2006-01-02 15:04:05")
}
