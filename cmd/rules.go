package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rtfm/ruleset/match"

	"rtfm/ruleset"
	"rtfm/ruleset/builtin"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// readOnce refuses standard input, "-", more than once among these names of
// files to be read: the second reader would find it empty.
func readOnce(names ...string) error {
	seen := false
	for _, name := range names {
		if name == "-" && seen {
			return errors.New(`standard input, "-", can be read only once`)
		}
		seen = seen || name == "-"
	}
	return nil
}

// loadRuleSet reads an SRL program or a rule file, "-" for standard input, and
// writes the first warnings to warn.
func loadRuleSet(name string, stdin io.Reader, opts srl.Options, warn io.Writer) (*ruleset.RuleSet, error) {
	rs, warnings, err := compile.Load(name, stdin, opts)
	if len(warnings) > 0 {
		fmt.Fprintln(warn, warnings)
	}
	return rs, err
}

// runs tells why a meter would refuse the ruleset.
func runs(rs *ruleset.RuleSet) error {
	_, err := pme.Compile(rs, 0, new(match.Shapes))
	return err
}

// source returns the text of the program, or of a file that it includes.
func (p *program) source(file string) []byte {
	if p.inline {
		return []byte(p.text)
	}
	if b, err := builtin.Find(p.name); err == nil && builtin.Is(p.name) {
		return []byte(b.Text)
	}
	text, _ := os.ReadFile(file) // without it no lines are shown
	return text
}
