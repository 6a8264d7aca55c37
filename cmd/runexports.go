package cmd

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/ruleset"
)

// exporting calls do with a sink that gives collections to the one that to returns, unless
// there is no flow data file because they are exported, and to the spool. It sends what
// was not sent yet when that has ended.
func (o *runOptions) exporting(cmd *cobra.Command, to func() record.Sink, do func(to record.Sink) error) error {
	if !o.exports.wanted() {
		return do(to())
	}
	stderr := cmd.ErrOrStderr()
	var one sync.Mutex // at a time
	x, err := o.exports.open(func(place string, n export.Notice) {
		one.Lock()
		defer one.Unlock()
		printNotice(stderr, place, n)
	})
	if err != nil {
		return err
	}
	o.metrics.exports = x.Exports
	sink := x.sink(o.header())
	if o.output != "" {
		sink.Beside = to()
	}
	err = do(sink)
	ctx := cmd.Context()
	if o.capture.isLive() {
		defer finishing(ctx)() // a signal has ended it, as is usual
		ctx = context.WithoutCancel(ctx)
	}
	unsent := x.finish(ctx)
	if !o.quiet || unsent != nil {
		x.printSent(stderr)
	}
	if err == nil {
		return unsent
	}
	if unsent != nil {
		fmt.Fprintf(stderr, "rtfm: %v\n", unsent)
	}
	return err
}

// newRunSink returns what takes what a meter of these rulesets has, with its feed, and
// gives its collections to another sink.
func (o *runOptions) newRunSink(cmd *cobra.Command, m *meter.Meter, rules []*ruleset.RuleSet, f *feeding, to record.Sink) *runSink {
	s := &runSink{
		meter: metered{m, f, o.sample.rate()}, feed: f, process: record.Process{Differences: record.WantsDifferences(to)},
		to: to, name: o.meterName(), errors: cmd.ErrOrStderr(), windows: o.sample.schedule.Windows > 0,
	}
	if x, ok := to.(*export.Sink); ok {
		s.process.Fails = true
		s.room = &spoolRoom{spool: x.Spool, grace: seconds(o.exports.grace), live: o.capture.isLive(), errors: s.errors}
	}
	if o.metrics.on() {
		s.watched = o.metrics.collected(s.name)
		s.process.Differences = s.process.Differences || s.watched.Differences()
	}
	if o.form.form(o.output) != formNeMaC || s.room != nil || s.watched != nil {
		s.ruleSets = running(m, rules)
	}
	return s
}

// printNotice tells of an export that fails, or is well again.
func printNotice(w io.Writer, place string, n export.Notice) {
	switch {
	case n.Note != "":
		fmt.Fprintf(w, "rtfm: note: %s: %s\n", place, n.Note)
	case n.Err == nil:
		fmt.Fprintf(w, "rtfm: %s: goes on; %d collections wait\n", place, n.Waiting)
	case n.Stopped:
		fmt.Fprintf(w, "rtfm: %s: stopped: %v\n", place, n.Err)
	default:
		fmt.Fprintf(w, "rtfm: %s: %v; %d collections wait\n", place, n.Err, n.Waiting)
	}
}
