package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
	"rtfm/ruleset/explain"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/format"
)

// srlDiffOptions are the options of `rtfm srl diff`.
type srlDiffOptions struct {
	programs *programOptions
	most     int
	json     bool
}

// srlDiffCommand is `rtfm srl diff`.
func srlDiffCommand(programs *programOptions) *cobra.Command {
	o := srlDiffOptions{programs: programs}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW TRACE...",
		Short: "Compare two programs: which traffic changes its flow",
		Long: `Compare two programs, or rule files: which packets of the traces are counted in
another flow, the other way, or no longer or now at all. What was saved of a flow
is what it is known by, so each change of what is saved changes all of its packets.
They are shown by what became of them with OLD (-) and with NEW (+), those of the
most octets first, with the first packet of each.

Exit status: 0 if nothing changes, 1 if something does or a program is faulty, 2 if a
trace was damaged (what could be read was compared), 130 after a signal.`,
		Example: `  rtfm srl diff services.srl new.srl trace.pcap
  rtfm srl diff @services services.srl *.pcap.gz`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.VarP(givenFlag{&programs.Given}, "define", "D", "`NAME=TEXT` replaces what programs DEFINE; may be repeated")
	f.Var(newCount(&o.most, 20, 1, math.MaxInt32, "a number of changes"), "most", "show so many changes at most")
	f.BoolVar(&o.json, "json", false, "write a JSON object a line for each change")
	return cmd
}

func (o *srlDiffOptions) run(cmd *cobra.Command, args []string) error {
	if len(args) < 3 {
		return errors.New(`want two programs and a TRACE; "rtfm srl diff --help" tells more`)
	}
	if err := readOnce(args...); err != nil {
		return err
	}
	var sides [2]*ruleset.RuleSet
	for i := range sides {
		var err error
		if sides[i], err = o.programs.load(program{name: args[i]}, cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	o.programs.warnUnused(cmd.ErrOrStderr())
	c, err := explain.Compare(sides[0], sides[1])
	if err != nil {
		return err
	}
	names := args[2:]
	sequence := format.OpenSequence(names, func(message string) { cmd.PrintErrln("rtfm:", message) })
	sequence.Unordered()
	src := withInterrupt(cmd.Context(), sequence, names)
	defer src.Close()
	damaged := compareTraces(c, src, cmd.ErrOrStderr())
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	if err := o.write(cmd.OutOrStdout(), c); err != nil {
		return err
	}
	switch {
	case damaged:
		return &exitError{status: StatusDamaged}
	case c.ChangedPackets > 0:
		return &exitError{status: StatusFailed}
	}
	return nil
}

// compareTraces reads all packets, and tells stderr of damage.
func compareTraces(c *explain.Comparison, src traces.Source, stderr io.Writer) (damaged bool) {
	var b traces.Batch
	var p match.Packet
	file, number := "", 0
	for {
		err := src.ReadBatch(&b)
		switch {
		case errors.Is(err, io.EOF):
			return damaged
		case err != nil:
			fmt.Fprintf(stderr, "rtfm: %v\n", err)
			damaged = true
			continue
		}
		if b.File != file {
			file, number = b.File, 0
		}
		for i := range b.Packets {
			decode(&p, &b.Packets[i])
			number++
			c.Next(&p, file, number)
		}
	}
}

func (o *srlDiffOptions) write(w io.Writer, c *explain.Comparison) error {
	changes := c.Changes()
	if o.json {
		e := json.NewEncoder(w)
		for _, ch := range changes {
			if err := e.Encode(ch); err != nil {
				return err
			}
		}
		return nil
	}
	if err := c.WriteSummary(w); err != nil {
		return err
	}
	for _, ch := range changes[:min(o.most, len(changes))] {
		fmt.Fprintln(w)
		if err := ch.WriteText(w); err != nil {
			return err
		}
	}
	if n := len(changes) - o.most; n > 0 {
		fmt.Fprintf(w, "\nand %d more changes; --most %d shows all\n", n, len(changes))
	}
	return nil
}
