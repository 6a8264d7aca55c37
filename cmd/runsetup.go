package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/reader/record"
	"rtfm/ruleset"
)

// run makes the meter, opens what it reads and writes, and meters.
func (o *runOptions) run(cmd *cobra.Command) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	m, rules, err := o.engine(cmd)
	if err != nil {
		return err
	}
	if err := o.feed.checkRules(rules); err != nil {
		return err
	}
	reading, stop := context.WithCancel(cmd.Context())
	defer stop()
	var hups <-chan os.Signal
	if o.reloads() {
		var end func()
		hups, end = hangups(cmd.Context())
		defer end()
	}
	if err := o.metrics.listen(notes(cmd.ErrOrStderr())); err != nil {
		return err
	}
	src, err := o.open(reading, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer src.Close()
	stored, err := o.store.open(o.capture.isLive(), notes(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	src = stored.tee(src)
	// What was metered is written to the end, whatever time that takes after a signal.
	defer finishing(cmd.Context())()
	err = o.writing(cmd, func(w io.Writer) error {
		to := func() record.Sink { return o.sink(w, m, rules) }
		return o.exporting(cmd, to, func(to record.Sink) error {
			return o.feeding(cmd, m, stop, func(f *feeding) error {
				s := o.newRunSink(cmd, m, rules, f, to)
				ctx := cmd.Context()
				if o.capture.isLive() {
					ctx = context.WithoutCancel(ctx) // the source ends, and all that it has is metered
				} else {
					s.stop = stop // the source is read ahead: it must not wait for more than is asked for
				}
				src, pausing, served := o.serving(src, s, cmd.ErrOrStderr())
				defer served()
				run := func() error { return m.Run(context.WithoutCancel(ctx), src, s) }
				if hups != nil {
					r, stop := o.reloading(cmd, hups, src, m, s, rules)
					defer stop()
					run = func() error { return r.run(context.WithoutCancel(ctx)) }
				}
				return o.meter(ctx, m, func() error { return errors.Join(pausing(run), f.end()) }, s, cmd.ErrOrStderr())
			})
		})
	})
	err = stored.finish(err, o.notify(cmd.ErrOrStderr()))
	if o.user != "" && errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("as user %s: %w", o.user, err)
	}
	return err
}

// engine returns a meter of the rulesets that the options name.
func (o *runOptions) engine(cmd *cobra.Command) (*meter.Meter, []*ruleset.RuleSet, error) {
	// Little of what reading long lists takes can be collected before they run.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	rules, err := o.rules(cmd)
	if err != nil {
		return nil, nil, err
	}
	m, err := meter.New(o.config(rules))
	return m, rules, err
}

// config returns the meter that the options ask for.
func (o *runOptions) config(rules []*ruleset.RuleSet) meter.Config {
	return meter.Config{
		RuleSets: rules, Filter: o.filter.program, MaxFlows: o.maxFlows, IPOctets: o.octets == "ip", Streams: o.streams.config(),
		Tunnels: o.capture.tunnels.kinds, TunnelDepth: o.capture.tunnels.depth,
		Schedule: o.sample.windows(), Interval: seconds(o.interval.length), Intervals: o.interval.count, Align: o.place(), InactivityTimeout: seconds(o.inactivity),
		Series: o.series.config(),
	}
}

// meterName returns the meter's name in the flow data.
func (o *runOptions) meterName() string {
	switch {
	case o.name != "":
		return o.name
	case o.capture.isLive():
		return hostName()
	}
	return o.sources()[0]
}

// parameters returns the options as NeMaC's flow data files show them.
func (o *runOptions) parameters() string {
	var p []string
	if o.interval.length > 0 {
		p = append(p, fmt.Sprintf("-T%v", o.interval.length))
	}
	for _, r := range o.programs.programs {
		if r.inline {
			p = append(p, "-e", strconv.Quote(strings.Join(strings.Fields(r.text), " ")))
		} else {
			p = append(p, "-r", filepath.Base(r.name))
		}
	}
	for _, g := range o.programs.Given {
		p = append(p, "-D", strconv.Quote(g.Name+"="+strings.Join(strings.Fields(g.Text), " ")))
	}
	if o.filter.text != "" {
		p = append(p, "--filter", strconv.Quote(strings.Join(strings.Fields(o.filter.text), " ")))
	}
	if o.octets != "frame" {
		p = append(p, "--octets", o.octets)
	}
	p = append(p, o.sample.parameters()...)
	p = append(p, o.capture.dedup.parameters()...)
	p = append(p, o.capture.anonymise.parameters()...)
	return strings.Join(p, " ")
}
