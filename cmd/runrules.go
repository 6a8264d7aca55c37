package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/query"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/builtin"
)

// rules returns the rulesets that the options name, or those that answer them.
func (o *runOptions) rules(cmd *cobra.Command) (rules []*ruleset.RuleSet, err error) {
	programs := o.programs.programs
	if len(programs) == 0 && o.form.form(o.output) != formNeMaC {
		programs = []program{{name: builtin.Default}}
	}
	load := func(p program) error {
		rs, err := o.programs.load(p, cmd.InOrStdin(), cmd.ErrOrStderr())
		if err == nil {
			rules = append(rules, rs)
		}
		return err
	}
	for _, p := range programs {
		if err := load(p); err != nil {
			return nil, err
		}
	}
	if len(programs) == 0 {
		rules = append(rules, ruleset.Default())
	}
	o.programs.warnUnused(cmd.ErrOrStderr())
	if err = o.savedBy(rules); err != nil && len(o.programs.programs) == 0 {
		rules = nil
		if err = load(programFor(o.top.by)); err == nil {
			rules[0].Name = "by " + keyNames(o.top.by)
		}
	}
	return rules, err
}

// savedBy returns an error if a ruleset does not save what flows are added up by.
func (o *runOptions) savedBy(rules []*ruleset.RuleSet) error {
	for _, rs := range rules {
		saves := rs.Saves()
		for _, k := range o.top.by {
			of := k.Saved()
			if len(of) == 0 || slices.ContainsFunc(of, func(a attr.Attr) bool { return slices.Contains(saves, a) }) {
				continue
			}
			if len(saves) == 0 {
				return fmt.Errorf("--by %s: %s saves nothing to add up by", k, rs.Name)
			}
			names := make([]string, len(saves))
			for i, a := range saves {
				names[i] = a.String()
			}
			return fmt.Errorf("--by %s: %s does not save that, but %s", k, rs.Name, strings.Join(names, ", "))
		}
	}
	return nil
}

// keyNames returns keys as --by takes them.
func keyNames(keys []query.Key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.String()
	}
	return strings.Join(names, ",")
}

// programFor returns a program that saves what flows are to be added up by.
func programFor(keys []query.Key) program {
	text := ""
	for _, k := range keys {
		for _, a := range k.Saved() {
			text += "save " + a.String() + "; "
		}
	}
	return program{name: "--by", text: text + "count;", inline: true}
}

// isTables reports whether tables are written: for people, or what flows are added up
// in for programs.
func (o *runOptions) isTables() bool {
	form := o.form.form(o.output)
	return form == formTable || len(o.top.by) > 0 && form != formNeMaC
}

// checkTop refuses options of tables where there are none.
func (o *runOptions) checkTop(cmd *cobra.Command) error {
	if o.topGiven = cmd.Flags().Changed("top"); o.isTables() {
		return nil
	}
	for _, name := range []string{"by", "top", "all", "sort", "numeric"} {
		if cmd.Flags().Changed(name) {
			return errors.New("--" + name + " is for tables, not for flow data, which has all flows (-F, --nemac, --format, and --csv and --json without --by)")
		}
	}
	return nil
}
