package flowfile

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// withDistributions returns a flow that has distributions 66 and 76.
func withDistributions(t *testing.T) *match.Flow {
	parse := func(s string) attr.Value {
		v, err := attr.ToPacketSize.ParseMeasure(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var shapes match.Shapes
	s := shapes.Intern(2, 0, 0, nil,
		attr.Measure{Attr: attr.ToPacketSize, Mask: parse("1.0.100!300"), Value: parse("3.0")},
		attr.Measure{Attr: attr.ToTurnaroundTime1, Mask: parse("2.3.1!100"), Value: parse("3.dns")})
	return &match.Flow{
		FlowKey: match.FlowKey{Shape: s}, Index: 1,
		Counters: [][]uint64{{5, 0, math.MaxUint64, 1}, {0, 0, 0, 0}},
	}
}

func TestDistributionText(t *testing.T) {
	format, err := ruleset.ParseFormat("FlowIndex Distributions ToPacketSize FromPacketSize ToTurnaroundTime1 ToPDUs")
	if err != nil {
		t.Fatal(err)
	}
	f := withDistributions(t)
	var b strings.Builder
	w := NewWriter(&b, Header{Version: "5", Meter: "m", Start: time.Unix(0, 0).UTC()}, 0, format, Options{})
	w.Begin(0)
	w.Flow(f, nil)
	w.End(record.Summary{})
	want := "1 1025 1.0.100!300:3.0.0!0:5:0:18446744073709551615:1 0 2.3.1!100:3.11.0!0:0:0:0:0 0\n"
	if line := strings.SplitAfter(b.String(), "\n")[3]; line != want {
		t.Errorf("%q, want %q", line, want)
	}
	r := NewReader(strings.NewReader(b.String()))
	rec, err := r.Next()
	for err == nil && rec.Kind != KindFlow {
		rec, err = r.Next()
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range []attr.Attr{attr.ToPacketSize, attr.ToTurnaroundTime1} {
		d, counters, err := rec.Distribution(a)
		if err != nil || d != f.Shape.Measures[i] || !slices.Equal(counters, f.Counters[i]) {
			t.Errorf("%v: %v %v, %v", a, d, counters, err)
		}
	}
	if _, counters, err := rec.Distribution(attr.FromPacketSize); err != nil || counters != nil {
		t.Errorf("no distribution: %v, %v", counters, err)
	}
}

func TestDistributionFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "want mask, value and counters",
		"1.0.100!300:3.0.0!0":             "want mask, value and counters",
		"1.0.100!300:3.0.0!0:1:2:3":       "3 counters for 3 buckets and the overflow",
		"1.0.100!300:3.0.0!0:1:2:3:4:5":   "5 counters",
		"1.0.100!300:3.0.0!0:1:2:3:-4":    `"-4" is not a number`,
		"1.0.100!300:3.0.0!0:1::3:4":      `"" is not a number`,
		"3.0.100!300:3.0.0!0:1:2:3:4":     "transform 3",
		"1.0.100!300:0.0.0!0:1":           "no buckets",
		"1.0.100!300!1!1:3.0.0!0:1:2:3:4": "more than 6 octets",
		"1.0.100!300:x:1:2:3:4":           "not a value",
	} {
		if _, _, err := parseDistribution(attr.ToPacketSize, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestDistributionJSON(t *testing.T) {
	f := withDistributions(t)
	f.Counters[0] = []uint64{5, 3, 1, 1}
	f.Counters[1] = nil
	f.Counters = f.Counters[:1] // zeros for what is not there
	var b strings.Builder
	w := NewWriter(&b, Header{Start: time.Unix(0, 0).UTC()}, 0, nil, Options{JSON: true})
	w.Begin(0)
	w.Flow(f, &record.Counters{Measures: []uint64{2, 0, 0, 1}})
	w.Flow(f, nil)
	w.End(record.Summary{})
	var got map[string]any
	if err := json.Unmarshal([]byte(strings.SplitAfter(b.String(), "\n")[2]), &got); err != nil {
		t.Fatalf("%v: %s", err, b.String())
	}
	list := func(n ...any) []any { return n }
	want := map[string]any{
		"mask": "1.0.100!300", "value": "3.0.0!0", "transform": "linear", "unit": "octets",
		"parameters": list(0., 0., 0.), "limits": list(100., 200., 300.), "counters": list(5., 3., 1., 1.),
		"count": 10., "mean": 125.2, "p50": 100., "p90": 300., "p99": nil,
		"delta": map[string]any{"counters": list(2., 0., 0., 1.), "count": 3., "mean": 133.3, "p50": 100., "p90": nil, "p99": nil},
	}
	if !reflect.DeepEqual(got["ToPacketSize"], want) {
		t.Errorf("%v, want %v", got["ToPacketSize"], want)
	}
	want = map[string]any{
		"mask": "2.3.1!100", "value": "3.11.0!0", "transform": "logarithmic", "unit": "microseconds",
		"parameters": list(11., 0., 0.), "pairs": "dns", "limits": list(1000., 10000., 100000.),
		"counters": list(0., 0., 0., 0.), "count": 0., "delta": nil, // not known
	}
	if !reflect.DeepEqual(got["ToTurnaroundTime1"], want) {
		t.Errorf("%v, want %v", got["ToTurnaroundTime1"], want)
	}
	if line := strings.SplitAfter(b.String(), "\n")[3]; strings.Count(line, `"delta":null}`) != 2 {
		t.Errorf("without a difference: %s", line)
	}
}
