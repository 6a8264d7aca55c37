package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"rtfm/manager"
	"rtfm/reader"
	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// managerOptions are the options of `rtfm manager`.
type managerOptions struct {
	config     string
	check      bool
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
again and, with --config, applies what was changed in the file.`

// managerCommand is `rtfm manager`.
func managerCommand() *cobra.Command {
	o := managerOptions{snmp: snmpOptions{community: community{option: "write-community-file", variable: "RTFM_WRITE_COMMUNITY"}}}
	cmd := &cobra.Command{
		Use:   "manager {--config FILE | -r RULES... HOST [COMMUNITY]}",
		Short: "Manage meters and collect their flows",
		Long:  managerHelp,
		Example: `  rtfm manager -c 300 -r ports.srl -e default.rules meter.example.net --write-community-file secret
  rtfm manager --config meters.yaml --check && rtfm manager --config meters.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.config, "config", "", "manage the meters of this configuration `FILE`")
	f.BoolVar(&o.check, "check", false, "check the configuration file and all that it names, and end")
	secondsVar(cmd, &o.interval, "interval", "c", 300, "make a collection every so many `SECONDS`")
	f.StringArrayVarP(&o.rules, "rules", "r", nil, "run this `FILE` of SRL or rules in the meter; may be repeated")
	f.StringArrayVarP(&o.standby, "standby", "e", nil, "`FILE` of rules to run when the flow table fills up;\nrepeated: for the first -r, the second and so on")
	f.StringVarP(&o.output, "flows", "F", "", "append the flow data to this `FILE` (default HOST.flows)")
	f.BoolVar(&o.json, "json", false, "write JSON lines")
	secondsVar(cmd, &o.keepalive, "keepalive", "k", 60, "see every so many `SECONDS` whether the meter is well")
	f.BoolVarP(&o.trace, "trace", "C", false, "the meter meters a trace in step (rtfm meter -C TRACE -T SECONDS):\ncollect when it says so, and end with it")
	f.IntVar(&o.highWater, "high-water-mark", 65, "`PERCENT` of the flow table at which -e runs")
	f.IntVar(&o.floodMark, "flood-mark", 95, "`PERCENT` of the flow table at which the meter runs its built-in rules; 0 for never\n(not set in the meter unless given)")
	o.inactivity = 600
	f.Var(wholeSecondsFlag{&o.inactivity}, "inactivity-timeout", "`SECONDS` after which the meter may recover an idle flow\n(not set in the meter unless given)")
	f.IntVar(&o.maxFlows, "max-flows", reader.DefaultMaxFlows, maxFlowsUsage)
	f.StringVar(&o.owner, "owner", "", "the manager's `NAME` in the meter: what bears it is taken to be its own\n(default that of the host and of the flow data file)")
	o.snmp.add(cmd)
	f.BoolVar(&o.stop, "stop", false, "at the end, stop the tasks and remove from the meters what was put there")
	f.StringVarP(&o.log, "log", "L", "", "append the log to this `FILE`, not to standard error")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log each collection too")
	secondsVar(cmd, &o.grace, "grace", "", 30, "`SECONDS` for the last collections after a signal to end")
	for _, name := range append(o.snmp.names(), "rules", "standby", "interval", "keepalive", "flows", "json", "trace", "high-water-mark",
		"flood-mark", "inactivity-timeout", "max-flows", "owner") {
		cmd.MarkFlagsMutuallyExclusive("config", name)
	}
	return cmd
}

func (o *managerOptions) run(cmd *cobra.Command, args []string) error {
	config, err := o.load(cmd, args)
	if err != nil || o.check {
		return err
	}
	var logTo io.Writer = cmd.ErrOrStderr()
	var file *logFile
	if o.log != "" {
		if file, err = openLog(o.log); err != nil {
			return err
		}
		logTo = file
	}
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: level}))
	changes := make(chan *manager.Config)
	hups := make(chan os.Signal, 1)
	ownHangup(cmd.Context())
	signal.Notify(hups, syscall.SIGHUP)
	defer signal.Stop(hups)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	go o.reload(ctx, hups, file, changes, log)
	defer finishing(cmd.Context())()
	return manager.Run(ctx, config, changes, manager.Options{
		Log: log, Remove: o.stop, Grace: seconds(o.grace), Version: version(),
	})
}

