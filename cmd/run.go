package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"rtfm/traces/format"

	"rtfm/reader/record"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
	"rtfm/ruleset/srl"
	"rtfm/traces"
)

// runOptions are the options of `rtfm run`.
type runOptions struct {
	traces     traceOptions
	capture    captureOptions
	rules      []string
	interval   float64 // seconds
	intervals  int
	output     string
	maxFlows   int
	inactivity float64 // seconds
	streams    streamOptions
	octets     string
	format     string
	json       bool
	quiet      bool
	strict     bool
	name       string
	user       string
}

const runHelp = `Meter traces or interfaces: run rulesets over their packets and write the flows.

TRACEs are read one after the other, or, given with -C, all at once and merged
by time: those of the two directions of a link, each its own interface. "-" is
standard input. ` + "`rtfm trace --help`" + ` tells which formats are known. RULES are SRL
programs (.srl) or rule files (.rules); several are run side by side. Without
any, the built-in ruleset counts one flow for each pair of network protocols.

With -i packets are captured at interfaces until a signal ends it (Linux only;
needs root or CAP_NET_RAW). Packets that the kernel had to drop are counted.

netflow:TRACE meters the flow records of routers (NetFlow 5 and 9, IPFIX) whose
export datagrams are in a trace, and -i netflow://ADDRESS:PORT those that arrive
at a UDP address, such as netflow://:2055. Each counts as the packets that it
tells of, at the time of its datagram.

The flow data file has the form that NeTraMet's NeMaC writes, or with --json one
JSON object a line. Each collection holds the flows that were active in its
interval, with counters that began at the flow's first packet. All times are
those of the packets. SECONDS may have a unit: 300, 0.5, 5m and 1h30m.

Exit status: 0 if all went well, 1 for wrong usage or a faulty ruleset, 2 if a
trace was damaged or none (what could be read is in the flow data), 3 if the
flow table was full or rules looped and packets are missing from the flows, or
the stream table was and they are missing from distributions, 4 if the numbers
do not add up, which is a fault of the program, 130 if a signal ended the
metering of traces early (what had been read is in the flow data).`

// runCommand is `rtfm run`.
func runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [-r RULES]... [-T SECONDS] [-N COUNT] [-F FILE] {TRACE... | -C TRACE... | -i INTERFACE}",
		Short: "Meter traces or interfaces and write flow data",
		Long:  runHelp,
		Example: `  rtfm run -r all-flows.srl trace.pcap.gz
  rtfm run -r ports.srl -T 300 -F ports.flows monday.erf tuesday.erf
  rtfm run -r ports.srl -C east.erf -C west.erf
  tcpdump -w - | rtfm run -r ports.srl --json -T 60 -
  rtfm run -r ports.srl -T 300 -F ports.flows -i eth0,eth1
  rtfm run -r systems.srl -T 300 -F systems.flows -i netflow://:2055`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&o.rules, "rules", "r", nil, "run this `FILE` of SRL or rules; may be repeated")
	secondsVar(cmd, &o.interval, "interval", "T", 0, "make a collection each time the packets' clock has passed so many `SECONDS`\n(default one collection, at the end)")
	f.IntVarP(&o.intervals, "intervals", "N", 0, "stop after so many collections (default 0, all)")
	f.StringVarP(&o.output, "flows", "F", "", "write the flow data to this `FILE`, not to standard output")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	f.StringVar(&o.format, "format", "", "write these `ATTRIBUTES`, as a FORMAT statement names them\n(default those of the first ruleset that has one, else all that rulesets save)")
	f.StringVar(&o.octets, "octets", "frame", "count the octets of what: frame (without FCS) or ip")
	f.IntVarP(&o.maxFlows, "max-flows", "f", meter.DefaultMaxFlows, "size of the flow table")
	secondsVar(cmd, &o.inactivity, "inactivity-timeout", "", meter.DefaultInactivityTimeout.Seconds(), "with -T, `SECONDS` after which an idle flow's record may be used again")
	o.streams.add(cmd)
	f.StringVar(&o.name, "name", "", "the meter's `NAME` in the flow data (default the first trace's, or the host's)")
	f.BoolVar(&o.strict, "strict", false, "refuse SRL that RFC 2723 does not have")
	o.traces.flags(cmd)
	o.capture.flags(cmd)
	f.StringVar(&o.user, "user", "", "run as this `USER` once the interfaces or traces are open; the flow data file is opened as that one")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no summary and no progress")
	return cmd
}

