package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rtfm/traces/format"

	"rtfm/traces/survey"

	"github.com/spf13/cobra"

	"rtfm/traces/netflow"
)

// traceInfoOptions are the options of `rtfm trace info`.
type traceInfoOptions struct {
	json bool
	gap  float64 // seconds
}

const traceInfoHelp = `Tell what traces hold: format and compression, packets and octets, times and
gaps between them, order, losses, and the traffic of each interface.

FILEs are traces of any format that ` + "`rtfm trace --help`" + ` tells of. With
"netflow:" before the name only packets count that hold export datagrams of
NetFlow 5 and 9 or IPFIX, and what these bring is told: the exporters, their
records, and what is missing by sequence numbers or for want of a template.
With --json there is an object a line for each file, of the same numbers; times
are nanoseconds, since 1970 or long.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or
no trace (what stands before the damage is told), 130 if a signal ended it.`

func traceInfoCommand() *cobra.Command {
	var o traceInfoOptions
	cmd := &cobra.Command{
		Use:   "info FILE...",
		Short: "Tell what traces hold",
		Long:  traceInfoHelp,
		RunE:  func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.json, "json", false, "write a JSON object a line for each file")
	f.Var(newSeconds(&o.gap, 10, 0, maxSeconds), "gap", "count a gap where no packet comes for so many `SECONDS`")
	return cmd
}

func (o *traceInfoOptions) run(cmd *cobra.Command, names []string) error {
	if len(names) == 0 {
		return errors.New(`no FILE given ("-" is standard input); "rtfm trace info --help" tells more`)
	}
	for _, name := range names {
		if strings.HasPrefix(name, netflowScheme) {
			return fmt.Errorf("%s: an address, no trace: flow records that arrive are metered by -i of rtfm run and rtfm meter", name)
		}
	}
	damaged := false
	for _, name := range names {
		info := o.info(cmd.Context(), name)
		if cmd.Context().Err() != nil {
			return &exitError{status: StatusInterrupted, err: errors.New("interrupted")}
		}
		if info.Damage != nil {
			damaged = true
			cmd.PrintErrf("rtfm: %v\n", info.Damage)
		}
		write := info.WriteText
		if o.json {
			write = info.WriteJSON
		}
		if err := write(cmd.OutOrStdout(), name); err != nil {
			return err
		}
	}
	if damaged {
		return &exitError{status: StatusDamaged}
	}
	return nil
}

// info tells what the trace of this name holds.
func (o *traceInfoOptions) info(ctx context.Context, name string) *survey.Info {
	path, exports := strings.CutPrefix(name, netflowPrefix)
	src, err := format.Open(path)
	if err != nil {
		return &survey.Info{Traffic: []survey.Traffic{}, Damage: err}
	}
	src = withInterrupt(ctx, src, []string{name})
	defer src.Close()
	if exports {
		return netflow.NewInfo(ctx, src, datagram, seconds(o.gap))
	}
	return survey.NewInfo(ctx, src, seconds(o.gap))
}
