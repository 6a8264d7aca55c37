package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter"
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
	if l.meter, err = meter.New(config); err != nil {
		return err
	}
	warn := func(string) {} // what is to be told stands in the view
	if l.trace == "" {
		if l.source, err = o.capture.open(ctx, o.traces.exporters, warn); err != nil {
			return err
		}
		l.source = o.traces.steady(l.source, warn)
		return nil
	}
	files := (&traceOptions{sequence: []string{l.trace}, exporters: o.traces.exporters}).open(nil)
	if err := files.OpenFiles(); err != nil {
		return &exitError{status: StatusDamaged, err: fmt.Errorf("%w%s", err, hint(err))}
	}
	l.source = o.capture.dedup.filter(o.traces.plausible(withInterrupt(ctx, files, []string{l.trace}), warn))
	if o.pace {
		l.source = &paced{Source: l.source, ctx: ctx}
	}
	return nil
}

// run implements liveSource.
func (l *liveMeter) run(ctx context.Context, to *live.History) error {
	defer l.source.Close()
	sink := &runSink{
		meter: metered{l.meter}, process: record.Process{Differences: true}, to: l.options.sink(to), name: l.name(),
		errors: told{to}, ruleSets: running(l.meter, l.rules),
	}
	err := l.meter.Run(context.WithoutCancel(ctx), l.source, sink)
	if err == nil && sink.disorder != nil {
		err = sink.disorder
	}
	return err
}

// told tells of what goes wrong in the view.
type told struct{ to *live.History }

// Write implements io.Writer; b is a line for people.
func (t told) Write(b []byte) (int, error) {
	text := strings.TrimPrefix(strings.TrimSpace(string(b)), "rtfm: ")
	t.to.Tell(live.Status{State: live.Running, Text: text, Since: time.Now().UnixNano()})
	return len(b), nil
}