// config checks the options and loads the rulesets.
func (o *runOptions) config(cmd *cobra.Command, traceNames []string) (meter.Config, error) {
	var c meter.Config
	if err := o.traces.check(o.capture.isRecords()); err != nil {
		return c, err
	}
	if err := o.capture.check(cmd, traceNames); err != nil {
		return c, err
	}
	switch {
	case len(traceNames) == 0 && !o.capture.isLive():
		return c, errors.New(`no TRACE given ("-" is standard input); "rtfm run --help" tells more`)
	case o.interval == 0 && cmd.Flags().Changed("interval"):
		return c, errors.New("-T 0: want the length of an interval; without -T there is one collection, at the end")
	case o.interval < 0 || o.interval > 0 && o.interval < 1e-6 || o.interval > 1e9 || math.IsNaN(o.interval):
		return c, fmt.Errorf("-T %v: want a number of seconds from 0.000001 to 1000000000", o.interval)
	case o.intervals < 0:
		return c, fmt.Errorf("-N %d: want a number of collections, or 0 for all", o.intervals)
	case o.intervals > 0 && o.interval == 0:
		return c, errors.New("-N needs -T, the length of an interval")
	case o.maxFlows < 1 || o.maxFlows > math.MaxInt32:
		return c, fmt.Errorf("-f %d: want a number of flows from 1 to %d", o.maxFlows, math.MaxInt32)
	case o.inactivity < 0 || o.inactivity > 1e9 || math.IsNaN(o.inactivity):
		return c, fmt.Errorf("--inactivity-timeout %v: want a number of seconds up to 1000000000", o.inactivity)
	case o.json && o.format != "":
		return c, errors.New("--format is for text: JSON has all attributes")
	case o.octets != "frame" && o.octets != "ip":
		return c, fmt.Errorf("--octets %s: want frame or ip", o.octets)
	}
	var err error
	if c.Streams, err = o.streams.config(); err != nil {
		return c, err
	}
	if err := readOnce(append(tracePaths(traceNames), o.rules...)...); err != nil {
		return c, err
	}
	for _, name := range o.rules {
		rs, err := loadRuleSet(name, cmd.InOrStdin(), srl.Options{Strict: o.strict}, cmd.ErrOrStderr())
		if err != nil {
			return c, err
		}
		c.RuleSets = append(c.RuleSets, rs)
	}
	if len(c.RuleSets) == 0 {
		c.RuleSets = []*ruleset.RuleSet{ruleset.Default()}
	}
	c.MaxFlows = o.maxFlows
	c.IPOctets = o.octets == "ip"
	c.Interval = time.Duration(o.interval * float64(time.Second))
	c.Intervals = o.intervals
	c.InactivityTimeout = time.Duration(o.inactivity * float64(time.Second))
	return c, nil
}

func (o *runOptions) run(cmd *cobra.Command, args []string) (err error) {
	o.traces.sequence = args
	names := o.traces.names()
	// Little of what reading long lists takes can be collected before they run.
	gc := debug.SetGCPercent(800)
	config, err := o.config(cmd, names)
	if err != nil {
		return err
	}
	format := flowfile.FormatFor(config.RuleSets...)
	if o.format != "" {
		if format, err = ruleset.ParseFormat(o.format); err != nil {
			return fmt.Errorf("--format: %w", err)
		}
	}
	m, err := meter.New(config)
	debug.SetGCPercent(gc)
	if err != nil {
		return err
	}
	sources := baseNames(names)
	if o.capture.isLive() {
		sources = o.capture.interfaces
	}
	switch {
	case o.name != "":
	case o.capture.isLive():
		o.name = hostName()
	default:
		o.name = sources[0]
	}
	reading, stop := context.WithCancel(cmd.Context())
	defer stop()
	src, err := o.open(reading, names, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer src.Close()
	inputs := append(tracePaths(names), o.rules...)
	err = writeTo(cmd.Context(), o.output, inputs, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
		header := flowfile.Header{
			Version: flowfile.Release(version()), Parameters: o.parameters(),
			Meter: o.name, Interfaces: sources, MaxFlows: o.maxFlows,
		}
		options := flowfile.Options{JSON: o.json}
		for _, rs := range config.RuleSets {
			options.Statistics = options.Statistics || rs.Statistics
		}
		s := &runSink{
			engine: m, meter: metered{m}, process: record.Process{Differences: o.json},
			to: flowfile.NewSink(w, header, format, options), name: o.name, errors: cmd.ErrOrStderr(),
		}
		ctx := cmd.Context()
		if o.capture.isLive() {
			ctx = context.WithoutCancel(ctx) // the source ends, and all that it has is metered
		} else {
			s.stop = stop // the source is read ahead: it must not wait for more than is asked for
		}
		return o.meter(ctx, m, src, s, cmd.ErrOrStderr())
	})
	if o.user != "" && errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("as user %s: %w", o.user, err)
	}
	return err
}

// open opens the interfaces, or makes a source of the traces, and gives up the
// rights that only that takes. The source ends when ctx is done.
func (o *runOptions) open(ctx context.Context, names []string, stderr io.Writer) (src traces.Source, err error) {
	if o.capture.isLive() {
		warn := func(message string) { fmt.Fprintf(stderr, "rtfm: %s\n", message) }
		if src, err = o.capture.open(ctx, o.traces.exporters, warn); err != nil {
			return nil, err
		}
		src = o.traces.steady(src, warn)
	} else {
		files := o.traces.open(o.notify(stderr))
		if o.user != "" { // who may not be allowed to
			if err := files.OpenFiles(); err != nil {
				return nil, &exitError{status: StatusDamaged, err: err}
			}
		}
		src = withInterrupt(ctx, files, names)
		if !o.quiet {
			src = withProgress(src, names, stderr)
		}
		src = o.traces.plausible(src, func(message string) { fmt.Fprintf(stderr, "rtfm: warning: %s\n", message) })
		src = o.capture.filter(src)
	}
	if err := o.capture.giveUpRights(o.user, nil); err != nil {
		src.Close()
		return nil, err
	}
	return src, nil
}

