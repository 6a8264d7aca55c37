package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// maxRulesFile is the size of the largest program or rule file that is read.
const maxRulesFile = 256 << 20

// loadRuleSet reads an SRL program or a rule file, "-" for standard input, and
// writes warnings to warn.
func loadRuleSet(name string, stdin io.Reader, opts srl.Options, warn io.Writer) (*ruleset.RuleSet, error) {
	text, err := readFile(name, stdin)
	if err != nil {
		return nil, err
	}
	if isRuleFile(name, text) {
		rs, warnings, err := ruleset.ParseRules(name, text)
		if len(warnings) > 0 {
			fmt.Fprintln(warn, warnings)
		}
		return rs, err
	}
	rs, warnings, err := compile.Source(name, text, opts)
	for _, w := range warnings {
		fmt.Fprintln(warn, w)
	}
	return rs, err
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, maxRulesFile+1))
	if err == nil && len(text) > maxRulesFile {
		err = fmt.Errorf("%s: larger than %d octets", name, maxRulesFile)
	}
	return text, err
}

// aRule is what rule files hold and SRL programs never do: the RULES statement,
// or a test with its action.
var aRule = regexp.MustCompile(`(?im)^\s*(rules\s*$|(\w+\s*:)?\s*\w+\s*&\s*[\w.!:-]+\s*=\s*[\w.!:'-]+\s*:?\s*(ignore|nomatch|count|return|gosub|goto|assign|push|pop|retry|fail))`)

// isRuleFile tells a rule file from an SRL program: by the file's extension,
// or for others by what it holds.
func isRuleFile(name string, text []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".rules":
		return true
	case ".srl":
		return false
	}
	return aRule.Match(text)
}
