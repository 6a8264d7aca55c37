package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/meter/series"
	"rtfm/reader/live"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/builtin"
	"rtfm/traces"
)

// utcPlace is whose clock the intervals of live views end by.
var utcPlace = time.UTC

// liveMeter is a meter in this process, of interfaces or of a trace.
type liveMeter struct {
	options *liveOptions
	cmd     *cobra.Command
	trace   string // none if it is of interfaces
	meter   *meter.Meter
	rules   []*ruleset.RuleSet
	source  traces.Source
	stop    context.CancelFunc // ends the source
	shown   *live.Sink
	notices notices
}

func (l *liveMeter) name() string {
	if l.trace != "" {
		return baseNames([]string{l.trace})[0]
	}
	return hostName()
}

// open implements liveSource.
func (l *liveMeter) open(ctx context.Context) (err error) {
	o := l.options
	ctx, l.stop = context.WithCancel(ctx)
	programs := o.programs.programs
	if len(programs) == 0 {
		programs = []program{{name: builtin.Default}}
	}
	for _, p := range programs {
		rs, err := o.programs.load(p, l.cmd.InOrStdin(), l.cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		l.rules = append(l.rules, rs)
	}
	config := o.meterConfig()
	config.RuleSets = l.rules
	if o.once && l.waits() {
		config.Interval = 0 // all of it
	}
	// What is active in each interval, for those who view it.
	config.Series = meter.SeriesConfig{Interval: seconds(o.interval), Take: func(i *series.Interval) error { return l.shown.Second(i) }}
	if l.meter, err = meter.New(config); err != nil {
		return err
	}
	warn := l.notices.note
	if l.trace == "" {
		if l.source, err = o.capture.open(ctx, o.traces.exporters, warn); err != nil {
			return err
		}
		l.source = o.traces.steady(l.source, warn)
		return nil
	}
	traces := o.traces
	traces.sequence = []string{l.trace}
	files := traces.open(nil)
	if err := files.OpenFiles(); err != nil {
		return &exitError{status: StatusDamaged, err: fmt.Errorf("%w%s", err, hint(err))}
	}
	l.source = o.capture.filter(o.traces.plausible(withInterrupt(ctx, files, traces.sequence), warn))
	if o.pace {
		l.source = &paced{Source: l.source, ctx: ctx}
	}
	return nil
}

// waits implements liveSource: a trace is metered as fast as it is taken.
func (l *liveMeter) waits() bool { return l.trace != "" && !l.options.pace }

// run implements liveSource.
func (l *liveMeter) run(ctx context.Context, to *live.History) error {
	defer l.source.Close()
	l.notices.tell(to)
	wanted := l.options.wanted(to, l.stop, func(i *live.Interval) bool {
		return !l.waits() && i.First && i.Length() < int64(seconds(l.options.interval))
	})
	l.shown = l.options.sink(wanted.take)
	sink := &liveSink{runSink: runSink{
		meter: metered{Meter: l.meter}, process: record.Process{Differences: true}, to: l.shown, name: l.name(),
		errors: &l.notices, ruleSets: running(l.meter, l.rules),
	}}
	if err := l.meter.Run(context.WithoutCancel(ctx), l.source, sink); err != nil {
		return err
	}
	wanted.end()
	switch {
	case sink.faulty:
		return &exitError{status: StatusFault, err: errors.New(l.notices.latest())}
	case sink.damage != nil:
		return &exitError{status: StatusDamaged, err: sink.damage}
	}
	return nil
}

// liveSink makes intervals. Of damage it tells at the end.
type liveSink struct {
	runSink
	damage error
}

// Damage implements meter.Sink.
func (s *liveSink) Damage(err error) { s.damage = fmt.Errorf("%w%s", err, hint(err)) }
