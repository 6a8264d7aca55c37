package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
)

// A form is one that results are written in.
type form int

// The forms: tables for people, the text of NeMaC's flow data files, JSON lines, or CSV.
const (
	formTable form = iota
	formNeMaC
	formJSON
	formCSV
)

// formOptions choose the form of results.
type formOptions struct {
	nemac  bool
	json   bool
	csv    bool
	iso    bool
	format *ruleset.Format // nil for that of the rulesets
}

// add adds the options to a command.
func (o *formOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.nemac, "nemac", false, "write NeMaC's text, as -F and --format do")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	f.BoolVar(&o.csv, "csv", false, "write CSV, a row for each flow")
	f.BoolVar(&o.iso, "iso", false, "add times as texts to rows of JSON and CSV; those of ISO 8601")
	f.Var(columns{&o.format}, "format", "write these `ATTRIBUTES`; as a FORMAT statement names them\n(default those of the first ruleset that has one, else all that rulesets save)")
	group(f, groupOutput, "nemac", "json", "csv", "format")
}

// check finds options that do not fit each other.
func (o *formOptions) check() error {
	switch {
	case o.nemac && o.json:
		return errors.New("either --nemac or --json, not both")
	case o.nemac && o.csv:
		return errors.New("either --nemac or --csv, not both")
	case o.json && o.csv:
		return errors.New("either --json or --csv, not both")
	case o.json && o.format != nil:
		return errors.New("--format is for text: JSON has all attributes")
	case o.csv && o.format != nil:
		return errors.New("--format is for text: CSV has all attributes")
	case o.iso && !o.json && !o.csv:
		return errors.New("--iso is for --json and --csv: text has times of its own kind")
	}
	return nil
}

// form returns the form that is asked for: what goes to a file is NeMaC's text.
func (o *formOptions) form(file string) form {
	switch {
	case o.json:
		return formJSON
	case o.csv:
		return formCSV
	case o.nemac || o.format != nil || file != "":
		return formNeMaC
	}
	return formTable
}
