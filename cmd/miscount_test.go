package cmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"rtfm/traces/format"

	"rtfm/meter"
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

// miscounts is a sink in which a packet vanishes, from the numbers or from the
// flows, before each collection.
type miscounts struct {
	*runSink
	vanish func(*meter.TaskStats)
}

func (s miscounts) Collect(c meter.Collection) error {
	if len(s.before.Tasks) == 0 {
		s.before.Tasks = []meter.TaskStats{{RuleSet: 2}}
	}
	s.vanish(&s.before.Tasks[0])
	return s.runSink.Collect(c)
}

// TestFaultIsTold has the program miscount.
func TestFaultIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		vanish func(*meter.TaskStats)
		json   bool
		want   string // "" for none
	}{
		"nothing":    {func(*meter.TaskStats) {}, false, ""},
		"ignored":    {func(s *meter.TaskStats) { s.Ignored++ }, false, "has seen 300 packets, of which 300 were counted, 18446744073709551615 ignored"},
		"seen":       {func(s *meter.TaskStats) { s.Packets++ }, true, "has seen 299 packets, of which 300 were counted"},
		"text flows": {func(s *meter.TaskStats) { s.Counted--; s.Packets-- }, false, "has counted 301 packets, its flows have 300"},
		"flows":      {func(s *meter.TaskStats) { s.Counted--; s.Packets-- }, true, "has counted 301 packets, its flows have 300"},
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
			s := &runSink{meter: m, errors: &errs, out: &out, format: flowfile.FormatFor(rules), options: flowfile.Options{JSON: tt.json}}
			src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(300)...)), "test")
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Run(t.Context(), src, miscounts{s, tt.vanish}); err != nil {
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
