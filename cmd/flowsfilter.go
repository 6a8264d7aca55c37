package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/flowfile"
	"rtfm/reader/query"
	"rtfm/ruleset"
	"rtfm/traces/format"
)

// flowsFilterOptions are the options of `rtfm flows filter`.
type flowsFilterOptions struct {
	from, to format.Limit
	total    bool
	rates    bool
	format   *ruleset.Format
}

const flowsFilterHelp = `Write the flow records of which EXPR is true, in the form that they have, with all
that stands between them: the result is flow data, for other commands of flows too.

EXPR is an expression as SRL has it behind IF, about flow records: attributes that
the flows have saved, with names, masks, lists and ranges, &&, ||, ! and ( ); and

  Octets PDUs            what the interval added, of both directions
  ToOctets FromOctets    and of one; so for PDUs
  Rate ToRate FromRate   bits a second over the interval
  Duration               from the flow's first packet to its last
  FirstTime LastActiveTime IntervalStart IntervalEnd
  Host Port              that of either end
  FlowIndex FlowRuleSet Meter
  ToResets ToSizeStats.mean FlowID ...
                         statistics that count, parts of others (n, sum, min, max,
                         mean, sd; of TCPFlags fin, syn, ...) and identifiers

Numbers may have units: 100k, 1.5M, 2Gi; 10Mbit/s; 90, 5m, 1h30m. Times are written
2026-11-21T09:14:25Z. == and != take lists and ranges, < <= > >= take one value:

  DestTransAddress == (www, https) && Octets > 100k
  Host == 192.0.2/24 && ! SourceTransType == udp || Rate >= 1.5Mbit/s
  ToRetransmittedPDUs > 10 && ToGapStats.mean < 5ms
  SourceTransAddress == 1024..65535 && FirstTime >= 2026-11-21T09:14:25Z

A flow that does not have a statistic, or no value of it, passes no test of it.

An EXPR about what flows have counted may be true of some records of a flow only.
Then text gets columns for what its intervals added, where it has none: the counters
of records that are left out could not be subtracted any longer.

TIMEs are as in rtfm trace convert; a collection is in between if its interval ends
after the one, and at the other or earlier.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or a
collection incomplete (no part of it is written), 130 after a signal.`

func flowsFilterCommand() *cobra.Command {
	var o flowsFilterOptions
	cmd := &cobra.Command{
		Use:   "filter EXPR FILE...",
		Short: "Write the flow records that are wanted",
		Long:  flowsFilterHelp,
		Example: `  rtfm flows filter 'Port == www && Octets > 100k' all.flows >web.flows
  rtfm flows filter 'Host == 192.0.2/24' all.flows | rtfm flows top --by Host -`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(timeLimit{&o.from}, "from", "leave out what ends at this `TIME`; or earlier: collections")
	f.Var(timeLimit{&o.to}, "to", "leave out what ends after this `TIME`; collections")
	f.BoolVar(&o.total, "total", false, "take what flows have counted altogether; not what intervals added")
	f.BoolVar(&o.rates, "rates", false, "add columns of rates; for text")
	f.Var(columns{&o.format}, "format", "the `ATTRIBUTES` of text; as a FORMAT statement names them (default those of the FILE)")
	group(f, groupInput, "from", "to", "total")
	group(f, groupOutput, "rates", "format")
	return cmd
}

func (o *flowsFilterOptions) run(cmd *cobra.Command, args []string) error {
	switch _, err := os.Stat(strings.Join(args[:min(len(args), 1)], "")); {
	case len(args) == 1 && err == nil:
		return fmt.Errorf("no EXPR given before the file %s, such as 'DestTransAddress == www && Octets > 100k'", args[0])
	case len(args) == 0:
		return errors.New("no EXPR given, such as 'DestTransAddress == www && Octets > 100k'")
	}
	expr, err := query.Parse("filter", args[0])
	if err != nil {
		return err
	}
	in := flowsReading{names: args[1:], wanted: query.Attributes(nil, expr), total: o.total, filter: expr, stdin: cmd.InOrStdin()}
	if err := in.check(); err != nil {
		return err
	}
	if err := notRead(statOf(cmd.OutOrStdout()), "standard output", in.names, in.stdin); err != nil {
		return err
	}
	w := &flowsFilter{flowsFilterOptions: o, expr: expr, in: &in, out: cmd.OutOrStdout()}
	w.conv.W = &w.whole
	w.conv.Version = flowfile.Release(version())
	defer w.held.close()
	err = in.each(cmd.Context(), cmd.ErrOrStderr(), w.collection)
	var d *damage
	if errors.As(err, &d) {
		if err := w.release(); err != nil {
			return err
		}
	}
	if w.unknown > 0 {
		cmd.PrintErrf("rtfm: %s\n", query.UnknownNote(w.unknown))
	}
	return flowsStatus(err)
}
