package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/mib"
	"rtfm/ruleset"
	"rtfm/traces"
)

// meterOptions are the options of `rtfm meter`.
type meterOptions struct {
	capture     captureOptions
	traces      traceOptions
	interval    float64 // seconds
	intervals   int
	pace        bool
	snmp        string
	port        int
	agentx      string
	context     string
	contact     string
	location    string
	read, write community
	sinks       []string // HOST or HOST:PORT
	trap        community
	maxFlows    int
	streams     streamOptions
	octets      string
	log         string
	user        string
	grace       float64 // seconds
}

const meterHelp = `Run a meter that managers control and read by SNMP (the Meter MIB of RFC 2720).

Packets come from interfaces (-i; Linux only, needs root or CAP_NET_RAW, which
--user gives up) or from traces: given with -C, they are read all at once and
merged by time, each its own interface; as arguments, one after the other. "-"
is standard input. Flow records of routers (NetFlow 5 and 9, IPFIX) are metered
with -i netflow://ADDRESS:PORT, or from export datagrams in a trace that is named
netflow:TRACE.

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
signal ends, two seconds later or more. SIGHUP opens the log file again,
or without --log ends metering too.`

// meterCommand is `rtfm meter`.
func meterCommand() *cobra.Command {
	o := meterOptions{
		read:  community{option: "read-community-file", variable: "RTFM_READ_COMMUNITY"},
		write: community{option: "write-community-file", variable: "RTFM_WRITE_COMMUNITY"},
		trap:  community{option: "trap-community-file", variable: "RTFM_TRAP_COMMUNITY"},
	}
	cmd := &cobra.Command{
		Use:   "meter {-C TRACE... | TRACE... | -i INTERFACE...}",
		Short: "Run a meter that is controlled and read by SNMP",
		Long:  meterHelp,
		Example: `  rtfm meter -i eth0 --user rtfm
  rtfm meter -C monday.pcap.gz --pace
  rtfm meter -C trace.erf -T 300 --agentx unix:/var/agentx/master`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.traces.sequence = args
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.traces.flags(cmd)
	o.capture.flags(cmd)
	secondsVar(cmd, &o.interval, "interval", "T", 0, "stop every so many `SECONDS` of packet time until a manager has read the flows")
	f.IntVarP(&o.intervals, "intervals", "N", 0, "end after so many intervals (default 0, all)")
	f.BoolVar(&o.pace, "pace", false, "play traces at the speed at which they were captured, not at once")
	f.StringVar(&o.snmp, "snmp", "127.0.0.1:1161", "answer SNMPv2c at this UDP `ADDRESS`; with --agentx only if it is given")
	f.IntVarP(&o.port, "port", "m", 0, "answer SNMPv2c at this UDP `PORT` of 127.0.0.1")
	f.StringVar(&o.agentx, "agentx", "", "be a subagent of the master at this `ADDRESS`")
	f.StringVar(&o.context, "context", "", "with --agentx: be in this SNMP `CONTEXT`, so that a master can have several meters")
	f.StringVar(&o.read.file, o.read.option, "", "`FILE` that holds the read community (or environment RTFM_READ_COMMUNITY)")
	f.StringVar(&o.write.file, o.write.option, "", "`FILE` that holds the write community (or environment RTFM_WRITE_COMMUNITY)")
	f.StringVarP(&o.read.argument, "read-community", "r", "", "the read `COMMUNITY`; others on this machine can see it")
	f.StringVarP(&o.write.argument, "write-community", "w", "", "the write `COMMUNITY`; others on this machine can see it")
	f.StringArrayVar(&o.sinks, "trap-sink", nil, "with --snmp: send SNMPv2c traps to this UDP `ADDRESS`, HOST or HOST:PORT (162); may be repeated")
	f.StringVar(&o.trap.file, o.trap.option, "", "`FILE` that holds the community of traps (or environment RTFM_TRAP_COMMUNITY)")
	f.StringVar(&o.contact, "sys-contact", "", "who looks after the meter, `TEXT` of sysContact with --snmp")
	f.StringVar(&o.location, "sys-location", "", "where the meter is, `TEXT` of sysLocation with --snmp")
	f.IntVarP(&o.maxFlows, "max-flows", "f", meter.DefaultMaxFlows, "size of the flow table")
	o.streams.add(cmd)
	f.StringVar(&o.octets, "octets", "frame", "count the octets of what: frame (without FCS) or ip")
	f.StringVar(&o.log, "log", "", "append the log to this `FILE`, not to standard error")
	f.StringVar(&o.user, "user", "", "run as this `USER` once sockets and traces are open; the log is opened as that one")
	secondsVar(cmd, &o.grace, "grace", "", 10, "`SECONDS` for which flows can be read after a signal to end")
	cmd.MarkFlagsMutuallyExclusive("snmp", "port")
	return cmd
}

func (o *meterOptions) check(cmd *cobra.Command) error {
	if err := o.traces.check(o.capture.isRecords()); err != nil {
		return err
	}
	if err := o.capture.check(cmd, o.traces.names()); err != nil {
		return err
	}
	switch {
	case len(o.traces.names()) == 0 && !o.capture.isLive():
		return errors.New(`neither a TRACE given nor an INTERFACE with -i; "rtfm meter --help" tells more`)
	case o.capture.isLive() && (o.interval != 0 || o.pace):
		return errors.New("-T and --pace are for traces, not for interfaces (-i)")
	case o.interval == 0 && cmd.Flags().Changed("interval"):
		return errors.New("-T 0: want the length of an interval; without -T the traces are metered without a stop")
	case !isSeconds(o.interval) || o.interval > 0 && o.interval < 1e-6:
		return fmt.Errorf("-T %v: want a number of seconds from 0.000001 to 1000000000", o.interval)
	case o.intervals < 0 || o.intervals > 0 && o.interval == 0:
		return errors.New("-N needs -T, and a number of intervals or 0 for all")
	case o.maxFlows < 1 || o.maxFlows > math.MaxInt32:
		return fmt.Errorf("-f %d: want a number of flows from 1 to %d", o.maxFlows, math.MaxInt32)
	case o.octets != "frame" && o.octets != "ip":
		return fmt.Errorf("--octets %s: want frame or ip", o.octets)
	case !isSeconds(o.grace):
		return fmt.Errorf("--grace %v: want a number of seconds", o.grace)
	case cmd.Flags().Changed("port") && (o.port < 1 || o.port > 65535):
		return fmt.Errorf("-m %d: want a UDP port from 1 to 65535", o.port)
	case o.context != "" && o.agentx == "":
		return errors.New("--context is for --agentx: SNMPv2c has no contexts")
	case len(o.contact) > longestDisplay || len(o.location) > longestDisplay:
		return fmt.Errorf("--sys-contact and --sys-location: want at most %d octets", longestDisplay)
	case o.port != 0:
		o.snmp = net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port))
	case o.agentx != "" && !cmd.Flags().Changed("snmp"):
		o.snmp = ""
	case o.agentx == "" && o.snmp == "":
		return errors.New("neither --snmp nor --agentx: nobody could read the flows")
	}
	if o.snmp == "" && len(o.sinks) > 0 {
		return errors.New("--trap-sink is for --snmp; with --agentx snmpd sends notifications where its own configuration says")
	}
	if o.trap.file != "" && len(o.sinks) == 0 {
		return errors.New("--trap-community-file is for --trap-sink")
	}
	return nil
}

