package cmd

import (
	"github.com/spf13/cobra"

	"rtfm/reader/query"
)

// mostRows is how many rows tables have if nobody says how many.
const mostRows = 20

// topOptions say what tables of flows show.
type topOptions struct {
	by      []query.Key
	rows    int
	all     bool
	sort    query.Sum
	numeric bool
}

// add adds the options to a command.
func (o *topOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(keysFlag{&o.by}, "by", "add up by these `ATTRIBUTES`; with commas between them: a row for each value.\nSourcePeerAddress/24 takes networks, SourcePeerAddress=FILE those of a list; Host, Host/24 and Host=FILE\nadd up what each end has sent and received")
	f.VarP(newCount(&o.rows, mostRows, 1, 1<<31-1, "a number of rows"), "top", "n", "show so many rows of a table")
	f.BoolVar(&o.all, "all", false, "show all rows")
	f.Var(sumFlag{&o.sort}, "sort", "sort by this `SUM`; Octets, PDUs, ToOctets, FromOctets, ToPDUs, FromPDUs or Records (default Octets)")
	f.BoolVar(&o.numeric, "numeric", false, "show numbers, not names; of protocols, ports and so on")
	group(f, groupOutput, "by", "top")
}

// options returns what a query.Top is to do.
func (o *topOptions) options() query.Options {
	q := query.Options{By: o.by, Sort: o.sort, Rows: o.rows, Numeric: o.numeric, Saved: true, Once: true}
	if o.all {
		q.Rows = 0
	}
	return q
}

// keysFlag are keys to add up by. It is a pflag.Value.
type keysFlag struct{ to *[]query.Key }

// Set implements pflag.Value.
func (f keysFlag) Set(text string) (err error) {
	*f.to, err = query.ParseKeys(text, openNetworks)
	return err
}

// String implements pflag.Value. There is no default that could be shown.
func (keysFlag) String() string { return "" }

// Type implements pflag.Value.
func (keysFlag) Type() string { return "attributes" }

// sumFlag is a sum to sort by. It is a pflag.Value.
type sumFlag struct{ to *query.Sum }

// Set implements pflag.Value.
func (f sumFlag) Set(text string) (err error) {
	*f.to, err = query.ParseSum(text)
	return err
}

// String implements pflag.Value.
func (sumFlag) String() string { return "" }

// Type implements pflag.Value.
func (sumFlag) Type() string { return "sum" }
