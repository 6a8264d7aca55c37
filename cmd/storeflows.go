package cmd

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/flowlist"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/traces"
	"rtfm/traces/store"
)

// originOptions say of which numbers packets are wanted: of flows, or of all that
// rulesets count.
type originOptions struct {
	programs programOptions
	flows    string
	tunnels  tunnelOptions

	rules []*pme.Program
	of    *flowlist.Flows // nil if all that the rules count is wanted
}

// lateness is by how much a packet may be earlier than those that came before it. A
// meter counts it at the time of these.
const lateness = int64(time.Minute)

// add adds the options to a command's.
func (o *originOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.flows, "flows", "", "write packets of the flows in this `FILE`; flow data, or what commands print\nof flows with --json; \"-\" is standard input")
	f.VarP(programFlag{&o.programs.programs, false}, "rules", "r", "write packets that this `FILE` of rules counts; SRL, or @flows and so on; may be repeated")
	o.programs.addText(cmd, "write packets that are counted by")
	group(f, groupRules, "flows", "rules")
	o.tunnels.add(cmd)
}

// read reads rulesets and flows.
func (o *originOptions) read(cmd *cobra.Command) error {
	if err := o.tunnels.check(cmd, new(captureOptions), nil); err != nil {
		return err
	}
	if o.flows == "-" && strings.Contains(","+strings.Join(programFiles(o.programs.programs), ",")+",", ",-,") {
		return errors.New("either --flows or -r is standard input, not both")
	}
	for _, p := range o.programs.programs {
		rs, err := o.programs.load(p, cmd.InOrStdin(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		program, err := pme.Compile(rs, 1, new(match.Shapes))
		if err != nil {
			return fmt.Errorf("%s: %w", rs.Name, err)
		}
		o.rules = append(o.rules, program)
	}
	o.programs.warnUnused(cmd.ErrOrStderr())
	if o.flows == "" {
		return nil
	}
	in, err := openFlows(o.flows, cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("%s: %w", o.flows, err)
	}
	defer in.Close()
	o.of = flowlist.New(len(o.rules) > 0)
	if err := o.of.Read(in); err != nil {
		hint := ""
		if flowlist.IsNothing(err) {
			hint = "; with its ruleset, -r RULES, they are found"
		}
		return fmt.Errorf("%s: %w%s%s", o.flows, err, hint, notFlows(err))
	}
	if n := len(o.of.Ignored); n > 0 && len(o.rules) == 0 {
		names := make([]string, n)
		for i, a := range o.of.Ignored {
			names[i] = a.String()
		}
		cmd.PrintErrf("rtfm: packets do not have %s, which flows have saved: all that is alike but for that is written, unless -r has the ruleset\n", strings.Join(names, ", "))
	}
	return nil
}

// within has q ask for no more than the time of the flows.
func (o *originOptions) within(q *store.Query) {
	if o.of == nil {
		return
	}
	first, last := o.of.Set.Bounds()
	if first > math.MinInt64+lateness {
		q.From = max(q.From, first-lateness)
	}
	if last < math.MaxInt64 {
		q.To = min(q.To, last+1)
	}
}

// passing returns a function that tells wanted packets from others, nil if all are.
// It is to be asked of all packets, in their order.
func (o *originOptions) passing() func(from *traces.Packet) bool {
	if o.of == nil && len(o.rules) == 0 {
		return nil
	}
	var p match.Packet
	now := int64(math.MinInt64) // of a meter's clock, which never goes back
	return func(from *traces.Packet) bool {
		now = max(now, from.Time)
		o.tunnels.decode(&p, from)
		if len(o.rules) == 0 {
			return o.of.Set.HasPacket(&p, now)
		}
		for _, program := range o.rules {
			if o.counts(program, &p, now) {
				return true
			}
		}
		return false
	}
}

// counts reports whether a ruleset counts a packet, in a flow that is wanted.
func (o *originOptions) counts(program *pme.Program, p *match.Packet, now int64) bool {
	var flow match.FlowKey
	reversed := false
	verdict := program.Match(p, &p.Key, false, &flow)
	if verdict == pme.NoMatch {
		key := p.Key.Reverse()
		reversed = true
		verdict = program.Match(p, &key, true, &flow)
	}
	return verdict == pme.Success && (o.of == nil || o.of.Set.HasFlow(&flow, reversed, p.Time, now))
}
