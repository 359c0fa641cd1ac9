package diag

import "time"

// Sample is the live values of one second.
type Sample struct {
	At        time.Time `json:"time"`
	Load      float64   `json:"load1"`
	CPU       float64   `json:"cpu_percent"`
	Memory    float64   `json:"memory_percent"`
	Swap      float64   `json:"swap_percent"`
	DiskRead  float64   `json:"disk_read_bytes_s"`
	DiskWrite float64   `json:"disk_write_bytes_s"`
	NetIn     float64   `json:"net_in_bytes_s"`
	NetOut    float64   `json:"net_out_bytes_s"`
}

// Value is one line of live values: how it is called and how it is taken from a sample.
type Value struct {
	Name string
	Unit Unit
	Of   func(Sample) float64
	Full float64 // what fills a drawing of it; 0: the largest that was seen
}

// Values are the live values in the order in which people read them.
func Values() []Value {
	return []Value{
		{"load", Ratio, func(s Sample) float64 { return s.Load }, 0},
		{"CPU", Percent, func(s Sample) float64 { return s.CPU }, 100},
		{"memory", Percent, func(s Sample) float64 { return s.Memory }, 100},
		{"disk read", Rate, func(s Sample) float64 { return s.DiskRead }, 0},
		{"disk write", Rate, func(s Sample) float64 { return s.DiskWrite }, 0},
		{"network in", Rate, func(s Sample) float64 { return s.NetIn }, 0},
		{"network out", Rate, func(s Sample) float64 { return s.NetOut }, 0},
	}
}
