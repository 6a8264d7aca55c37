package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"rtfm/traces/format"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// storeGetOptions are the options of `rtfm store get`.
type storeGetOptions struct {
	period  storePeriod
	filter  filterOptions
	origin  originOptions
	output  string
	headers bool
	most    size
	quiet   bool
}

const storeGetHelp = `Write packets of a store to a trace: those of a time that pass a filter. A trace, FILE,
is read like a store; with an index, by rtfm store index, only chunks that may have some.

FILTER has tcpdump's words ('host 10.0.0.1 and tcp') or is an expression of SRL, as
for rtfm run. The trace has the format of its suffix, as for rtfm trace convert;
"-" is standard output, pcapng. A store that is being written may be read.

With --flows they are those of flows: they have what a flow has saved, in a direction
in which it has counted, and came between its first and its last packet. FILE is flow
data, rows of "rtfm flows top --json", or what "rtfm top --json" prints. What a ruleset
tests or makes up, but packets do not have, only -r RULES tells: that alone finds all
packets that the ruleset counts, with --flows those that it counts in these flows.

TIMEs are 2026-11-21T09:13:25.5Z, or seconds since 1970, or + and seconds (or 5m,
1h30m) after the first packet of the store.

It ends with a verdict: that the time is complete, or what was lost or not stored in
it, or near it.

After a signal TRACE.part has what was found until then, and TRACE is as it was.

Exit status: 0 if the time is complete, 1 for wrong usage, 2 if a chunk was damaged
(what else there is was written), 4 if packets are missing, 130 if a signal ended
it.`

func storeGetCommand() *cobra.Command {
	var o storeGetOptions
	cmd := &cobra.Command{
		Use:   "get FOLDER|FILE [FILTER]",
		Short: "Write packets of a time, or of flows, to a trace",
		Long:  storeGetHelp,
		Example: `  rtfm store get packets --from 2026-11-30T20:15:00Z -w late.pcapng
  rtfm store get packets 'host 10.0.0.1 and port 53' | tshark -r -
  rtfm flows filter 'Octets > 1M' a.json | rtfm store get packets --flows -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`no FOLDER or FILE given; "rtfm store get --help" tells more`)
			}
			o.filter.text = strings.Join(args[1:], " ")
			return o.run(cmd, args[0])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(timeLimit{&o.period.from}, "from", "leave out packets before this `TIME`")
	f.Var(timeLimit{&o.period.to}, "to", "leave out packets at this `TIME` and later")
	group(f, groupInput, "from", "to")
	o.origin.add(cmd)
	f.StringVarP(&o.output, "write", "w", "-", "write to this `TRACE`")
	f.BoolVar(&o.headers, "headers", false, "write only headers; of the link, of IP and of TCP, UDP and the like")
	f.Var(&o.most, "max", "end before there are more than so many `OCTETS`; of packets, as 64MiB")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no verdict; the exit status has it")
	group(f, groupOutput, "write", "headers", "max", "quiet")
	return cmd
}

func (o *storeGetOptions) run(cmd *cobra.Command, dir string) error {
	if f, ok := cmd.OutOrStdout().(*os.File); ok && o.output == "-" && term.IsTerminal(int(f.Fd())) {
		return errors.New("packets are not for a terminal: want -w TRACE, or a pipe to tcpdump -r - or tshark -r -")
	}
	if _, err := o.filter.take(nil, false, io.Discard); err != nil {
		return err
	}
	if err := o.origin.read(cmd); err != nil {
		return err
	}
	fetch := fetch{
		pass: both(o.origin.passing(), o.filter.passing(&o.origin.tunnels)), most: int64(o.most),
		tell: func(damage error) { cmd.PrintErrf("rtfm: %v\n", damage) },
	}
	if o.headers {
		fetch.keep = headersOf
	}
	q, err := o.query(dir)
	if err != nil {
		return err
	}
	src, err := o.open(cmd, dir, q)
	if err != nil {
		return err
	}
	defer src.Close()
	out, err := format.Create(o.output, 0)
	if err != nil {
		return err
	}
	defer out.Abort()
	ctx := cmd.Context()
	defer finishing(ctx)()
	if err := fetch.run(ctx, out.Writer, src); err != nil {
		return err
	}
	name := o.output
	if ctx.Err() == nil {
		err = out.Commit()
	} else {
		name, err = out.CommitPart()
	}
	if err != nil {
		return err
	}
	if !o.quiet {
		cmd.PrintErrf("%s\n", fetch.verdict())
	}
	if ctx.Err() != nil {
		return &exitError{status: StatusInterrupted, err: fmt.Errorf("interrupted: %s ends here, the store may not", name)}
	}
	if status := fetch.status(); status != 0 {
		return &exitError{status: status}
	}
	return nil
}
