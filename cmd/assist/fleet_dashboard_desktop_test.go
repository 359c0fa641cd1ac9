//go:build desktop

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	promSelector = regexp.MustCompile(`\{([^}]*)\}`)
	promGrouping = regexp.MustCompile(`\b(?:by|without)\s*\(([^)]*)\)`)
	promRange    = regexp.MustCompile(`\[[^\]]*\]`)
	promName     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\s*\(?`)
	promLabel    = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)`)
	promLegend   = regexp.MustCompile(`\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}`)
	promSeries   = regexp.MustCompile(`(?m)^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? [^ ]+$`)
	docMetric    = regexp.MustCompile("`(assist_[a-z0-9_]+)")
)

// promOwn are the labels that Prometheus itself adds to what it reads.
var promOwn = []string{"instance", "job"}

// query is a PromQL expression taken apart as far as names go.
type query struct{ metrics, labels []string }

func parseQuery(expr string) (q query) {
	for _, m := range promSelector.FindAllStringSubmatch(expr, -1) {
		for _, l := range promLabel.FindAllStringSubmatch(m[1], -1) {
			q.labels = append(q.labels, l[1])
		}
	}
	expr = promSelector.ReplaceAllString(expr, "")
	for _, m := range promGrouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(m[1], ",") {
			q.labels = append(q.labels, strings.TrimSpace(l))
		}
	}
	expr = promRange.ReplaceAllString(promGrouping.ReplaceAllString(expr, ""), "")
	for _, name := range promName.FindAllString(expr, -1) {
		if !strings.HasSuffix(name, "(") { // a function
			q.metrics = append(q.metrics, strings.TrimSpace(name))
		}
	}
	return q
}

func TestQueryIsTakenApart(t *testing.T) {
	q := parseQuery(`sum by (instance, reason) (rate(some_total{job=~".*x.*"}[1m])) / other`)
	if !slices.Equal(q.metrics, []string{"some_total", "other"}) || !slices.Equal(q.labels, []string{"job", "instance", "reason"}) {
		t.Errorf("%+v", q)
	}
}

// dashboard looks that each metric and label which the dashboard and the page about fleets name is one that a relay has.
func (f *fleetStage) dashboard(r *fleetRelay) {
	f.t.Helper()
	has := r.scrape()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "fleet", "dashboard.json"))
	if err != nil {
		f.t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(b, &board); err != nil || len(board.Panels) == 0 {
		f.t.Fatalf("%d panels: %v", len(board.Panels), err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			q := parseQuery(target.Expr)
			for _, l := range promLegend.FindAllStringSubmatch(target.LegendFormat, -1) {
				q.labels = append(q.labels, l[1])
			}
			q.check(f.t, p.Title, has)
		}
	}
	if b, err = os.ReadFile(filepath.Join("..", "..", "docs", "fleet.md")); err != nil {
		f.t.Fatal(err)
	}
	for _, m := range docMetric.FindAllStringSubmatch(string(b), -1) {
		query{metrics: m[1:]}.check(f.t, "docs/fleet.md", has)
	}
}

func (q query) check(t *testing.T, where string, has map[string][]string) {
	t.Helper()
	if len(q.metrics) == 0 {
		t.Errorf("%s asks for nothing", where)
	}
	labels := slices.Clone(promOwn)
	for _, m := range q.metrics {
		l, ok := has[m]
		if !ok {
			t.Errorf("%s: the relay has no metric %s", where, m)
		}
		labels = append(labels, l...)
	}
	for _, l := range q.labels {
		if !slices.Contains(labels, l) {
			t.Errorf("%s: %v has no label %q, only %v", where, q.metrics, l, labels)
		}
	}
}

// scrape is the metrics of a relay with the names of their labels.
func (r *fleetRelay) scrape() map[string][]string {
	t := r.fleetStage.t
	t.Helper()
	answer, err := http.Get("http://" + r.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string][]string{}
	for _, m := range promSeries.FindAllStringSubmatch(string(text), -1) {
		has[m[1]] = nil
		for _, l := range promLabel.FindAllStringSubmatch(m[2], -1) {
			has[m[1]] = append(has[m[1]], l[1])
		}
	}
	return has
}
