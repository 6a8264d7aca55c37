package cmd

import (
	"context"
	"errors"
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
has other programs than @conversations count, FILTER leaves packets out, as in
"rtfm run". A HOST is a meter that is read over SNMP, and only read; a FILE is flow
data, which may grow; a TRACE is metered, with --pace as it came.

Each interval shows the flows that counted most in it, the sum of the others, and of
all; what was lost or not counted stands above, always. Keys change the order (s),
show sums instead of rates (r), show some flows only (/), stop the screen (space),
hold rows where they are (h), show numbers for names (n), choose columns (c), write
packets of a flow to a file (p, with --packets) and end it (q); ? tells them. Of each ruleset the 500 flows with the most octets are kept.

Where standard output is no terminal, or a dumb one, a plain table of each interval is
printed; with --json a line, an object of all that the interval shows. --once ends
behind one: at interfaces and with --pace the first whole one, of a HOST the first
since it is looked at, of a FILE the latest, of a TRACE all of it.

Exit status: 0; 1 for wrong usage, 2 if a trace or flow data was damaged (what is
whole has been shown), 4 if the numbers do not add up.`

// topCommandOptions are the options of `rtfm top`.
type topCommandOptions struct {
	live    liveOptions
	packets packetOptions
	json    bool
	rows    int
	sort    string

	printed bool // a table was
}

func topCommand() *cobra.Command {
	var o topCommandOptions
	cmd := &cobra.Command{
		Use:   "top [-r RULES]... [-T SECONDS] {-i INTERFACE | HOST | FILE | TRACE} [FILTER]",
		Short: "Show on the terminal what counts most",
		Long:  topHelp,
		Example: `  rtfm top -i eth0
  rtfm top -i eth0 -r @dns -T 5
  rtfm top --community-file secret gateway:1161
  rtfm top --json --pace trace.pcap port 53
  rtfm top --once trace.pcap`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.live.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.live.once, "once", false, "print one interval, and end; the latest of a FILE, all of a TRACE, else the first whole one")
	f.BoolVar(&o.json, "json", false, "print an object of JSON for each interval; a line each")
	f.VarP(newCount(&o.rows, 0, 0, live.MostRows, "a number of rows or 0,"), "rows", "n", "show `N` rows at most; else 20, on a screen as many as there is room for")
	f.Var(newChoice(&o.sort, live.Rate, live.Sorts...), "sort", "put the rows with the most of this `SUM` first")
	group(f, groupOutput, "once", "json")
	o.packets.add(f, "have the key p write packets of a flow to a file, out")
	group(f, groupInput)
	return cmd
}

func (o *topCommandOptions) run(cmd *cobra.Command, args []string) error {
	if o.live.once && cmd.Flags().Changed("intervals") {
		return errors.New("either --once or -N, not both")
	}
	if err := o.packets.check(); err != nil {
		return err
	}
	sources, err := o.live.sources(cmd, args)
	if err != nil {
		return err
	}
	if len(sources) > 1 {
		return fmt.Errorf("%s: one source at a time; rtfm view shows several", sources[1].name())
	}
	source := sources[0]
	if _, trace := source.(*liveMeter); trace && o.live.once && source.waits() && cmd.Flags().Changed("interval") {
		return fmt.Errorf("-T %v: with --once a trace is one interval, unless it is played with --pace", o.live.interval)
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	if err := source.open(ctx); err != nil {
		return err
	}
	if err := o.live.capture.giveUpRights("", nil); err != nil {
		return err
	}
	return o.show(ctx, cancel, cmd, source)
}

// show shows a source that is open until it ends and, on a screen, a key is pressed.
func (o *topCommandOptions) show(ctx context.Context, cancel func(), cmd *cobra.Command, source liveSource) error {
	w := cmd.OutOrStdout()
	file, _ := w.(*os.File)
	onScreen := !o.live.once && !o.json && file != nil && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	h := live.NewHistory()
	if !onScreen && source.waits() {
		h.Lossless(ctx)
	}
	ended := make(chan error, 1)
	go func() { ended <- follow(ctx, source, h) }()
	var err error
	if onScreen {
		err = screen.Run(ctx, o.model(ctx, source), h)
	} else {
		err = o.plain(ctx, w, cmd.ErrOrStderr(), h)
	}
	cancel()
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}

// model returns what the screen shows.
func (o *topCommandOptions) model(ctx context.Context, source liveSource) *screen.Model {
	return &screen.Model{
		Name: source.name(), Now: time.Now, Rows: o.rows, Look: live.Look{Sort: o.sort},
		Numeric: o.live.numeric, SetNumeric: o.live.switchNumeric,
		Filter: o.live.filterText, GetPackets: o.packets.writing(ctx, o.live.capture.tunnels),
		SetFilter: func(text string) error {
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
