package cmd

import (
	"math"
	"sync"

	"github.com/spf13/cobra"

	"rtfm/reader/live"
	"rtfm/reader/query"
)

// liveOptions say what `rtfm top` and `rtfm view` show.
type liveOptions struct {
	programs programOptions
	packets  filterOptions
	capture  captureOptions
	traces   traceOptions
	snmp     snmpOptions
	streams  streamOptions
	octets   string
	maxFlows int
	interval float64 // seconds
	count    int     // of intervals, 0 for all
	once     bool    // one is enough
	pace     bool
	mu       sync.Mutex // of what follows
	numeric  bool
	filter   *query.Expr
	// filterText is what the filter was parsed from at the start.
	filterText string
	sinks      []*live.Sink
}

// add adds the options to a command.
func (o *liveOptions) add(cmd *cobra.Command) {
	o.snmp.community = community{option: "community-file", variable: "RTFM_COMMUNITY"}
	f := cmd.Flags()
	f.SortFlags = false
	o.programs.addFiles(cmd)
	addOctets(f, &o.octets)
	group(f, groupRules, "rules", "program", "define", "octets")
	f.VarP(newSeconds(&o.interval, 1, 0.1, maxSeconds), "interval", "T", "show what was counted in every so many `SECONDS`")
	f.VarP(newCount(&o.count, 0, 0, math.MaxInt32, "a number of intervals or 0 for all,"), "intervals", "N", "end after so many intervals (default all)")
	f.BoolVar(&o.pace, "pace", false, "play traces at the speed of their capture; not at once")
	f.Var(filterExpr{&o.filter, &o.filterText}, "filter", "show only flows for which `EXPR` holds; as in rtfm flows filter")
	f.BoolVar(&o.numeric, "numeric", false, "show numbers; not the names of ports and the like")
	group(f, groupOutput, "interval", "pace", "filter")
	addMaxFlows(f, &o.maxFlows)
	group(f, groupLimits, "max-flows")
	o.streams.add(cmd)
	o.traces.addExporters(f)
	o.capture.add(cmd)
	o.snmp.add(cmd)
}

// filterExpr is an option that holds an expression about flows. It is a pflag.Value.
type filterExpr struct {
	to   **query.Expr
	text *string
}

// Set implements pflag.Value.
func (f filterExpr) Set(text string) (err error) {
	*f.to, err = query.Parse("--filter", text)
	*f.text = text
	return err
}

// String implements pflag.Value. There is no default.
func (filterExpr) String() string { return "" }

// Type implements pflag.Value.
func (filterExpr) Type() string { return "expr" }

// sink returns what makes intervals and gives them to put.
func (o *liveOptions) sink(put func(*live.Interval)) *live.Sink {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := live.NewSink(live.Options{Numeric: o.numeric}, put)
	s.Filter(o.filter)
	o.sinks = append(o.sinks, s)
	return s
}

// switchFilter has what is shown from now on show only flows for which e holds.
func (o *liveOptions) switchFilter(e *query.Expr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.filter = e
	for _, s := range o.sinks {
		s.Filter(e)
	}
}

// switchNumeric has it show numbers, or names.
func (o *liveOptions) switchNumeric(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.numeric = on
	for _, s := range o.sinks {
		s.Numeric(on)
	}
}
