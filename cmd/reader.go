package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rtfm/mib/client"
	"rtfm/reader"
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
)

// readerOptions are the options of `rtfm reader`.
type readerOptions struct {
	interval float64 // seconds
	ruleSet  int
	output   string
	format   string
	json     bool
	once     bool
	watch    bool
	passive  bool
	trace    bool
	snmp     snmpOptions
	owner    string
	firstRow int
	lastRow  int
	maxFlows int
	name     string
	log      string
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
  RTFM_COMMUNITY=public rtfm reader --once gateway:1161`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New(`no HOST given; "rtfm reader --help" tells more`)
			case len(args) > 2:
				return fmt.Errorf("%s: want a HOST and a COMMUNITY only", args[2])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	secondsVar(cmd, &o.interval, "interval", "c", 300, "make a collection every so many `SECONDS`")
	f.IntVarP(&o.ruleSet, "ruleset", "r", 0, "read the flows of the `RULESET` with this number (default all that tasks run)")
	f.StringVarP(&o.output, "flows", "F", "", "append the flow data to this `FILE`, not to standard output")
	f.BoolVarP(&o.trace, "trace", "C", false, "the meter meters a trace in step")
	f.BoolVar(&o.once, "once", false, "print the flows that the meter has now")
	f.BoolVar(&o.watch, "watch", false, "print the flows of each interval")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	f.BoolVar(&o.passive, "passive", false, "only read")
	f.StringVar(&o.format, "format", "", "write these `ATTRIBUTES`, as a FORMAT statement names them\n(default all that the rulesets save)")
	f.StringVar(&o.name, "name", "", "the meter's `NAME` in the flow data (default HOST)")
	f.StringVar(&o.owner, "owner", "", "what the reader is known by in the meter: a `NAME` that no other has\n(default that of the host and of the flow data file)")
	f.IntVar(&o.firstRow, "first-row", 1, "the first `INDEX` that the reader may have in flowReaderInfoTable")
	f.IntVar(&o.lastRow, "last-row", 1000, "the last `INDEX`")
	f.IntVar(&o.maxFlows, "max-flows", reader.DefaultMaxFlows, maxFlowsUsage)
	o.snmp.add(cmd)
	f.StringVarP(&o.log, "log", "L", "", "append the log to this `FILE`, not to standard error")
	cmd.MarkFlagsMutuallyExclusive("once", "watch", "flows")
	cmd.MarkFlagsMutuallyExclusive("once", "watch", "trace")
	return cmd
}

// maxFlowsUsage tells what the option means that the reader and the manager have.
const maxFlowsUsage = "refuse collections of more `FLOWS` than this, or of more than 4096 octets for each of them;\n" +
	"with --json, the counters of so many flows are remembered, in 128 octets each"

// isMaxFlows reports whether there may be so many flows in a collection.
func isMaxFlows(n int) bool { return n >= 1 && n <= math.MaxInt32 }

// check tells what is wrong with the options.
func (o *readerOptions) check() error {
	switch {
	case !isSeconds(o.interval) || o.interval < 0.1:
		return fmt.Errorf("-c %v: want a number of seconds from 0.1 to 1000000000", o.interval)
	case o.ruleSet < 0 || o.ruleSet > ruleset.MaxRuleSets:
		return fmt.Errorf("-r %d: want the number of a ruleset in the meter, from 1 to %d", o.ruleSet, ruleset.MaxRuleSets)
	case !isMaxFlows(o.maxFlows):
		return fmt.Errorf("--max-flows %d: want a number from 1 to %d", o.maxFlows, math.MaxInt32)
	case o.firstRow < 1 || o.lastRow < o.firstRow:
		return fmt.Errorf("rows from %d to %d: want numbers from 1 on, the first one first", o.firstRow, o.lastRow)
	}
	return nil
}

// parameters are the options as the flow data shows them.
func (o *readerOptions) parameters() string {
	p := []string{fmt.Sprintf("-c%v", o.interval)}
	if o.trace {
		p = []string{"-C"}
	}
	if o.ruleSet != 0 {
		p = append(p, fmt.Sprintf("-r%d", o.ruleSet))
	}
	if o.passive {
		p = append(p, "--passive")
	}
	return strings.Join(p, " ")
}

func (o *readerOptions) run(cmd *cobra.Command, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	stderr := cmd.ErrOrStderr()
	config, err := o.snmp.config(args, stderr)
	if err != nil {
		return err
	}
	var logTo io.Writer = stderr
	if o.log != "" {
		file, err := openLog(o.log)
		if err != nil {
			return err
		}
		logTo = file
	}
	r := &reading{log: slog.New(slog.NewTextHandler(logTo, nil)), options: o, stdout: cmd.OutOrStdout()}
	cfg := reader.Config{
		Header: flowfile.Header{Version: flowfile.Release(version()), Parameters: o.parameters(), Meter: o.name},
		JSON:   o.json, Once: o.once, Passive: o.passive || o.once || o.watch,
		Owner: o.owner, FirstRow: o.firstRow, LastRow: o.lastRow, MaxFlows: o.maxFlows,
		Warn: func(err error) { r.log.Warn("collection", "warning", err) },
	}
	if cfg.Header.Meter == "" {
		cfg.Header.Meter = args[0]
	}
	if cfg.Owner == "" {
		cfg.Owner = o.defaultOwner()
	}
	if !o.trace {
		cfg.Timeout = int(max(10*o.interval, 3600))
	}
	if o.format != "" {
		if cfg.Format, err = ruleset.ParseFormat(o.format); err != nil {
			return fmt.Errorf("--format: %w", err)
		}
	}
	var known *reader.State
	switch {
	case o.once || o.watch:
		cfg.Warn = nil
		r.out = &r.page
	case o.output == "" || o.output == "-":
		r.out = &reader.Stream{W: r.stdout}
	default:
		file, state, err := reader.OpenFile(o.output)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := file.Damage(); err != nil {
			r.log.Warn("what was known of the flow data file is lost", "error", err)
		}
		r.out, known = file, state
	}
	if o.passive && !o.once && !o.watch {
		r.log.Warn("the meter does not know of this reader: it may recover flows before they are read")
	}
	if r.client, err = client.Dial(cmd.Context(), config); err != nil {
		return err
	}
	defer r.client.Close()
	r.collector = reader.New(cfg, r.out, known)
	switch {
	case o.once:
		return r.print(cmd.Context())
	case o.trace:
		return r.inStep(cmd.Context())
	}
	return r.collect(cmd.Context())
}

// defaultOwner tells readers of one meter from each other.
func (o *readerOptions) defaultOwner() string {
	const longest = 127 // UTF8OwnerString (RFC 2720)
	of := strconv.Itoa(os.Getpid())
	if path, err := filepath.Abs(o.output); err == nil && o.output != "" {
		of = path
	}
	owner := strings.ToValidUTF8(hostName()+" "+of, "_")
	if len(owner) > longest {
		owner = strings.ToValidUTF8(owner[len(owner)-longest:], "")
	}
	return owner
}

// reading is a running `rtfm reader`.
type reading struct {
	options   *readerOptions
	client    *client.Client
	collector *reader.Collector
	out       reader.Output
	rules     reader.Rules
	log       *slog.Logger
	stdout    io.Writer
	page      reader.Stream // what print is to show
	hinted    bool          // at --passive
	parted    [8]byte       // the meter's boot identifier when it was collected before it ended
}

// sets returns the rulesets to collect.
func (r *reading) sets(ctx context.Context) ([]reader.RuleSet, error) {
	if r.options.ruleSet == 0 {
		return r.rules.Running(ctx, r.client)
	}
	sets, err := r.rules.One(ctx, r.client, r.options.ruleSet)
	if err == nil && len(sets) == 0 {
		err = fmt.Errorf("%s: the meter has no ruleset %d", r.client.Address(), r.options.ruleSet)
	}
	return sets, err
}

// collectOnce makes one collection.
func (r *reading) collectOnce(ctx context.Context) error {
	sets, err := r.sets(ctx)
	if err != nil {
		return err
	}
	result, err := r.collector.Collect(ctx, r.client, sets)
	if err != nil {
		return err
	}
	if result.Restarted {
		r.log.Warn("the meter was restarted")
		r.rules = reader.Rules{}
	}
	return nil
}

// collect makes collections until ctx ends, and a last one then.
func (r *reading) collect(ctx context.Context) error {
	if !r.options.watch {
		defer finishing(ctx)()
	}
	every := seconds(r.options.interval)
	for {
		var err error
		if r.options.watch {
			err = r.print(ctx)
		} else {
			err = r.collectOnce(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.log.Error("no collection", "error", err)
			if !r.hinted && !r.options.passive && mayNotWrite(err) {
				r.log.Warn("this reader may not write to the meter, where it registers (flowReaderInfoTable): let it, or have it only read, with --passive")
				r.hinted = true
			}
		}
		if r.await(ctx, reader.Next(time.Now(), every)) {
			continue
		}
		if r.options.watch {
			return nil
		}
		const grace = 30 * time.Second
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		return r.collectOnce(last)
	}
}

// await waits until the next collection is due, and makes one earlier from a
// meter that is about to end. It returns false when ctx ends first.
func (r *reading) await(ctx context.Context, due time.Time) bool {
	for {
		pulse := !r.options.watch && time.Until(due) > client.PulseEvery
		wait := time.Until(due)
		if pulse {
			wait = client.PulseEvery
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
		if !pulse {
			return true
		}
		if p, err := r.client.Pulse(ctx); err == nil && p.Ending && r.parted != p.Boot() && r.collectOnce(ctx) == nil {
			r.parted = p.Boot()
			r.log.Warn("the meter is about to end: its flows were collected")
		}
	}
}

// inStep makes collections whenever the meter waits for one, until its trace
// ends.
func (r *reading) inStep(ctx context.Context) error {
	met := false // the meter has met a step
	said := ""
	for !r.collector.Ended() {
		_, err := r.collector.Step(ctx, r.client, func() ([]reader.RuleSet, error) { return r.sets(ctx) })
		switch {
		case ctx.Err() != nil:
			return nil // the meter waits, and keeps its flows
		case err == nil:
			met, said = true, ""
			continue
		case errors.Is(err, client.ErrNoAnswer):
		case !met && !r.options.passive && mayNotWrite(err):
			return fmt.Errorf("%w; a reader in step writes to flowReaderInfoTable, unless it is --passive, and to rtfmTraceState", err)
		case !met || !mayPass(err):
			return err
		}
		if err.Error() != said {
			said = err.Error()
			r.log.Error("no collection", "error", err)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return nil
}

// mayPass reports whether an error is of an agent that is there again, but not yet
// with the meter behind it.
func mayPass(err error) bool {
	return client.Away(err) || errors.Is(err, client.ErrNonsense) || errors.Is(err, client.ErrAccess) || errors.Is(err, reader.ErrNoSteps)
}

// mayNotWrite reports whether the agent has refused to set something.
func mayNotWrite(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && errors.Is(refused, client.ErrAccess)
}

// print prints the flows of a collection. JSON lines of one that is the only one
// are printed as they come; all else waits until it is whole.
func (r *reading) print(ctx context.Context) error {
	if r.options.json && r.options.once {
		r.page = reader.Stream{W: r.stdout}
		return r.collectOnce(ctx)
	}
	var printed spool
	defer printed.close()
	r.page = reader.Stream{W: &printed} // with a header
	if err := r.collectOnce(ctx); err != nil {
		return err
	}
	if r.options.json {
		_, err := io.Copy(r.stdout, printed.reader())
		return err
	}
	if f, ok := r.stdout.(*os.File); ok && r.options.watch && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(f, "\x1b[H\x1b[2J") // cursor home, clear all
	}
	return writeTable(r.stdout, printed.reader)
}
