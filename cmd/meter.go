package cmd

import (
	"errors"
	"math"

	"github.com/spf13/cobra"
)

// meterOptions are the options of `rtfm meter`.
type meterOptions struct {
	capture   captureOptions
	traces    traceOptions
	filter    filterOptions
	interval  float64 // seconds
	intervals int
	pace      bool
	front     frontOptions
	series    seriesOptions
	feed      feedOptions
	store     storeOptions
	metrics   metricsOptions
	maxFlows  int
	streams   streamOptions
	octets    string
	log       string
	user      string
	grace     float64 // seconds
}

const meterHelp = `Run a meter that managers control and read by SNMP (the Meter MIB of RFC 2720).

Packets come from interfaces (-i; Linux only, needs root or CAP_NET_RAW, which
--user gives up) or from traces: given with -C, they are read all at once and
merged by time, each its own interface; as arguments, one after the other. "-"
is standard input. Flow records of routers (NetFlow 5 and 9, IPFIX) are metered
with -i netflow://ADDRESS:PORT, or from export datagrams in a trace that is named
netflow:TRACE. FILTER leaves packets out before any ruleset sees them, see
"rtfm help run".

The meter begins with the built-in ruleset 1; managers download others and run
them as tasks. At the end of the traces it keeps the flows to be read. With -T
it meters in step with a manager: it waits for its first ruleset, and at the end
of each interval until the manager has read the flows; after the last it ends
when the manager says so.

SNMP is answered in one of two ways, or both:
  --snmp ADDRESS    by the meter itself, SNMPv2c, for use on this machine; the
                    default, at 127.0.0.1:1161. Reading needs the read
                    community, writing the write community; without one the
                    MIB is read-only. If no read community is given, a random
                    one is made and the path of the file that holds it printed;
                    the file is removed at the end.
  --agentx ADDRESS  as a subagent of net-snmp's snmpd, which brings SNMPv3 and
                    access control: unix:PATH or tcp:HOST:PORT.

SECONDS may have a unit: 300, 0.5, 5m and 1h30m.

SIGTERM and SIGINT end metering; flows can be read for --grace seconds more, in
which rtfm's managers and readers make a last collection, and which another
signal ends, two seconds later or more. SIGHUP opens the files of --log,
--series and --feed again, or without any ends metering too.`

// meterCommand is `rtfm meter`.
func meterCommand() *cobra.Command {
	var o meterOptions
	cmd := &cobra.Command{
		Use:   "meter {-C TRACE... | TRACE... | -i INTERFACE...} [FILTER]",
		Short: "Run a meter that is controlled and read by SNMP",
		Long:  meterHelp,
		Example: `  rtfm meter -i eth0 --user rtfm
  rtfm meter -C monday.pcap.gz --pace
  rtfm meter -C trace.erf -T 300 --agentx unix:/var/agentx/master`,
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
	o.traces.add(cmd)
	o.capture.add(cmd)
	f.VarP(newSeconds(&o.interval, 0, 1e-6, maxSeconds), "interval", "T", "be read every so many `SECONDS`; of packet time, at which metering waits until a manager has read the flows")
	f.VarP(newCount(&o.intervals, 0, 0, math.MaxInt32, "a number of intervals or 0 for all,"), "intervals", "N", "end after so many intervals (default all)")
	f.BoolVar(&o.pace, "pace", false, "play traces at the speed of their capture; not at once")
	o.filter.add(cmd)
	group(f, groupInput, "interval", "intervals", "pace")
	o.front.add(cmd)
	o.series.addToMeter(cmd)
	o.feed.add(cmd)
	o.store.add(cmd)
	o.metrics.addAddress(cmd)
	addMaxFlows(f, &o.maxFlows)
	group(f, groupLimits, "max-flows")
	o.streams.add(cmd)
	addOctets(f, &o.octets)
	group(f, groupRules, "octets")
	f.StringVar(&o.log, "log", "", "append the log to this `FILE`; else to standard error")
	addUser(f, &o.user, "sockets and traces, but the log")
	f.Var(newSeconds(&o.grace, 10, 0, maxSeconds), "grace", "let flows be read for so many `SECONDS`; after a signal to end")
	group(f, groupProcess, "log", "user", "grace")
	return cmd
}

// check finds options that do not fit each other, and traces that are not there.
func (o *meterOptions) check(cmd *cobra.Command) error {
	names := o.traces.names()
	if err := o.traces.check(o.capture.isRecords()); err != nil {
		return err
	}
	if err := o.capture.check(cmd, names); err != nil {
		return err
	}
	switch {
	case len(names) == 0 && !o.capture.isLive():
		return errors.New(`neither a TRACE given nor an INTERFACE with -i; "rtfm meter --help" tells more`)
	case o.capture.isLive() && (o.interval != 0 || o.pace):
		return errors.New("-T and --pace are for traces, not for interfaces (-i)")
	case o.intervals > 0 && o.interval == 0:
		return errors.New("-N needs -T, the length of an interval")
	}
	if err := o.feed.check(cmd, o.capture.isRecords() || o.traces.hasRecords()); err != nil {
		return err
	}
	if err := o.feed.checkFile("", o.series.file); err != nil {
		return err
	}
	if err := o.store.check(cmd, &o.capture, o.capture.isRecords() || o.traces.hasRecords()); err != nil {
		return err
	}
	if err := o.front.check(); err != nil {
		return err
	}
	if err := readOnce(tracePaths(names)...); err != nil {
		return err
	}
	return tracesExist(names)
}
