package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"rtfm/manager"
	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// reload opens the log again at each signal, and passes on what is to be done, read
// again, if that is right.
func (o *managerOptions) reload(ctx context.Context, cmd *cobra.Command, args []string, hups <-chan os.Signal, file *logFile, changes chan<- *manager.Config, log *slog.Logger) {
	for {
		select {
		case <-hups:
		case <-ctx.Done():
			return
		}
		file.again(log)
		var c *manager.Config
		var err error
		what := "the configuration file"
		switch {
		case o.config != "":
			var warnings []error
			c, warnings, err = manager.Load(o.config, exportSchemes...)
			for _, w := range warnings {
				log.Warn("ruleset", "warning", w)
			}
		case o.trace || slices.Contains(append(slices.Clone(o.rules), o.standby...), "-"):
			continue // these rulesets are for the whole trace, or can be read once
		default:
			what = "a ruleset"
			c, err = o.load(cmd, args)
		}
		if err != nil {
			log.Error(what+" is faulty; all goes on as before", "error", err)
			continue
		}
		log.Info(what+" was read again", "meters", len(c.Meters))
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
	case o.connect && !o.check:
		return nil, errors.New("--connect is for --check")
	case o.config != "" && len(args) > 0:
		return nil, fmt.Errorf("%s: the meters are those of the configuration file, no others can be given", args[0])
	case o.config != "":
		c, warnings, err := manager.Load(o.config, exportSchemes...)
		for _, w := range warnings {
			fmt.Fprintln(cmd.ErrOrStderr(), w)
		}
		if err == nil && o.connect {
			err = c.CheckExports(cmd.Context(), exportSchemes)
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
