package cmd

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// flowsDiffOptions are the options of `rtfm flows diff`.
type flowsDiffOptions struct {
	flowsTopOptions
	at string
}

const flowsDiffHelp = `Show what has grown, by KEYS as ` + "`rtfm flows top --help`" + ` tells: what was counted
before, after, and the difference, the largest first.

BEFORE and AFTER are flow data files. With --at there may be any number of them: the
collections that end at TIME or earlier are before, the others after.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or a
collection incomplete (what was whole is in the result), 130 after a signal.`

func flowsDiffCommand() *cobra.Command {
	var o flowsDiffOptions
	cmd := &cobra.Command{
		Use:   "diff --by KEYS [--at TIME] [EXPR] {BEFORE AFTER | FILE...}",
		Short: "Show what has grown between two times",
		Long:  flowsDiffHelp,
		Example: `  rtfm flows diff --by Host monday.flows tuesday.flows
  rtfm flows diff --by DestTransAddress --at 2026-11-21T09:15:30Z all.flows`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.at, "at", "", "compare what was before and after this `TIME`")
	group(f, groupInput, "at")
	return cmd
}

// twoTimes is a record.Sink that passes collections on by when they end.
type twoTimes struct {
	*query.Diff
	at  int64 // before is what ends at this time or earlier
	now *query.Top
}

// Begin implements record.Sink.
func (s *twoTimes) Begin(c *record.Collection) error {
	if s.now = s.After; c.To <= s.at {
		s.now = s.Before
	}
	return s.now.Begin(c)
}

// Flow implements record.Sink.
func (s *twoTimes) Flow(f *match.Flow, counted *record.Counters) error { return s.now.Flow(f, counted) }

// End implements record.Sink.
func (s *twoTimes) End(sum *record.Summary) error { return s.now.End(sum) }

// read reads what is compared.
func (o *flowsDiffOptions) read(cmd *cobra.Command, in *flowsReading, diff *query.Diff) error {
	if err := in.check(); err != nil {
		return err
	}
	if o.at != "" {
		at, err := query.ParseTime(o.at)
		if err != nil {
			return fmt.Errorf("--at: %w", err)
		}
		return in.read(cmd.Context(), &twoTimes{Diff: diff, at: at}, cmd.ErrOrStderr())
	}
	names := in.names
	in.names = names[:1]
	before := in.read(cmd.Context(), diff.Before, cmd.ErrOrStderr())
	if d := new(damage); before != nil && !errors.As(before, &d) {
		return before
	}
	in.names = names[1:]
	return cmp.Or(in.read(cmd.Context(), diff.After, cmd.ErrOrStderr()), before)
}

func (o *flowsDiffOptions) run(cmd *cobra.Command, args []string) error {
	opts, in, err := o.reading(cmd, args)
	switch {
	case err != nil:
		return err
	case opts.By == nil:
		return errors.New("no --by given, such as --by Host")
	case o.at == "" && len(in.names) != 2:
		return fmt.Errorf("%d files given, want two: BEFORE and AFTER, or any number with --at TIME", len(in.names))
	}
	diff := query.NewDiff(opts)
	err = o.read(cmd, in, diff)
	if d := new(damage); err != nil && !errors.As(err, &d) {
		return err
	}
	return o.print(cmd, diff.Tables(), diff.Notes(), err)
}
