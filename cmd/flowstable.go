package cmd

import (
	"errors"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"rtfm/reader/table"
)

// tableOptions choose the form of tables.
type tableOptions struct {
	csv, json bool
	numeric   bool
}

// add adds the options to a command.
func (o *tableOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.numeric, "numeric", false, "print numbers instead of names; those of ports, protocols and the like")
	f.BoolVar(&o.csv, "csv", false, "print CSV; with exact numbers and more columns")
	f.BoolVar(&o.json, "json", false, "print a JSON object for each row; likewise")
	group(f, groupOutput, "numeric", "csv", "json")
}

// check finds options that do not fit each other.
func (o *tableOptions) check() error {
	if o.csv && o.json {
		return errors.New("either --csv or --json, not both")
	}
	return nil
}

// forPrograms reports whether programs read the tables.
func (o *tableOptions) forPrograms() bool { return o.csv || o.json }

// write writes tables. Notes are left out for programs.
func (o *tableOptions) write(w io.Writer, tables []*table.Table) error {
	if o.csv {
		all := *tables[0]
		for _, t := range tables[1:] {
			if !slices.Equal(t.Columns, all.Columns) {
				return errors.New("--csv: rulesets have other columns each: choose one, such as FlowRuleSet == 2, or add up --by what all have")
			}
			all.Rows = append(all.Rows, t.Rows...)
		}
		return all.CSV(w, table.Data{})
	}
	for i, t := range tables {
		var err error
		switch {
		case o.json:
			err = t.JSON(w, table.Data{})
		default:
			if i > 0 {
				io.WriteString(w, "\n")
			}
			err = t.Text(w, styleOf(w))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
