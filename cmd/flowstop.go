package cmd

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/query"
	"rtfm/reader/table"
)

// flowsTopOptions are the options of `rtfm flows top`.
type flowsTopOptions struct {
	by    string
	rows  int
	all   bool
	sort  string
	total bool
	table tableOptions
}

const flowsTopHelp = `Show what counted most: flows, or hosts, networks, ports and whatever else flows
have saved, added up over all collections of all FILEs.

KEYS are attributes, with commas between them. DestPeerAddress/24 is the first 24
bits of IPv4 addresses, DestPeerAddress/24/64 also the first 64 of IPv6 addresses,
DestPeerAddress=FILE the networks of a list, one a line, each with a name behind it.
Host, Host/24 and Host=FILE are both ends: a flow adds to two rows, to one what it
has sent and to the other what it has received. FlowIndex, FlowRuleSet and Meter are
keys too. Without --by a row is a flow, added up over its intervals.

EXPR says which flow records count: see ` + "`rtfm flows filter --help`" + `. Without one, all.
A name of a file that exists is no EXPR.

Octets and the like are what the intervals of the collections have added. Each ruleset
has its own table: a packet is in one flow of each, and rulesets must not be added. In
CSV and JSON BitRate is bits a second over the time of all intervals, and names that
end with Ns are nanoseconds. It takes memory for each row, some 250 octets, and for
each flow of files that do not tell what intervals added, some 60.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or a
collection incomplete (what was whole is in the result), 130 after a signal.`

func flowsTopCommand() *cobra.Command {
	var o flowsTopOptions
	cmd := &cobra.Command{
		Use:   "top [--by KEYS] [-n N] [--sort SUM] [EXPR] FILE...",
		Short: "Show what counted most",
		Long:  flowsTopHelp,
		Example: `  rtfm flows top --by DestPeerAddress -n 3 all.flows
  rtfm flows top --by Host,DestTransAddress 'SourceTransType == tcp' all.flows
  rtfm flows top --by Host/24 --sort SentOctets --csv monday.flows tuesday.flows`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.total, "total", false, "take what flows have counted altogether; not what intervals added")
	group(f, groupInput, "total")
	return cmd
}

// add adds the options to a command.
func (o *flowsTopOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.by, "by", "", "add up by these `KEYS`; without them a row is a flow")
	f.VarP(newCount(&o.rows, mostRows, 1, math.MaxInt32, "a number of rows"), "top", "n", "show `N` rows; the others are in one line")
	f.BoolVar(&o.all, "all", false, "show all rows")
	f.StringVar(&o.sort, "sort", "Octets", "put the rows with the most of this `SUM` first; one of\n"+strings.Join(query.SumNames(), ", "))
	group(f, groupOutput, "by", "top", "all", "sort")
	o.table.add(cmd)
}

// config returns what the options ask for.
func (o *flowsTopOptions) config(filter *query.Expr) (c query.Options, err error) {
	c = query.Options{Rows: o.rows, Total: o.total, Numeric: o.table.numeric, Full: o.table.forPrograms(), Filter: filter}
	if o.all {
		c.Rows = 0
	}
	if c.Sort, err = query.ParseSum(o.sort); err != nil {
		return c, fmt.Errorf("--sort: %w", err)
	}
	if o.by != "" {
		if c.By, err = query.ParseKeys(o.by, openNetworks); err != nil {
			return c, fmt.Errorf("--by: %w", err)
		}
	}
	return c, nil
}

// reading returns what the options and arguments ask for, and what reads it.
func (o *flowsTopOptions) reading(cmd *cobra.Command, args []string) (query.Options, *flowsReading, error) {
	if err := o.table.check(); err != nil {
		return query.Options{}, nil, err
	}
	if o.by == "" && cmd.Flags().Changed("by") {
		return query.Options{}, nil, errors.New("--by: want the name of an attribute, or Host")
	}
	filter, names, err := cutExpr(args)
	if err != nil {
		return query.Options{}, nil, err
	}
	opts, err := o.config(filter)
	return opts, &flowsReading{
		names: names, wanted: query.Attributes(opts.By, filter), total: o.total, filter: filter, stdin: cmd.InOrStdin(),
	}, err
}

// print prints tables of what was read until there was damage, if err is that.
func (o *flowsTopOptions) print(cmd *cobra.Command, tables []*table.Table, notes []string, err error) error {
	tables[len(tables)-1].Notes = notes
	if err := o.table.write(cmd.OutOrStdout(), tables); err != nil {
		return err
	}
	return flowsStatus(err)
}

func (o *flowsTopOptions) run(cmd *cobra.Command, args []string) error {
	opts, in, err := o.reading(cmd, args)
	if err == nil {
		err = in.check()
	}
	if err != nil {
		return err
	}
	top := query.NewTop(opts)
	err = in.read(cmd.Context(), top, cmd.ErrOrStderr())
	if d := new(damage); err != nil && !errors.As(err, &d) {
		return err
	}
	if err != nil && top.Summary().Collections == 0 {
		return flowsStatus(err) // nothing was whole
	}
	if o.table.forPrograms() {
		for _, warning := range top.Warnings() {
			cmd.PrintErrf("rtfm: warning: %s\n", warning)
		}
	}
	return o.print(cmd, top.Tables(), top.Notes(), err)
}