// isSeconds reports whether s is a length of time that can be computed with.
func isSeconds(s float64) bool { return s >= 0 && s <= 1e9 }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (o *meterOptions) run(cmd *cobra.Command) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	streams, err := o.streams.config()
	if err != nil {
		return err
	}
	names := o.traces.names()
	if err := readOnce(tracePaths(names)...); err != nil {
		return err
	}
	if err := tracesExist(names); err != nil {
		return err
	}
	var logTo io.Writer = cmd.ErrOrStderr()
	var file *logFile
	if o.log != "" {
		file = &logFile{name: o.log}
		if o.user == "" {
			if err := file.reopen(); err != nil {
				return err
			}
		}
		defer file.giveUp(cmd.ErrOrStderr())
		logTo = file
	}
	log := slog.New(slog.NewTextHandler(logTo, nil))

	var f fronts
	m := meter.NewControlled(meter.ControlConfig{
		MaxFlows: o.maxFlows, IPOctets: o.octets == "ip",
		Live: o.capture.isLive(), Interval: seconds(o.interval), Intervals: o.intervals, Streams: streams,
		Version: "rtfm " + version(),
		Notify:  func(n mib.Notification) { f.notify(log, n) },
		Prepared: func(rs *ruleset.RuleSet, warnings []string, err error) {
			logPrepared(log, rs, warnings, err)
		},
	})
	err = o.open(&f, m, log, cmd.ErrOrStderr())
	if f.secret != nil {
		defer f.secret.remove()
	}
	if err != nil {
		return err
	}
	// What ends the source ends metering: it may hold packets that are to be metered.
	metering, end := context.WithCancelCause(cmd.Context())
	defer end(nil)
	src, err := o.source(metering, log)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := o.capture.giveUpRights(o.user, f.secret); err != nil {
		return err
	}
	if file != nil && o.user != "" {
		if err := file.reopen(); err != nil {
			return fmt.Errorf("--log, as user %s: %w", o.user, err)
		}
	}
	return o.serve(metering, end, m, src, &f, log, file)
}

