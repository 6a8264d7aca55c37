package cmd

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
)

const flowsCheckHelp = `Check flow data files: that they can be read to their end, that each collection is
complete and has as many flow records as it says, that intervals of a meter's run
follow each other, that for each ruleset packets = counted + ignored + unmatched +
stopped + uncounted, and that no flow has counted more in an interval than altogether.

Exit status: 0 if all is well, 1 for wrong usage, 2 if something is wrong, 130 after a
signal.`

func flowsCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Check whether flow data files are whole",
		Long:    flowsCheckHelp,
		Example: `  rtfm flows check *.flows`,
		RunE: func(cmd *cobra.Command, names []string) error {
			return eachFlowFile(cmd, names, func(in *flowFiles) error { return in.check(cmd) })
		},
	}
}

// mostFaults is how many faults of a file are told.
const mostFaults = 20

// check checks the file.
func (f *flowFiles) check(cmd *cobra.Command) error {
	faults := 0
	check := flowfile.Check{Fault: func(n uint64, end time.Time, err error) {
		if faults++; faults <= mostFaults {
			f.tell(f.names[0], fmt.Errorf("collection %d, until %s: %w", n, utc(end.UnixNano()), err))
		}
	}}
	err := f.each(cmd.Context(), func(_ *flowFile, from record.From) error {
		_, err := record.Copy(&check, from)
		return err
	})
	switch {
	case err != nil || errors.Is(f.damage, flowfile.ErrSeries):
		return err
	case faults > mostFaults:
		f.tell(f.names[0], fmt.Errorf("%d more faults", faults-mostFaults))
	case f.damage == nil && check.Collections == 0:
		f.tell(f.names[0], flowfile.ErrNothing)
	}
	verdict := "whole"
	if f.damage != nil {
		verdict = "not whole"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s: %d complete collections, %d flow records\n", f.names[0], verdict, check.Collections, check.Flows)
	return nil
}
