package cmd

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rtfm/reader/live"
	"rtfm/reader/query"
	"rtfm/reader/screen"
)

const topHelp = `Show on the terminal what counts most now.

With -i it meters interfaces itself, every second, without any configuration; -r
has other programs than @conversations count. A HOST is a meter that is read over
SNMP, and only read; a FILE is flow data, which may grow; a TRACE is metered, with
--pace as it came.

Each interval shows the flows that counted most in it, the sum of the others, and of
all; what was lost or not counted stands above, always. Keys change the order (s),
show sums instead of rates (r), show some flows only (/), stop the screen (space),
hold rows where they are (h), show numbers for names (n), leave columns out (c) and
end it (q); ? tells them.

Where standard output is no terminal, and with --once, a plain table of each interval
is printed; with --json a line, an object of all that the interval shows.`

// topCommandOptions are the options of `rtfm top`.
type topCommandOptions struct {
	live liveOptions
	once bool
	json bool
	rows int
	sort string
}

func topCommand() *cobra.Command {
	var o topCommandOptions
	cmd := &cobra.Command{
		Use:   "top [-r RULES]... [-T SECONDS] {-i INTERFACE | HOST | FILE | TRACE}",
		Short: "Show on the terminal what counts most",
		Long:  topHelp,
		Example: `  rtfm top -i eth0
  rtfm top -i eth0 -r @dns -T 5
  rtfm top gateway:1161
  rtfm top --once trace.pcap`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.live.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.once, "once", false, "print a table of the first whole interval, and end; of a trace without --pace, of all of it")
	f.BoolVar(&o.json, "json", false, "print an object of JSON for each interval; a line each")
	f.VarP(newCount(&o.rows, mostRows, 1, live.MostRows, "a number of rows"), "rows", "n", "print `N` rows; where there is no screen")
	f.Var(newChoice(&o.sort, live.Rate, live.Sorts...), "sort", "put the rows with the most of this `SUM` first")
	group(f, groupOutput, "once", "json", "rows", "sort")
	return cmd
}

func (o *topCommandOptions) run(cmd *cobra.Command, args []string) error {
	sources, err := o.live.sources(cmd, args)
	if err != nil {
		return err
	}
	if len(sources) > 1 {
		return fmt.Errorf("%s: one source at a time; rtfm view shows several", args[1])
	}
	source := sources[0]
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	if err := source.open(ctx); err != nil {
		return err
	}
	if err := o.live.capture.giveUpRights("", nil); err != nil {
		return err
	}
	h := live.NewHistory()
	ended := make(chan error, 1)
	go func() {
		err := source.run(ctx, h)
		status := live.Status{State: live.Ended, Since: time.Now().UnixNano()}
		if err != nil {
			status.Text = err.Error()
		}
		h.Tell(status)
		ended <- err
	}()
	if out, ok := cmd.OutOrStdout().(*os.File); ok && !o.once && !o.json && term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb" {
		err := screen.Run(ctx, o.model(source), h)
		cancel()
		<-ended
		return err
	}
	return o.plain(ctx, cancel, cmd.OutOrStdout(), h, ended)
}

// model returns what the screen shows.
func (o *topCommandOptions) model(source liveSource) *screen.Model {
	return &screen.Model{
		Name: source.name(), Now: time.Now, Numeric: o.live.switchNumeric,
		Filter: func(text string) error {
			if text == "" {
				o.live.switchFilter(nil)
				return nil
			}
			e, err := query.Parse("filter", text)
			if err == nil {
				o.live.switchFilter(e)
			}
			return err
		},
	}
}
