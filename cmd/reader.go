package cmd

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"rtfm/reader"
	"rtfm/ruleset"
)

// readerOptions are the options of `rtfm reader`.
type readerOptions struct {
	interval float64 // seconds
	ruleSet  int     // 0 for all
	output   string
	format   *ruleset.Format // nil for all that rulesets save
	json     bool
	csv      bool
	iso      bool
	once     bool
	watch    bool
	passive  bool
	pair     bool
	trace    bool
	snmp     snmpOptions
	owner    string
	firstRow int
	lastRow  int
	maxFlows int
	name     string
	log      string
	exports  exportOptions
	metrics  metricsOptions
}

const readerHelp = `Collect the flows of a meter that someone else manages.

Flows are read at local times of day that are multiples of the interval, and appended
to a flow data file: those that were active since the time before. The file may
be renamed at any time; the next collection begins a new one. Each collection is
in it whole or not at all, whenever the reader was killed, and FILE.state beside
it tells the next start where to go on.

The reader registers itself in the meter (flowReaderInfoTable), so that the
meter recovers no flows that were not read; its community must be allowed to
write there. With --passive it only reads: the meter does not know of it, and may
recover flows first. With -C the meter meters a trace in step with its reader
(rtfm meter -C TRACE -T SECONDS): collections are made when it says so, and the
reader ends with the trace; this takes access to write rtfmTraceState too.

--once prints all flows that the meter has now, as a table or with --json as
JSON lines, and --watch those of each interval, on a terminal one in the place of
the other; neither registers. A table whose flow data is larger than 4 MB waits in a
file in TMPDIR; JSON lines of --once come as they are read, and are whole when
their end record has come. In a table a distribution is what it comes to: how
many values (n), their mean, and the limits of the buckets within which 50, 90
and 99 of a hundred are reached.

SECONDS may have a unit: 300, 0.5, 5m and 1h30m.

SIGTERM and SIGINT make a last collection and end. The registration stays, for
the next start, until the meter has not heard of the reader for long.`

// readerCommand is `rtfm reader`.
func readerCommand() *cobra.Command {
	o := readerOptions{snmp: snmpOptions{community: community{option: "community-file", variable: "RTFM_COMMUNITY"}}}
	cmd := &cobra.Command{
		Use:   "reader [-c SECONDS] [-r RULESET] [-F FILE] HOST [COMMUNITY]",
		Short: "Collect flows from a meter",
		Long:  readerHelp,
		Example: `  rtfm reader -c 300 -F gateway.flows --community-file secret gateway
  RTFM_COMMUNITY=public rtfm reader --once gateway:1161
  rtfm reader --pair -F gateway.flows --community-file secret gateway1 gateway2`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(newCount(&o.ruleSet, 0, 0, ruleset.MaxRuleSets, "a ruleset number or 0 for all,"), "ruleset", "r", "read only this `RULESET`; by its number (default all that tasks run)")
	group(f, groupRules, "ruleset")
	f.VarP(newSeconds(&o.interval, 300, 0.1, maxSeconds), "interval", "c", "make a collection every so many `SECONDS`")
	f.StringVarP(&o.output, "flows", "F", "", "append the flow data to this `FILE`; else to standard output")
	f.BoolVarP(&o.trace, "trace", "C", false, "the meter meters a trace in step")
	f.BoolVar(&o.once, "once", false, "print the flows that the meter has now")
	f.BoolVar(&o.watch, "watch", false, "print the flows of each interval")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	f.BoolVar(&o.csv, "csv", false, "write CSV; a row for each flow, to standard output")
	f.BoolVar(&o.iso, "iso", false, "add times as texts to rows of JSON and CSV; those of ISO 8601")
	f.BoolVar(&o.passive, "passive", false, "only read")
	f.BoolVar(&o.pair, "pair", false, "take each interval from one of two meters; that see the same packets: one that has lost nothing and was not restarted")
	f.Var(columns{&o.format}, "format", "write these `ATTRIBUTES`; as a FORMAT statement names them\n(default all that the rulesets save)")
	f.StringVar(&o.name, "name", "", "the meter's `NAME` in the flow data (default HOST)")
	group(f, groupOutput, "flows", "trace", "once", "watch", "json", "passive", "pair", "format", "interval")
	o.exports.add(cmd)
	f.StringVar(&o.owner, "owner", "", "what the reader is known by in the meter: a `NAME` that no other has\n(default that of the host and of the flow data file)")
	f.Var(newCount(&o.firstRow, 1, 1, math.MaxInt32, "a number"), "first-row", "the first `INDEX` that the reader may have in flowReaderInfoTable")
	f.Var(newCount(&o.lastRow, 1000, 1, math.MaxInt32, "a number"), "last-row", "the last `INDEX`")
	f.Var(newCount(&o.maxFlows, reader.DefaultMaxFlows, 1, math.MaxInt32, "a number of flows"), "max-flows", maxFlowsUsage)
	group(f, groupLimits, "max-flows")
	o.metrics.add(cmd)
	o.snmp.add(cmd)
	f.StringVarP(&o.log, "log", "L", "", "append the log to this `FILE`; else to standard error")
	group(f, groupProcess, "log")
	for _, view := range []string{"once", "watch", "pair"} {
		cmd.MarkFlagsMutuallyExclusive(view, "metrics")
	}
	cmd.MarkFlagsMutuallyExclusive("once", "watch", "flows")
	cmd.MarkFlagsMutuallyExclusive("once", "watch", "trace")
	return cmd
}

// check finds arguments and options that do not fit each other.
func (o *readerOptions) check(cmd *cobra.Command, args []string) error {
	if err := o.exports.check(cmd, o.output); err != nil {
		return err
	}
	switch {
	case o.exports.wanted() && (o.isView() || o.pair || o.csv || o.output == "-"):
		return errors.New("--export is for collections of one meter: not for --once, --watch, --pair, --csv and -F -")
	case len(args) == 0:
		return errors.New(`no HOST given; "rtfm reader --help" tells more`)
	case len(args) > 2 && !o.pair:
		return fmt.Errorf("%s: want a HOST and a COMMUNITY only", args[2])
	case o.csv && o.json:
		return errors.New("either --json or --csv, not both")
	case o.csv && o.format != nil:
		return errors.New("--format is for text: CSV has all attributes")
	case o.csv && o.output != "" && o.output != "-":
		return errors.New("--csv is for standard output: where collections end in a file is for the next start to know, and CSV does not tell; rtfm flows convert makes CSV of a file")
	case o.iso && !o.json && !o.csv:
		return errors.New("--iso is for --json and --csv: text has times of its own kind")
	case o.lastRow < o.firstRow:
		return fmt.Errorf("rows from %d to %d: want the first one first", o.firstRow, o.lastRow)
	}
	return o.checkPair(args)
}
