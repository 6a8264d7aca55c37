package cmd

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"
)

// check finds options and traces that do not fit each other.
func (o *runOptions) check(cmd *cobra.Command) error {
	names := o.traces.names()
	if err := o.traces.check(o.capture.isRecords()); err != nil {
		return err
	}
	if err := o.capture.check(cmd, names); err != nil {
		return err
	}
	switch {
	case len(names) == 0 && !o.capture.isLive():
		return errors.New(`no TRACE given ("-" is standard input); "rtfm run --help" tells more`)
	}
	if err := o.sample.check(cmd, o.capture.isRecords() || o.traces.hasRecords()); err != nil {
		return err
	}
	if o.sample.schedule.Windows > 0 && !cmd.Flags().Changed("inactivity-timeout") {
		o.inactivity = windowInactivity
	}
	if err := o.interval.check(o.sample.schedule.Windows > 0); err != nil {
		return err
	}
	if err := o.form.check(); err != nil {
		return err
	}
	if err := o.checkTop(cmd); err != nil {
		return err
	}
	if err := o.series.check(cmd, o.output); err != nil {
		return err
	}
	if err := o.exports.check(cmd, o.output); err != nil {
		return err
	}
	if err := o.metrics.check(cmd); err != nil {
		return err
	}
	if o.metrics.ruleSet != "" && !o.isSeveral() {
		return errors.New("--metrics-ruleset needs -T: it tells what each collection adds")
	}
	if err := o.feed.check(cmd, o.capture.isRecords() || o.traces.hasRecords()); err != nil {
		return err
	}
	if err := o.feed.checkFile(cmp.Or(o.output, "-"), o.series.file); err != nil {
		return err
	}
	if err := o.store.check(cmd, &o.capture, o.capture.isRecords() || o.traces.hasRecords()); err != nil {
		return err
	}
	return readOnce(o.inputs()...)
}

// windowInactivity is how long flows may be idle in windows, unless that is given, in
// seconds: as long as in routers' caches, since minutes are more than most windows have.
const windowInactivity = 15

// isSeveral reports whether there may be several collections: of intervals, or of windows.
func (o *runOptions) isSeveral() bool { return o.interval.length > 0 || o.sample.schedule.Windows > 0 }
