package cmd

import (
	"errors"
	"math"
	"time"

	"github.com/spf13/cobra"
)

// intervalOptions say when collections are made.
type intervalOptions struct {
	length float64 // seconds, 0 for one collection at the end
	count  int     // 0 for all
	align  string  // "" for what suits the form
}

// add adds the options to a command.
func (o *intervalOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.VarP(newSeconds(&o.length, 0, 1e-6, maxSeconds), "interval", "T", "make a collection every so many `SECONDS`; by the packets' clock (default one collection, at the end)")
	f.VarP(newCount(&o.count, 0, 0, math.MaxInt32, "a number of collections or 0 for all,"), "intervals", "N", "stop after so many collections (default all)")
	f.Var(newChoice(&o.align, "", "utc", "local", "none"), "align", "end intervals by the clock: with -T 1h on the hour, with -T 1d at midnight, of utc or local time,\nso that the first and the last one are shorter; none has them begin with the first packet\n(default utc; none for NeMaC's text, and for JSON of traces)")
	group(f, groupOutput, "interval", "intervals")
}

// check finds options that do not fit each other, or a schedule.
func (o *intervalOptions) check(scheduled bool) error {
	switch {
	case scheduled && o.length > 0:
		return errors.New("either -T, intervals of time, or --schedule, whose windows are the intervals, not both")
	case o.count > 0 && o.length == 0 && !scheduled:
		return errors.New("-N needs -T, the length of an interval")
	case o.align != "" && o.length == 0:
		return errors.New("--align needs -T, the length of an interval")
	}
	return nil
}

// place returns whose clock intervals end by in a form, nil for none.
func (o *intervalOptions) place(f form, live bool) *time.Location {
	switch {
	case o.align == "local":
		return time.Local
	case o.align == "utc", o.align == "" && (f == formTable || f == formCSV || f == formJSON && live):
		return time.UTC
	}
	return nil
}
