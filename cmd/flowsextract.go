package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/query"
	"rtfm/reader/table"
	"rtfm/ruleset/spell"
)

// flowsExtractOptions are the options of `rtfm flows extract`.
type flowsExtractOptions struct {
	columns   []string
	sum       string
	csv, json bool
}

const flowsExtractHelp = `Show how sets of flows change over time: a row for each collection, and in it what
the flows of each column have added in its interval. The text is what gnuplot reads.

A column is NAME=EXPR, an expression as ` + "`rtfm flows filter --help`" + ` tells, or NAME=
for all flows. The time of a row is when its interval ended. Of several meters the
collections of the same interval are one row.

A column must have flows of one ruleset only: others have counted the same packets.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or a
collection incomplete (what was whole is in the result), 130 after a signal.`

func flowsExtractCommand() *cobra.Command {
	var o flowsExtractOptions
	cmd := &cobra.Command{
		Use:   "extract --column NAME=EXPR... FILE...",
		Short: "Show how sets of flows change over time",
		Long:  flowsExtractHelp,
		Example: `  rtfm flows extract --column web=Port==www --column dns=Port==dns all.flows
  rtfm flows extract --sum Rate --column 'lan=Host==192.0.2/24' --csv all.flows`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&o.columns, "column", nil, "add a column `NAME=EXPR`; may be repeated")
	f.StringVar(&o.sum, "sum", "Octets", "show this `SUM`; Rate for bits a second, or one of\n"+strings.Join(query.SumNames(), ", "))
	f.BoolVar(&o.csv, "csv", false, "print CSV")
	f.BoolVar(&o.json, "json", false, "print a JSON object for each row")
	group(f, groupOutput, "column", "sum", "csv", "json")
	return cmd
}

// parse returns the columns that the options name.
func (o *flowsExtractOptions) parse() (columns []query.Column, err error) {
	if len(o.columns) == 0 {
		return nil, errors.New("no --column given, such as --column web=DestTransAddress==www")
	}
	for _, text := range o.columns {
		name, expr, ok := strings.Cut(text, "=")
		if !ok || name == "" || spell.WordLen(name) < len(name) {
			return nil, fmt.Errorf("--column %s: want a name of letters, digits and _, then = and an expression", text)
		}
		if slices.ContainsFunc(columns, func(c query.Column) bool { return c.Name == name }) {
			return nil, fmt.Errorf("--column %s: there are two of this name", name)
		}
		c := query.Column{Name: name}
		if expr != "" {
			if c.Expr, err = query.Parse(name, expr); err != nil {
				return nil, err
			}
		}
		columns = append(columns, c)
	}
	return columns, nil
}

func (o *flowsExtractOptions) run(cmd *cobra.Command, names []string) error {
	columns, err := o.parse()
	if err != nil {
		return err
	}
	form := tableOptions{csv: o.csv, json: o.json}
	if err := form.check(); err != nil {
		return err
	}
	var sum query.Sum
	isRate := strings.EqualFold(o.sum, "Rate")
	if !isRate {
		if sum, err = query.ParseSum(o.sum); err != nil {
			return fmt.Errorf("--sum: %w", err)
		}
	}
	in := flowsReading{names: names, stdin: cmd.InOrStdin()}
	for _, c := range columns {
		in.wanted = append(in.wanted, query.Attributes(nil, c.Expr)...)
	}
	if err := in.check(); err != nil {
		return err
	}
	extract := query.NewExtract(columns, sum, isRate)
	err = in.read(cmd.Context(), extract, cmd.ErrOrStderr())
	if d := new(damage); err != nil && !errors.As(err, &d) {
		return err
	}
	t, fault := extract.Table()
	if fault != nil {
		return fault
	}
	for _, note := range t.Notes {
		cmd.PrintErrf("rtfm: %s\n", note)
	}
	t.Notes = nil
	if form.forPrograms() {
		fault = form.write(cmd.OutOrStdout(), []*table.Table{t})
	} else {
		fault = t.Text(cmd.OutOrStdout(), table.Options{Exact: true})
	}
	if fault != nil {
		return fault
	}
	return flowsStatus(err)
}