// reload opens the log again at each signal, and passes on the configuration
// file if it was changed for another that is right.
func (o *managerOptions) reload(ctx context.Context, hups <-chan os.Signal, file *logFile, changes chan<- *manager.Config, log *slog.Logger) {
	for {
		select {
		case <-hups:
		case <-ctx.Done():
			return
		}
		if file != nil {
			if err := file.reopen(); err != nil {
				log.Error("log not opened again", "error", err)
			}
		}
		if o.config == "" {
			continue
		}
		c, warnings, err := manager.Load(o.config)
		for _, w := range warnings {
			log.Warn("ruleset", "warning", w)
		}
		if err != nil {
			log.Error("the configuration file is faulty; all goes on as before", "error", err)
			continue
		}
		log.Info("the configuration file was read again", "meters", len(c.Meters))
		select {
		case changes <- c:
		case <-ctx.Done():
			return
		}
	}
}

// load returns what is to be done.
func (o *managerOptions) load(cmd *cobra.Command, args []string) (*manager.Config, error) {
	switch {
	case !isSeconds(o.grace):
		return nil, fmt.Errorf("--grace %v: want a number of seconds", o.grace)
	case o.config != "" && len(args) > 0:
		return nil, fmt.Errorf("%s: the meters are those of the configuration file, no others can be given", args[0])
	case o.config != "":
		c, warnings, err := manager.Load(o.config)
		for _, w := range warnings {
			fmt.Fprintln(cmd.ErrOrStderr(), w)
		}
		return c, err
	case o.check:
		return nil, errors.New("--check needs --config; \"rtfm srl check\" checks rules")
	case len(args) == 0:
		return nil, errors.New(`no HOST given, nor --config; "rtfm manager --help" tells more`)
	case len(args) > 2:
		return nil, fmt.Errorf("%s: want a HOST and a COMMUNITY only", args[2])
	case len(o.rules) == 0:
		return nil, errors.New("no RULES given with -r")
	case len(o.standby) > len(o.rules):
		return nil, errors.New("-e is given more often than -r")
	case !(o.interval >= 1 && o.interval <= 86400):
		return nil, fmt.Errorf("-c %v: want a number of seconds from 1 to 86400", o.interval)
	case !(o.keepalive >= 1 && o.keepalive <= 86400):
		return nil, fmt.Errorf("-k %v: want a number of seconds from 1 to 86400", o.keepalive)
	case o.highWater < 0 || o.highWater > 100:
		return nil, fmt.Errorf("--high-water-mark %d: want a percentage", o.highWater)
	case o.floodMark < 0 || o.floodMark > 100:
		return nil, fmt.Errorf("--flood-mark %d: want a percentage", o.floodMark)
	case o.inactivity < 0:
		return nil, fmt.Errorf("--inactivity-timeout %d: want a number of seconds", o.inactivity)
	case !isMaxFlows(o.maxFlows):
		return nil, fmt.Errorf("--max-flows %d: want a number from 1 to %d", o.maxFlows, math.MaxInt32)
	}
	if err := readOnce(append(slices.Clone(o.rules), o.standby...)...); err != nil {
		return nil, err
	}
	m, err := o.meter(cmd, args)
	if err != nil {
		return nil, err
	}
	return manager.ForMeter(m)
}

// meter returns what is to be done with the one meter of a command line.
func (o *managerOptions) meter(cmd *cobra.Command, args []string) (m manager.Meter, err error) {
	m = manager.Defaults()
	m.Name = args[0]
	c, err := o.snmp.config(args, cmd.ErrOrStderr())
	if err != nil {
		return m, err
	}
	m.Address, m.SNMP = c.Address, manager.SNMPOf(&c)
	m.Interval, m.Keepalive, m.Trace, m.JSON = seconds(o.interval), seconds(o.keepalive), o.trace, o.json
	m.MaxFlows = o.maxFlows
	if m.Output = o.output; m.Output == "" {
		m.Output = "{name}.flows"
	}
	if cmd.Flags().Changed("flood-mark") {
		m.FloodMark = &o.floodMark
	}
	if cmd.Flags().Changed("inactivity-timeout") {
		m.InactivityTimeout = &o.inactivity
	}
	if m.Owner = o.owner; m.Owner == "" {
		// Two managers of one meter on one host have different files.
		m.Owner = manager.DefaultOwner() + ":" + filepath.Base(m.OutputFile())
	}
	for i, name := range o.rules {
		var t manager.Task
		if t.RuleSet, err = o.loadRules(cmd, name); err != nil {
			return m, err
		}
		if i < len(o.standby) {
			t.HighWaterMark = o.highWater
			if t.Standby, err = o.loadRules(cmd, o.standby[i]); err != nil {
				return m, err
			}
		}
		m.Tasks = append(m.Tasks, t)
	}
	return m, nil
}

func (o *managerOptions) loadRules(cmd *cobra.Command, name string) (*ruleset.RuleSet, error) {
	rs, err := loadRuleSet(name, cmd.InOrStdin(), srl.Options{}, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	return rs, runs(rs)
}