// notify returns what tells people of things worth knowing, nil if they are not
// to be told.
func (o *runOptions) notify(stderr io.Writer) func(message string) {
	if o.quiet {
		return nil
	}
	return func(message string) { fmt.Fprintf(stderr, "rtfm: %s\n", message) }
}

// meter runs the meter and tells what came of it. When ctx is done the source ends,
// and all that was read of it until then is metered.
func (o *runOptions) meter(ctx context.Context, m *meter.Meter, src traces.Source, s *runSink, stderr io.Writer) error {
	defer finishing(ctx)()
	began := time.Now()
	if err := m.Run(context.WithoutCancel(ctx), src, s); err != nil {
		return err
	}
	took := time.Since(began)
	if stats := m.Stats(); !o.quiet && (stats.Packets > 0 || !s.damaged) {
		printSummary(stderr, &stats, took)
	}
	return o.result(ctx, m, s)
}

// result returns an error that asks for the exit status of a run that has ended.
func (o *runOptions) result(ctx context.Context, m *meter.Meter, s *runSink) error {
	stats := m.Stats()
	full := o.missing(&stats)
	switch {
	case s.faulty:
		return &exitError{status: StatusFault, err: full}
	case s.disorder != nil:
		return s.disorder
	case ctx.Err() != nil:
		err := errors.New("interrupted: the flow data ends here, the traces may not")
		return &exitError{status: StatusInterrupted, err: joined(err, full)}
	case s.damaged:
		return &exitError{status: StatusDamaged, err: full}
	case full != nil:
		return &exitError{status: StatusFull, err: full}
	}
	return nil
}

// missing returns an error if packets are missing from flows or distributions.
func (o *runOptions) missing(stats *meter.Stats) error {
	var stopped, flows, streams error
	if n := stats.Stopped(); n > 0 {
		stopped = fmt.Errorf("rules loop: %d packets were stopped by a limit of the engine and are in no flow", n)
	}
	if stats.Uncounted() > 0 {
		flows = fmt.Errorf("the flow table was full: %d packets are in no flow; -f makes the table larger than %d flows, coarser rules need fewer",
			stats.Uncounted(), o.maxFlows)
	}
	if n := stats.Streams.Unstreamed; n > 0 {
		streams = fmt.Errorf("the stream table was full: %d packets are in no stream, and missing from distributions; -t makes the table larger than %d streams",
			n, o.streams.max)
	}
	return joined(flows, stopped, streams)
}

// joined returns an error that tells of these in one line, nil if there are none.
func joined(errs ...error) (all error) {
	for _, err := range errs {
		switch {
		case err == nil:
		case all == nil:
			all = err
		default:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}

// parameters returns the options as NeMaC's flow data files show them.
func (o *runOptions) parameters() string {
	var p []string
	if o.interval > 0 {
		p = append(p, fmt.Sprintf("-T%v", o.interval))
	}
	for _, r := range o.rules {
		p = append(p, "-r", filepath.Base(r))
	}
	if o.octets != "frame" {
		p = append(p, "--octets", o.octets)
	}
	if o.capture.dedup != "" {
		p = append(p, "--dedup", o.capture.dedup)
	}
	return strings.Join(p, " ")
}

// runSink writes the flow data file.
type runSink struct {
	engine  *meter.Meter
	meter   record.Meter // the same
	process record.Process
	to      record.Sink
	name    string // the meter's
	errors  io.Writer
	damaged bool
	faulty  bool // numbers did not add up
	// disorder is why the traces were not all read, nil if they were.
	disorder error
	stop     func() // ends the reading of the source, if that may wait
}

// Collect implements meter.Sink.
func (s *runSink) Collect(c meter.Collection) error {
	if c.Last && s.stop != nil {
		s.stop()
	}
	from := s.process.From(s.meter, record.Collection{Meter: s.name, Epoch: c.Start, To: c.To, Skipped: int(c.PassedOver)}, c.Last)
	sum, err := record.Copy(s.to, from)
	if err != nil {
		return err
	}
	s.check(sum)
	return nil
}

// Damage implements meter.Sink.
func (s *runSink) Damage(err error) {
	var order *format.OrderError
	if errors.As(err, &order) {
		s.disorder = fmt.Errorf("%w%s", err, hint(err))
		return
	}
	s.damaged = true
	fmt.Fprintf(s.errors, "rtfm: %v%s\n", err, hint(err))
}

// BackInTime implements meter.Sink.
func (s *runSink) BackInTime(file string, before, at int64) {
	fmt.Fprintf(s.errors, "rtfm: %s: warning: time goes back, from %s to %s; such packets count at the later time\n",
		file, utc(before), utc(at))
}

// utc returns a time in nanoseconds since 1970 as text.
func utc(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z") }
