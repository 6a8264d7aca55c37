package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
)

// A form is one that results are written in.
type form int

// The forms: the text of NeMaC's flow data files, or JSON lines.
const (
	formNeMaC form = iota
	formJSON
)

// formOptions choose the form of results.
type formOptions struct {
	nemac  bool
	json   bool
	format *ruleset.Format // nil for that of the rulesets
}

// add adds the options to a command.
func (o *formOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.nemac, "nemac", false, "write NeMaC's text, as -F and --format do")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	f.Var(columns{&o.format}, "format", "write these `ATTRIBUTES`; as a FORMAT statement names them\n(default those of the first ruleset that has one, else all that rulesets save)")
	group(f, groupOutput, "nemac", "json", "format")
}

// check finds options that do not fit each other.
func (o *formOptions) check() error {
	switch {
	case o.nemac && o.json:
		return errors.New("either --nemac or --json, not both")
	case o.json && o.format != nil:
		return errors.New("--format is for text: JSON has all attributes")
	}
	return nil
}

// form returns the form that is asked for.
func (o *formOptions) form() form {
	if o.json {
		return formJSON
	}
	return formNeMaC
}
