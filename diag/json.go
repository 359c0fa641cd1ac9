package diag

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// head is what a report says beside its categories.
type head struct {
	At   time.Time `json:"taken"`
	Host string    `json:"host"`
	Took int64     `json:"took_ms"`
}

// MarshalJSON writes one object: taken, took_ms, host, findings, and a member for each category by its name.
func (r Report) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	put := func(key string, v any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if err := enc.Encode(key); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the line feed
		b.WriteByte(':')
		if err := enc.Encode(v); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1)
		return nil
	}
	findings := r.Findings
	if findings == nil {
		findings = []Finding{}
	}
	b.WriteByte('{')
	err := errors.Join(put("taken", r.At.UTC()), put("host", r.Host), put("took_ms", r.Took.Milliseconds()), put("findings", findings))
	for _, c := range r.Categories {
		err = errors.Join(err, put(string(c.ID), written(c)))
	}
	b.WriteByte('}')
	return b.Bytes(), err
}

// fact is an item as it is written: a number stands there even when it is 0.
type fact struct {
	Item
	Value  string   `json:"value"`
	Number *float64 `json:"number,omitempty"`
}

func written(c Category) any {
	out := struct {
		Category
		Items []fact `json:"items"`
	}{c, make([]fact, 0, len(c.Items))}
	for _, i := range c.Items {
		f := fact{Item: i, Value: i.Text()}
		if i.Unit != "" {
			f.Number = &i.Number
		}
		out.Items = append(out.Items, f)
	}
	return out
}

// Encode is the report as it travels and as it is kept: at most MaxReport bytes. The items of the longest categories give
// way, with a note, when it is longer.
func (r Report) Encode() ([]byte, error) {
	for {
		b, err := json.Marshal(r)
		if err != nil || len(b) <= MaxReport {
			return b, err
		}
		longest := 0
		for i, c := range r.Categories {
			if weight(c) > weight(r.Categories[longest]) {
				longest = i
			}
		}
		if len(r.Categories) == 0 || len(r.Categories[longest].Items) == 0 {
			return nil, fmt.Errorf("the report has %d bytes, %d are allowed", len(b), MaxReport)
		}
		r.Categories = append([]Category(nil), r.Categories...)
		c := &r.Categories[longest]
		c.Items = c.Items[:len(c.Items)/2]
		const short = "shortened: the report was too long"
		if !slices.Contains(c.Notes, short) {
			c.Notes = append(append([]string(nil), c.Notes[:min(len(c.Notes), MaxNotes-1)]...), short)
		}
	}
}

func weight(c Category) (n int) {
	for _, i := range c.Items {
		n += len(i.Name) + len(i.Value) + 40
	}
	return n
}

// ErrMalformed says that something is no report.
var ErrMalformed = errors.New("malformed report")

func malformed(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, a...))
}

// ParseReport reads what Encode wrote. Members that it does not know are skipped. Texts are not yet safe to show: Clean.
func ParseReport(b []byte) (Report, error) {
	var r Report
	if len(b) > MaxReport {
		return r, malformed("%d bytes", len(b))
	}
	var h head
	if err := json.Unmarshal(b, &h); err != nil {
		return r, malformed("%v", err)
	}
	if h.Took < 0 || h.Took > int64(time.Hour/time.Millisecond) {
		return r, malformed("it took %d ms", h.Took)
	}
	if y := h.At.Year(); y < 1 || y > 9999 || len(h.Host) > MaxValue {
		return r, malformed("host or time out of bounds")
	}
	r.At, r.Host, r.Took = h.At.UTC(), h.Host, time.Duration(h.Took)*time.Millisecond
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil { // {
		return r, malformed("%v", err)
	}
	for dec.More() {
		if err := r.member(dec); err != nil {
			return Report{}, err
		}
	}
	r.Order()
	return r, nil
}

// member reads one member of a report's object.
func (r *Report) member(dec *json.Decoder) error {
	key, err := dec.Token()
	if err != nil {
		return malformed("%v", err)
	}
	name, _ := key.(string)
	switch id := ID(name); {
	case name == "findings":
		r.Findings, err = list(dec, MaxFindings, Finding.check)
		return err
	case id.Known():
		if _, twice := r.Category(id); twice {
			return malformed("%s twice", id)
		}
		c := Category{ID: id, Title: id.Title()}
		if err := c.read(dec); err != nil {
			return err
		}
		r.Categories = append(r.Categories, c)
		return nil
	}
	var skip json.RawMessage
	if err := dec.Decode(&skip); err != nil {
		return malformed("%v", err)
	}
	return nil
}

func (c *Category) read(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return malformed("%s is no object", c.ID)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return malformed("%v", err)
		}
		switch key {
		case "items":
			c.Items, err = list(dec, MaxItems, Item.check)
		case "notes":
			c.Notes, err = list(dec, MaxNotes, func(s string) bool { return len(s) <= MaxValue })
		case "took_ms":
			err = dec.Decode(&c.Took)
			if c.Took < 0 {
				c.Took = 0
			}
		default:
			var skip json.RawMessage
			err = dec.Decode(&skip)
		}
		if err != nil {
			return malformed("%s: %v", c.ID, err)
		}
	}
	_, err := dec.Token() // }
	return err
}

// list reads an array of at most most elements, each of which must pass check.
func list[T any](dec *json.Decoder, most int, check func(T) bool) ([]T, error) {
	t, err := dec.Token()
	switch {
	case err != nil:
		return nil, malformed("%v", err)
	case t == nil: // null
		return nil, nil
	case t != json.Delim('['):
		return nil, malformed("no array")
	}
	var out []T
	for dec.More() {
		var v T
		if len(out) == most {
			return nil, malformed("more than %d elements", most)
		}
		if err := dec.Decode(&v); err != nil {
			return nil, malformed("%v", err)
		}
		if !check(v) {
			return nil, malformed("element %d is out of bounds", len(out))
		}
		out = append(out, v)
	}
	if _, err := dec.Token(); err != nil { // ]
		return nil, malformed("%v", err)
	}
	return out, nil
}

func (i Item) check() bool {
	return len(i.Name) <= MaxValue && len(i.Value) <= MaxValue && i.Unit.known() && i.Depth >= 0 && i.Depth <= MaxDepth
}

func (f Finding) check() bool {
	return len(f.ID) <= MaxValue && len(f.Subject) <= MaxValue && len(f.Evidence) <= MaxValue && len(f.Advice) <= MaxValue && f.Category.Known()
}
