package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"rtfm/reader/table"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/cover"
	"rtfm/ruleset/srl"
)

// srlCoverOptions are the options of `rtfm srl cover`.
type srlCoverOptions struct {
	programs *programOptions
	html     string
	json     bool
	top      int
}

// srlCoverCommand is `rtfm srl cover`.
func srlCoverCommand(programs *programOptions) *cobra.Command {
	o := srlCoverOptions{programs: programs}
	cmd := &cobra.Command{
		Use:   "cover {RULES | -e TEXT} TRACE... [--html FILE]",
		Short: "Tell how often each line of a program ran, and what it left out",
		Long: `Tell how often each line of a program ran with the packets of traces, how often
its tests held and failed, and which packets were not counted, by protocol and port:
so that it shows what was forgotten. "!" marks lines that never ran and tests that
never held. A packet that is tried twice, as it came and with source and destination
changed over, may have a line run twice.`,
		Example: `  rtfm srl cover services.srl trace.pcap
  rtfm srl cover @conversations --html cover.html monday.pcap tuesday.pcap`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	programs.addText(cmd, "run")
	f := cmd.Flags()
	f.StringVar(&o.html, "html", "", "write a page for browsers to this `FILE`")
	f.BoolVar(&o.json, "json", false, "write a JSON object")
	f.VarP(newCount(&o.top, 10, 0, math.MaxInt32, "a number of rows"), "top", "n", "so many kinds of packets that were not counted")
	return cmd
}

func (o *srlCoverOptions) run(cmd *cobra.Command, args []string) error {
	if len(o.programs.programs) == 0 && len(args) > 0 {
		o.programs.programs, args = o.programs.named(args[:1]), args[1:]
	}
	if len(o.programs.programs) != 1 || len(args) == 0 {
		return errors.New(`want a program and TRACEs; "rtfm srl cover --help" tells more`)
	}
	p := o.programs.programs[0]
	if p.name == "-" {
		return errors.New("a program from standard input has no lines to show: give it as a FILE or by -e")
	}
	o.programs.Plain = true // each rule is a test or statement of the program's own
	rs, err := o.programs.load(p, cmd.InOrStdin(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	c, err := cover.New(rs, o.tree(&p))
	if err != nil {
		return err
	}
	damaged := coverTraces(cmd, c, args)
	r := c.Report(p.source)
	if damaged != nil && r.Packets == 0 {
		return damaged
	}
	if o.html != "" {
		if err := writeTo(cmd.Context(), o.html, args, cmd.InOrStdin(), cmd.OutOrStdout(), r.WriteHTML); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(r)
	case o.html == "":
		err = o.write(cmd.OutOrStdout(), r)
	case o.html != "-":
		for _, s := range r.Summary() {
			fmt.Fprintln(cmd.OutOrStdout(), s)
		}
	}
	return errors.Join(err, damaged)
}

// tree reads the program that was compiled once more; nil for a rule file.
func (o *srlCoverOptions) tree(p *program) *srl.Program {
	text := []byte(p.text)
	if !p.inline {
		var rules bool
		var err error
		if text, rules, err = compile.Text(p.name, nil); err != nil || rules {
			return nil
		}
	}
	opts := o.programs.Options
	opts.Open = compile.Open
	tree, _ := srl.Parse(p.name, text, opts)
	return tree
}

// write writes the report for people.
func (o *srlCoverOptions) write(w io.Writer, r *cover.Report) error {
	if err := r.WriteText(w); err != nil || len(r.Left) == 0 || o.top == 0 {
		return err
	}
	t := table.Table{Columns: []table.Column{
		{Name: "Not counted"}, {Name: "Family"}, {Name: "Protocol"}, {Name: "Port or type"},
		{Name: "Packets", Kind: table.Count}, {Name: "Octets", Kind: table.Octets}, {Name: "%", Kind: table.Percent},
	}}
	for i, l := range r.Left {
		if i == o.top {
			t.Notes = append(t.Notes, fmt.Sprintf("%d more kinds: --top %d shows them", len(r.Left)-i, len(r.Left)))
			break
		}
		t.Rows = append(t.Rows, []table.Value{
			table.String(l.Verdict), table.String(l.Family), table.String(l.Protocol), table.String(l.Port), table.Uint(l.Packets), table.Uint(l.Octets),
			table.Float(100 * float64(l.Packets) / float64(r.Packets)),
		})
	}
	fmt.Fprintln(w)
	return t.Text(w, styleOf(w))
}
