package cmd

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"rtfm/meter"
	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// TestReloadsWithoutNumbers replaces a ruleset until all numbers have flows that wait for
// a collection: then it goes on as it was, and the run with it.
func TestReloadsWithoutNumbers(t *testing.T) {
	program := func(n int) *ruleset.RuleSet {
		rs, _, err := compile.Source("hosts.srl", []byte(fmt.Sprintf("if SourceTransAddress == %d save DestTransAddress; count;", n)), srl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return rs
	}
	rules := []*ruleset.RuleSet{program(1)}
	m, err := meter.New(meter.Config{RuleSets: rules})
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	var told []string
	r := &reloading{
		meter: m, rules: rules, sink: &runSink{meter: metered{Meter: m}, errors: &errs, ruleSets: running(m, rules)},
		tell: func(message string) { told = append(told, message) },
	}
	const last = ruleset.MaxRuleSets // the first has number 2
	for n := 2; n <= last; n++ {
		next := program(n)
		ready, err := meter.Prepare(next)
		if err != nil {
			t.Fatal(err)
		}
		before := r.rules[0]
		r.replace([]reloaded{{next, ready}})
		if runs := r.rules[0]; (runs == before) != (n == last) {
			t.Fatalf("replacement %d: runs %v", n, runs.Rules)
		}
	}
	want := "rtfm: hosts was not replaced, and goes on as before: flows of all 255 numbers of rulesets are waiting to be collected\n"
	if errs.String() != want || len(told) != last-2 || !strings.Contains(told[len(told)-1], "hosts is ruleset 255 now") {
		t.Errorf("%d told, the last is %q; %s", len(told), told[len(told)-1], errs.String())
	}
}
