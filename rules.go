package main

import (
	"fmt"
	"io"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// loadRuleSet reads an SRL program or a rule file, "-" for standard input, and
// writes warnings to warn.
func loadRuleSet(name string, stdin io.Reader, opts srl.Options, warn io.Writer) (*ruleset.RuleSet, error) {
	rs, warnings, err := compile.Load(name, stdin, opts)
	for _, w := range warnings {
		fmt.Fprintln(warn, w)
	}
	return rs, err
}
