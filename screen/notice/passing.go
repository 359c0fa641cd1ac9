package notice

import "time"

// What passes by under the bar: who came and who went, and what was said while the chat is not open.
const (
	passingLife = 5 * time.Second
	passingMost = 3
)

// passing are the lines that are shown for a moment.
type passing []struct {
	text  string
	until time.Time
}

func (p *passing) add(text string, now time.Time) {
	*p = append(*p, struct {
		text  string
		until time.Time
	}{text, now.Add(passingLife)})
	*p = (*p)[max(0, len(*p)-passingMost):]
}

// expire forgets what was seen long enough, and says whether anything was.
func (p *passing) expire(now time.Time) bool {
	n := 0
	for n < len(*p) && !now.Before((*p)[n].until) {
		n++
	}
	*p = (*p)[n:]
	return n > 0
}

func (p passing) texts() (out []string) {
	for _, one := range p {
		out = append(out, one.text)
	}
	return out
}
