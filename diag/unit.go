package diag

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Unit is what a number counts. Its name is stable, for scripts.
type Unit string

// The units.
const (
	Bytes   Unit = "bytes"
	Rate    Unit = "bytes/s"
	Percent Unit = "percent"
	Seconds Unit = "seconds"
	Millis  Unit = "milliseconds"
	Count   Unit = "count"
	Ratio   Unit = "ratio" // such as a load average
	Hertz   Unit = "hertz"
	Celsius Unit = "celsius"
)

// known says whether u is one of the units above.
func (u Unit) known() bool {
	switch u {
	case "", Bytes, Rate, Percent, Seconds, Millis, Count, Ratio, Hertz, Celsius:
		return true
	}
	return false
}

// Format writes n as people read it.
func (u Unit) Format(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return "?"
	}
	switch u {
	case Bytes:
		return Size(n)
	case Rate:
		return Size(n) + "/s"
	case Percent:
		return fmt.Sprintf("%.1f %%", n)
	case Seconds:
		return Span(n)
	case Millis:
		return fmt.Sprintf("%.1f ms", n)
	case Ratio:
		return fmt.Sprintf("%.2f", n)
	case Hertz:
		return fmt.Sprintf("%.2f GHz", n/1e9)
	case Celsius:
		return fmt.Sprintf("%.0f °C", n)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// Size writes a number of bytes in steps of 1024.
func Size(n float64) string {
	const steps = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%.0f B", n)
	}
	i := -1
	for n >= 1024 && i < len(steps)-1 {
		n, i = n/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", n, steps[i])
}

// Span writes seconds in the two largest units.
func Span(s float64) string {
	s = max(-1e12, min(s, 1e12))
	t := int64(math.Abs(s))
	sign := ""
	if s < 0 {
		sign = "-"
	}
	switch d, h, m := t/86400, t/3600%24, t/60%60; {
	case d > 0:
		return fmt.Sprintf("%s%d d %d h", sign, d, h)
	case h > 0:
		return fmt.Sprintf("%s%d h %d min", sign, h, m)
	case m > 0:
		return fmt.Sprintf("%s%d min %d s", sign, m, t%60)
	}
	return sign + strconv.FormatFloat(math.Round(math.Abs(s)*1000)/1000, 'f', -1, 64) + " s"
}

// Ago writes how long before now t was.
func Ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return Span(now.Sub(t).Truncate(time.Second).Seconds()) + " ago"
}
