package cmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"rtfm/traces/format"

	"rtfm/meter"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

// miscounts is a meter of which a packet vanishes, from the numbers or from the
// flows.
type miscounts struct {
	record.Meter
	vanish func(*record.RuleSetCounts)
}

func (m miscounts) Counts() (record.Counts, record.Levels) {
	n, levels := m.Meter.Counts()
	r := n.RuleSets[2]
	m.vanish(&r)
	n.RuleSets[2] = r
	return n, levels
}

// TestFaultIsTold has the program miscount.
func TestFaultIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		vanish func(*record.RuleSetCounts)
		json   bool
		want   string // "" for none
	}{
		"nothing":    {func(*record.RuleSetCounts) {}, false, ""},
		"ignored":    {func(s *record.RuleSetCounts) { s.Ignored-- }, false, "has seen 300 packets, of which 300 were counted, 18446744073709551615 ignored"},
		"seen":       {func(s *record.RuleSetCounts) { s.Packets-- }, true, "has seen 299 packets, of which 300 were counted"},
		"text flows": {func(s *record.RuleSetCounts) { s.Counted++; s.Packets++ }, false, "has counted 301 packets, its flows have 300"},
		"flows":      {func(s *record.RuleSetCounts) { s.Counted++; s.Packets++ }, true, "has counted 301 packets, its flows have 300"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := loadRuleSet("ruleset/examples/all-flows.srl", nil, srl.Options{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := meter.New(meter.Config{RuleSets: []*ruleset.RuleSet{rules}, MaxFlows: 1000})
			if err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			s := &runSink{
				meter: miscounts{metered{Meter: m}, tt.vanish}, process: record.Process{Differences: tt.json}, errors: &errs,
				to: flowfile.NewSink(&out, flowfile.Header{}, flowfile.FormatFor(rules), flowfile.Options{JSON: tt.json}),
			}
			src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(300)...)), "test")
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Run(t.Context(), src, s); err != nil {
				t.Fatal(err)
			}
			if s.faulty != (tt.want != "") || !strings.Contains(errs.String(), tt.want) {
				t.Errorf("told is %q, want %q", &errs, tt.want)
			}
			var exit *exitError
			err = new(runOptions).result(t.Context(), m, s)
			if tt.want != "" && (!errors.As(err, &exit) || exit.status != StatusFault) {
				t.Errorf("the run ends with %v", err)
			} else if tt.want == "" && err != nil {
				t.Error(err)
			}
		})
	}
}
