package cmd

import (
	"context"
	"log/slog"
	"math"

	"github.com/spf13/cobra"

	"rtfm/manager"
	"rtfm/reader"
)

// managerOptions are the options of `rtfm manager`.
type managerOptions struct {
	config     string
	check      bool
	connect    bool
	rules      []string
	standby    []string
	interval   float64 // seconds
	keepalive  float64 // seconds
	output     string
	json       bool
	trace      bool
	highWater  int
	floodMark  int
	inactivity int // seconds
	maxFlows   int
	owner      string
	snmp       snmpOptions
	stop       bool
	log        string
	verbose    bool
	grace      float64 // seconds
	metrics    metricsOptions
}

const managerHelp = `Put rulesets into meters, keep them running, and collect the flows.

With HOST and COMMUNITY (the one for writing, SNMPv2c), or with --user (SNMPv3),
one meter is managed as the options say: the rulesets of -r are put there and run, and the flows are
written to a flow data file, at local times of day that are multiples of the interval.
With --config many meters are, each as the file says: manager/CONFIG.md tells
what can stand there, rulesets for times of the day among it.

A meter that was restarted gets its rulesets again as soon as it is seen; one
that does not answer is tried again, and what it still holds is collected when
it does. What the manager has put into a meter is left running when it ends,
and taken up again when it is started again; --stop removes it instead.

SECONDS may have a unit: 300, 0.5, 5m and 1h30m.

SIGTERM and SIGINT make a last collection and end. SIGHUP opens the log file
again, and reads the file of --config and all rulesets again, with their tables:
what was changed is applied, a fault leaves all as it is.`

// managerCommand is `rtfm manager`.
func managerCommand() *cobra.Command {
	o := managerOptions{snmp: snmpOptions{community: community{option: "write-community-file", variable: "RTFM_WRITE_COMMUNITY"}}}
	cmd := &cobra.Command{
		Use:   "manager {--config FILE | -r RULES... HOST [COMMUNITY]}",
		Short: "Manage meters and collect their flows",
		Long:  managerHelp,
		Example: `  rtfm manager -c 300 -r ports.srl -e default.rules --user joe gw.example.net
  rtfm manager --config meters.yaml --check && rtfm manager --config meters.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.config, "config", "", "manage the meters of this configuration `FILE`")
	f.BoolVar(&o.check, "check", false, "check the configuration file, and end; with all that it names")
	f.BoolVar(&o.connect, "connect", false, "with --check, reach for the places of exports, too")
	group(f, groupInput, "config", "check", "connect")
	f.StringArrayVarP(&o.rules, "rules", "r", nil, "run this `FILE` of SRL or rules there; may be repeated")
	f.StringArrayVarP(&o.standby, "standby", "e", nil, "`FILE` to run when the flow table fills up;\nrepeated: for the first -r, the second and so on")
	group(f, groupRules, "rules", "standby")
	f.VarP(newSeconds(&o.interval, 300, 1, 86400), "interval", "c", "make a collection every so many `SECONDS`")
	f.StringVarP(&o.output, "flows", "F", "", "append the flow data to this `FILE`; (default HOST.flows)")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	f.VarP(newSeconds(&o.keepalive, 60, 1, 86400), "keepalive", "k", "see every so many `SECONDS` whether the meter is well")
	f.BoolVarP(&o.trace, "trace", "C", false, "the meter meters a trace in step; (rtfm meter -C TRACE -T SECONDS):\ncollect when it says so, and end with it")
	group(f, groupOutput, "interval", "flows", "json", "trace")
	f.Var(newCount(&o.highWater, 65, 0, 100, "a percentage"), "high-water-mark", "`PERCENT` of the flow table at which -e runs")
	f.Var(newCount(&o.floodMark, 95, 0, 100, "a percentage"), "flood-mark", "`PERCENT` of it at which the built-in rules run; that is of the flow table, and of the meter; 0 for never\n(not set in the meter unless given)")
	f.Var(newWholeSeconds(&o.inactivity, 600), "inactivity-timeout", "`SECONDS` after which the meter may recover an idle flow\n(not set in the meter unless given)")
	f.Var(newCount(&o.maxFlows, reader.DefaultMaxFlows, 1, math.MaxInt32, "a number of flows"), "max-flows", maxFlowsUsage)
	group(f, groupLimits, "high-water-mark", "max-flows")
	f.StringVar(&o.owner, "owner", "", "the manager's `NAME` in the meter: what bears it is taken to be its own\n(default that of the host and of the flow data file)")
	o.snmp.add(cmd)
	o.metrics.add(cmd)
	f.BoolVar(&o.stop, "stop", false, "at the end, remove from meters what was put there; tasks are stopped")
	f.StringVarP(&o.log, "log", "L", "", "append the log to this `FILE`; else to standard error")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log each collection too")
	f.Var(newSeconds(&o.grace, 30, 0, maxSeconds), "grace", "`SECONDS` for the last collections after a signal to end")
	group(f, groupProcess, "stop", "log", "verbose")
	for _, name := range append(o.snmp.names(), "rules", "standby", "interval", "keepalive", "flows", "json", "trace", "high-water-mark",
		"flood-mark", "inactivity-timeout", "max-flows", "owner") {
		cmd.MarkFlagsMutuallyExclusive("config", name)
	}
	return cmd
}

// run does what the options say, until a signal ends it.
func (o *managerOptions) run(cmd *cobra.Command, args []string) error {
	if err := o.metrics.check(cmd); err != nil {
		return err
	}
	config, err := o.load(cmd, args)
	if err != nil || o.check {
		return err
	}
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log, file := newLog(o.log, cmd.ErrOrStderr(), level)
	if err := file.reopen(); err != nil {
		return err
	}
	options := manager.Options{Log: log, Remove: o.stop, Grace: seconds(o.grace), Version: version(), Schemes: exportSchemes}
	if err := o.metrics.listen(func(message string) { log.Info(message) }); err != nil {
		return err
	}
	if w := o.metrics.watched(); w != nil {
		options.Watches = w
		defer o.metrics.serve(func(err error) { log.Error("metrics", "error", err) }, w.gather)()
	}
	changes := make(chan *manager.Config)
	hups, stopped := hangups(cmd.Context())
	defer stopped()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	go o.reload(ctx, cmd, args, hups, file, changes, log)
	defer finishing(cmd.Context())()
	return manager.Run(ctx, config, changes, options)
}
