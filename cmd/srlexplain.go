package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"rtfm/ruleset/explain"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/format"
)

// srlExplainOptions are the options of `rtfm srl explain`.
type srlExplainOptions struct {
	programs *programOptions
	packet   int
	flow     string
	most     int
	json     bool
}

// srlExplainCommand is `rtfm srl explain`.
func srlExplainCommand(programs *programOptions) *cobra.Command {
	o := srlExplainOptions{programs: programs}
	cmd := &cobra.Command{
		Use:   "explain {RULES | -e TEXT} TRACE [--packet N | --flow FILTER]",
		Short: "Tell what a program does with a packet, statement by statement",
		Long: `Tell what a program does with a packet of a trace: in the program's own lines, what
is tested and what the packet has there, what is saved, which way round it
matches, and in which flow it is counted. RULES may be a rule file too. Packets are
counted from 1; those before count, as the first packet of a flow decides which
way is forward. Flow tables are as large as needed, and no flow is recovered.`,
		Example: `  rtfm srl explain services.srl trace.pcap --packet 17
  rtfm srl explain @services trace.pcap --flow 'host 10.0.0.1 and port 53'`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	programs.addText(cmd, "explain")
	f := cmd.Flags()
	f.Var(newCount(&o.packet, 0, 0, math.MaxInt32, "the number of a packet"), "packet", "explain the packet with this `NUMBER` (default the first, or with --flow the first of those)")
	f.StringVar(&o.flow, "flow", "", "explain packets that pass this `FILTER`: tcpdump's words, or an expression of SRL")
	f.Var(newCount(&o.most, 1, 1, math.MaxInt32, "a number of packets"), "most", "with --flow, so many packets at most")
	f.BoolVar(&o.json, "json", false, "write a JSON object a line for each packet")
	return cmd
}

func (o *srlExplainOptions) run(cmd *cobra.Command, args []string) error {
	if len(o.programs.programs) == 0 && len(args) > 0 {
		o.programs.programs, args = o.programs.named(args[:1]), args[1:]
	}
	switch {
	case len(o.programs.programs) != 1 || len(args) != 1:
		return errors.New(`want a program and a TRACE; "rtfm srl explain --help" tells more`)
	case o.packet > 0 && o.flow != "":
		return errors.New("either --packet or --flow, not both")
	}
	p := o.programs.programs[0]
	o.programs.Plain = true // each rule is a test or statement of the program's own
	rs, err := o.programs.load(p, cmd.InOrStdin(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	e, err := explain.New(rs, p.source)
	if err != nil {
		return err
	}
	only := filterOptions{text: o.flow}
	if _, err := only.take(nil, false, cmd.ErrOrStderr()); err != nil {
		return err
	}
	src, err := format.Open(args[0])
	if err != nil {
		return &exitError{status: StatusDamaged, err: err}
	}
	src = withInterrupt(cmd.Context(), src, args)
	defer src.Close()
	return o.explain(e, only.passing(new(tunnelOptions)), src, cmd.OutOrStdout())
}

// explain goes through the trace until the last packet that is asked for; only, if
// not nil, says which are.
func (o *srlExplainOptions) explain(e *explain.Explainer, only func(*traces.Packet) bool, src traces.Source, w io.Writer) error {
	var b traces.Batch
	var p match.Packet
	number, found := 0, 0
	for {
		if err := src.ReadBatch(&b); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return &exitError{status: StatusDamaged, err: err}
		}
		for i := range b.Packets {
			from := &b.Packets[i]
			decode(&p, from)
			number++
			wanted := number == max(o.packet, 1)
			if only != nil {
				wanted = only(from)
			}
			ex := e.Next(&p, wanted)
			if ex == nil {
				continue
			}
			if found > 0 && !o.json {
				fmt.Fprintln(w)
			}
			if err := o.write(w, ex); err != nil {
				return err
			}
			if found++; only == nil || found == o.most {
				return nil
			}
		}
	}
	if found == 0 {
		return fmt.Errorf("none of %d packets is that", number)
	}
	return nil
}

func (o *srlExplainOptions) write(w io.Writer, ex *explain.Explanation) error {
	if o.json {
		return json.NewEncoder(w).Encode(ex)
	}
	return ex.WriteText(w)
}
