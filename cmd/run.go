package cmd

import (
	"github.com/spf13/cobra"

	"rtfm/meter"
)

// runOptions are the options of `rtfm run`.
type runOptions struct {
	traces     traceOptions
	capture    captureOptions
	filter     filterOptions
	programs   programOptions
	interval   intervalOptions
	sample     sampleOptions
	output     string
	exports    exportOptions
	metrics    metricsOptions
	store      storeOptions
	series     seriesOptions
	feed       feedOptions
	maxFlows   int
	inactivity float64 // seconds
	streams    streamOptions
	octets     string
	form       formOptions
	top        topOptions
	topGiven   bool
	quiet      bool
	verbose    bool
	memory     *memoryWatch // nil unless verbose
	name       string
	user       string
}

const runHelp = `Meter traces or interfaces: run rulesets over their packets and write the flows.

TRACEs are read one after the other, or, given with -C, all at once and merged
by time: those of the two directions of a link, each its own interface. "-" is
standard input. ` + "`rtfm trace --help`" + ` tells which formats are known. RULES are SRL
programs (.srl) or rule files (.rules), or come with rtfm (@flows and so on);
several are run side by side. Without any, @conversations shows who talks to whom.

FILTER leaves packets out before any ruleset sees them. It has tcpdump's words
('tcp and port 443', not net 10/8) or is an expression of SRL. It begins at the
first argument that is no file; with -i or -C all arguments are the filter.

With -i packets are captured at interfaces until a signal ends it (Linux only;
needs root or CAP_NET_RAW). Packets that the kernel had to drop are counted.
SIGHUP has RULES and their tables read again: what changed runs from the next
packet on, as a ruleset of another number; a fault leaves all as it is.

netflow:TRACE meters the flow records of routers (NetFlow 5 and 9, IPFIX) whose
export datagrams are in a trace, and -i netflow://ADDRESS:PORT those that arrive
at a UDP address, such as netflow://:2055. Each counts as the packets that it
tells of, at the time of its datagram.

What is printed is a table of the largest flows for each ruleset, and with -T for
each interval: what was counted in it, the sum of the other flows, and what became
of all packets. --by adds flows up by attributes, if there is no -r by any; with
--csv or --json it gives all such rows, exactly.

Flow data is complete: what -F writes, with --nemac to standard output, has the
form of NeTraMet's NeMaC, and there without -r one flow for each pair of network
protocols; with --json it is one JSON object a line, with --csv a row for each
flow. Each collection holds the flows that were active in its interval, with
counters that began at the flow's first packet. All times are those of the
packets. SECONDS may have a unit: 300, 0.5, 5m and 1h30m.

Exit status: 0 if all went well, 1 for wrong usage or a faulty ruleset, 2 if a
trace was damaged or none (what could be read is in the flow data), 3 if the
flow table was full or rules looped and packets are missing from the flows, or
the stream table was and they are missing from distributions, or the feed had no
room or no receiver and records are missing from it, 4 if the numbers do not add
up, which is a fault of the program, 130 if a signal ended the metering of traces
early (what had been read is in the flow data).`

// runCommand is `rtfm run`.
func runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [-r RULES]... [-T SECONDS] [-N COUNT] [-F FILE] {TRACE... | -C TRACE... | -i INTERFACE} [FILTER]",
		Short: "Meter traces or interfaces and write flow data",
		Long:  runHelp,
		Example: `  rtfm run trace.pcap.gz
  rtfm run -r ports.srl -T 300 -F ports.flows monday.erf tuesday.erf
  rtfm run trace.pcap 'tcp and port 443'
  tcpdump -w - | rtfm run -r ports.srl --json -T 60 -
  rtfm run -r systems.srl -T 300 -F systems.flows -i netflow://:2055`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.traces.sequence, err = o.filter.take(args, o.capture.isLive() || len(o.traces.merged) > 0, cmd.ErrOrStderr()); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.programs.addFiles(cmd)
	f.BoolVar(&o.programs.Strict, "strict", false, "refuse SRL that RFC 2723 does not have")
	o.programs.addOptimise(cmd)
	addOctets(f, &o.octets)
	group(f, groupRules, "rules", "program", "define")
	o.interval.add(cmd)
	f.StringVarP(&o.output, "flows", "F", "", "write the flow data to this `FILE`; else to standard output")
	f.StringVar(&o.name, "name", "", "the meter's `NAME` in the flow data (default the first trace's, or the host's)")
	group(f, groupOutput, "flows")
	o.form.add(cmd)
	o.top.add(cmd)
	o.series.add(cmd)
	o.feed.add(cmd)
	o.exports.add(cmd)
	o.metrics.add(cmd)
	o.store.add(cmd)
	addMaxFlows(f, &o.maxFlows)
	f.Var(newSeconds(&o.inactivity, meter.DefaultInactivityTimeout.Seconds(), 0, maxSeconds), "inactivity-timeout", "with -T, `SECONDS` after which an idle flow's record may be used again; with --schedule 15 if not given, and\nflows that are seen within so many of an edge of the window are Censored, see SRL.md")
	group(f, groupLimits, "max-flows")
	o.streams.add(cmd)
	o.filter.add(cmd)
	o.traces.add(cmd)
	o.sample.add(cmd)
	group(f, groupInput)
	o.capture.add(cmd)
	addUser(f, &o.user, "interfaces or traces, but the flow data file")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no summary and no progress")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print how much memory it took, too (Linux)")
	group(f, groupProcess, "user", "quiet")
	return cmd
}
