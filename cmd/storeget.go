package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"rtfm/traces/format"

	"github.com/spf13/cobra"

	"rtfm/traces/store"
)

// storeGetOptions are the options of `rtfm store get`.
type storeGetOptions struct {
	period  storePeriod
	filter  filterOptions
	output  string
	headers bool
	quiet   bool
}

const storeGetHelp = `Write packets of a store to a trace: those of a time that pass a filter.

FILTER has tcpdump's words ('host 10.0.0.1 and tcp') or is an expression of SRL, as
for rtfm run. The trace has the format of its suffix, as for rtfm trace convert;
"-" is standard output, pcapng. A store that is being written may be read.

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
		Use:   "get FOLDER [FILTER]",
		Short: "Write packets of a time to a trace",
		Long:  storeGetHelp,
		Example: `  rtfm store get packets --from 2026-11-30T20:15:00Z --to 2026-11-30T20:16:00Z -w minute.pcapng
  rtfm store get packets 'host 10.0.0.1 and port 53' | tshark -r -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`no FOLDER given; "rtfm store get --help" tells more`)
			}
			o.filter.text = strings.Join(args[1:], " ")
			return o.run(cmd, args[0])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(timeLimit{&o.period.from}, "from", "leave out packets before this `TIME`")
	f.Var(timeLimit{&o.period.to}, "to", "leave out packets at this `TIME` and later")
	f.StringVarP(&o.output, "write", "w", "-", "write to this `TRACE`")
	f.BoolVar(&o.headers, "headers", false, "write only headers: of the link, of IP and of TCP, UDP and the like")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no verdict; the exit status has it")
	return cmd
}

func (o *storeGetOptions) run(cmd *cobra.Command, dir string) error {
	if _, err := o.filter.take(nil, false, io.Discard); err != nil {
		return err
	}
	c := format.Conversion{Pass: o.filter.passing()}
	if o.headers {
		c.Keep = headersOf
	}
	src, err := o.period.open(dir)
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
	var damage error
	var done format.Converted
	for { // damage in a chunk ends only that
		part, err := format.Convert(ctx, out.Writer, src, c)
		if err != nil {
			return err
		}
		done.Packets += part.Packets
		if part.Damage == nil || ctx.Err() != nil {
			break
		}
		damage = part.Damage
		cmd.PrintErrf("rtfm: %v\n", damage)
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
	covered := src.Covered()
	if !o.quiet {
		cmd.PrintErrf("%s\n", verdict(done.Packets, &covered))
	}
	switch {
	case ctx.Err() != nil:
		return &exitError{status: StatusInterrupted, err: fmt.Errorf("interrupted: %s ends here, the store may not", name)}
	case damage != nil:
		return &exitError{status: StatusDamaged}
	case !covered.Complete():
		return &exitError{status: StatusMissing}
	}
	return nil
}

// verdict tells what was found, and whether that is all.
func verdict(found uint64, c *store.Covered) string {
	text := fmt.Sprintf("%s, of %s", packets(found), counted(uint64(c.Chunks), "chunk"))
	if c.Cut > 0 {
		text += fmt.Sprintf(" with %s of headers only, by the cutoff", packets(c.Cut))
	}
	if c.Complete() {
		return text + "; complete: nothing was lost or left out in the time that the store has of it"
	}
	var lost, unstored uint64
	for _, l := range c.Losses {
		lost, unstored = lost+l.Lost, unstored+l.Unstored
	}
	text += fmt.Sprintf("; not complete: in the time or near it %d were lost, %d not stored", lost, unstored)
	if c.Damaged > 0 {
		text += fmt.Sprintf(", %d chunks are damaged", c.Damaged)
	}
	return text
}
