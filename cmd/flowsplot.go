package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/plot"
	"rtfm/reader/query"
	"rtfm/ruleset/attr"
)

// flowsPlotOptions are the options of `rtfm flows plot`.
type flowsPlotOptions struct {
	kind   string
	by     string
	most   int
	title  string
	zone   string
	output string
}

const flowsPlotHelp = `Draw flow data as a picture, SVG:

  rate         rates over time, on top of each other, of what --by tells apart
               (default the first attribute that flows have saved)
  scatter      how long flows lasted and how fast they were, each a symbol: the
               character of FlowKind, as nifty drew it, or one for each value of
               another attribute (default FlowKind, else the transport protocol)
  percentiles  distributions over time: within which limits 10 to 90 and 25 to 75
               of a hundred values were, the median, and the limit of 99; --by
               chooses distributions

A FILE that "rtfm run --series" has written is drawn as it is: bits, packets and new
flows a second, and active flows, of its first ruleset.

KEYS are those of ` + "`rtfm flows top --help`" + `, less Host. The largest are shown each,
the others as one, so that the sum is the total. EXPR says which flow records
count: see ` + "`rtfm flows filter --help`" + `.

Where packets were lost or are in no flow, a red strip below the picture shows it.
Several FILEs may be of one meter, or of meters whose intervals are the same.

Exit status: 0 if all went well, 1 for wrong usage or if there is nothing to
draw, 2 if a file was damaged or a collection incomplete (what was whole is in the
picture), 130 after a signal.`

// flowsPlotCommand is `rtfm flows plot`.
func flowsPlotCommand() *cobra.Command {
	var o flowsPlotOptions
	cmd := &cobra.Command{
		Use:   "plot [--kind KIND] [--by KEYS] [-n N] [-o OUT.svg] [EXPR] FILE...",
		Short: "Draw flow data as a picture",
		Long:  flowsPlotHelp,
		Example: `  rtfm flows plot --by DestPeerAddress -o day.svg day.flows
  rtfm flows plot --kind scatter -o scatter.svg 'SourceTransType == tcp' day.flows
  rtfm flows plot --kind percentiles --by ToTurnaroundTime1 -o dns.svg dns.flows`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(newChoice(&o.kind, "rate", "rate", "scatter", "percentiles"), "kind", "draw what: rate, scatter or percentiles")
	f.StringVar(&o.by, "by", "", "tell flows apart by these `KEYS`")
	f.VarP(newCount(&o.most, 7, 1, 20, "a number"), "top", "n", "show the largest `N` each, the others as one")
	f.StringVar(&o.title, "title", "", "write this `TEXT` above the picture")
	f.Var(newChoice(&o.zone, "utc", "utc", "local"), "zone", "show times as UTC or local time")
	f.StringVarP(&o.output, "output", "o", "", "write the picture to this `FILE`; else to standard output")
	return cmd
}

// drawing returns what takes the flows that the options ask for, and what these must
// have saved.
func (o *flowsPlotOptions) drawing(filter *query.Expr) (plot.Drawing, []attr.Attr, error) {
	opts := plot.Options{Most: o.most, Title: o.title, Filter: filter, Zone: time.UTC}
	if o.zone == "local" {
		opts.Zone = time.Local
	}
	if o.kind == "percentiles" {
		var only []attr.Attr
		var err error
		if o.by != "" {
			only, err = plot.ParseDistributions(o.by)
		}
		return plot.NewPercentilesOf(opts, only), query.Attributes(nil, filter), err
	}
	if o.by != "" {
		var err error
		if opts.By, err = query.ParseKeys(o.by, openNetworks); err != nil {
			return nil, nil, err
		}
	}
	wanted := query.Attributes(opts.By, filter)
	if o.kind == "scatter" {
		d, err := plot.NewScatterOf(opts)
		return d, wanted, err
	}
	d, err := plot.NewRatesOf(opts)
	return d, wanted, err
}

func (o *flowsPlotOptions) run(cmd *cobra.Command, args []string) error {
	filter, names, err := cutExpr(args)
	if err != nil {
		return err
	}
	if len(names) > 0 && isSeries(names[0]) {
		if filter != nil {
			return fmt.Errorf("%s: it is a series, which has no flows: EXPR cannot choose among them", names[0])
		}
		return o.drawSeries(cmd, names)
	}
	drawing, wanted, err := o.drawing(filter)
	if err != nil {
		return fmt.Errorf("--by: %w", err)
	}
	in := flowsReading{names: names, wanted: wanted, total: o.kind == "scatter", stdin: cmd.InOrStdin()}
	if err := in.check(); err != nil {
		return err
	}
	damaged := in.read(cmd.Context(), drawing, cmd.ErrOrStderr())
	var d *damage
	if damaged != nil && !errors.As(damaged, &d) {
		return damaged
	}
	var picture bytes.Buffer
	if err := drawing.WriteSVG(&picture); err != nil {
		return err
	}
	err = writeTo(cmd.Context(), o.output, names, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
		_, err := picture.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	return flowsStatus(damaged)
}
