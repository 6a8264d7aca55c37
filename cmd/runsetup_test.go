package cmd

import (
	"io"
	"runtime/debug"
	"strings"
	"testing"
)

// TestGCPercentIsPutBack looks at the garbage collector's setting after runs, one
// of which ends at its ruleset.
func TestGCPercentIsPutBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(123))
	for rules, want := range map[string]int{"ruleset/examples/all-flows.srl": 0, "nosuch.srl": StatusFailed} {
		args := []string{"run", "-q", "-r", rules, "traces/testdata/sample.pcap"}
		if got := Run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); got != want {
			t.Errorf("%s: exit status %d, want %d", rules, got, want)
		}
		if got := debug.SetGCPercent(123); got != 123 {
			t.Errorf("%s: the collector's percentage is %d afterwards", rules, got)
		}
	}
}