// source opens the traces, or the interfaces. The source ends when ctx is done.
func (o *meterOptions) source(ctx context.Context, log *slog.Logger) (traces.Source, error) {
	if o.capture.isLive() {
		warn := func(message string) { log.Warn(message) }
		src, err := o.capture.open(ctx, o.traces.exporters, warn)
		if err != nil {
			return nil, err
		}
		return o.traces.steady(src, warn), nil
	}
	files := o.traces.open(func(message string) { log.Info(message) })
	if o.user != "" { // who may not be allowed to
		if err := files.OpenFiles(); err != nil {
			return nil, err
		}
	}
	src := o.traces.plausible(withInterrupt(ctx, files, o.traces.names()), func(message string) { log.Warn(message) })
	src = o.capture.filter(src)
	return &toldOf{src, func() {
		if ctx.Err() == nil {
			log.Info("the traces have ended; their flows can be read")
		}
	}}, nil
}

// toldOf is a Source that tells when it has ended.
type toldOf struct {
	traces.Source
	ended func()
}

// ReadBatch implements traces.Source.
func (s *toldOf) ReadBatch(b *traces.Batch) error {
	err := s.Source.ReadBatch(b)
	if err == io.EOF {
		s.ended()
	}
	return err
}

// serve runs the meter and its front ends until the traces have ended and were
// read, or a signal has ended ctx, and with it the source, and the grace time is
// over. It ends ctx itself when a front end has failed.
func (o *meterOptions) serve(ctx context.Context, end context.CancelCauseFunc, m *meter.Controlled, src traces.Source, f *fronts, log *slog.Logger, file *logFile) error {
	defer finishing(ctx)()
	serving, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	if f.agent != nil {
		wg.Go(func() { f.agent.Run(serving) })
	}
	for _, s := range f.sinks {
		wg.Go(func() { s.Run(serving) })
	}
	failed := make(chan error, 1)
	if f.server != nil {
		wg.Go(func() {
			if err := f.server.Serve(serving, f.conn); err != nil && serving.Err() == nil {
				failed <- err
			}
		})
	}
	if file != nil {
		hups := make(chan os.Signal, 1)
		ownHangup(ctx)
		signal.Notify(hups, syscall.SIGHUP)
		defer signal.Stop(hups)
		wg.Go(func() { reopenLog(serving, hups, file, log) })
	}
	wg.Go(func() {
		select {
		case err := <-failed:
			end(err)
		case <-serving.Done():
		}
	})
	if o.pace {
		src = &paced{Source: src, ctx: ctx}
	}
	damaged := false
	err := m.Run(ctx, src, func(err error) {
		if ctx.Err() == nil {
			damaged = true
			log.Error("trace damaged", "error", fmt.Sprint(err, hint(err)))
		}
	})
	switch cause := context.Cause(ctx); {
	case err != nil:
		return err
	case cause == context.Canceled:
		log.Info("metering has ended; flows can still be read", "seconds", o.grace)
		lastGrace(ctx, o.grace)
	case cause != nil:
		return cause
	}
	if damaged {
		return &exitError{status: StatusDamaged}
	}
	return nil
}

// lastGrace waits for the grace time to pass, or a further signal.
func lastGrace(ctx context.Context, grace float64) {
	select {
	case <-time.After(seconds(grace)):
	case <-furtherSignal(ctx):
	}
}

func reopenLog(ctx context.Context, hups <-chan os.Signal, file *logFile, log *slog.Logger) {
	for {
		select {
		case <-hups:
			if err := file.reopen(); err != nil {
				log.Error("log not opened again", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
