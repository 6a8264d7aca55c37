package cmd

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter/packet"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/spell"
	"rtfm/traces"
	"rtfm/traces/live"
)

// tunnelOptions say which envelopes a meter opens.
type tunnelOptions struct {
	kinds packet.TunnelKinds
	depth int
}

// maxTunnelDepth is the most envelopes around each other that are opened.
const maxTunnelDepth = 16

// tunnelSnapLen is the default of --snap-length where envelopes are opened: what
// stands before the inner frame is up to 128 octets with IPv6 and options.
const tunnelSnapLen = 2 * live.DefaultSnapLen

// add adds the options to a command's.
func (o *tunnelOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var((*tunnelKinds)(&o.kinds), "decap", "meter what packets carry in tunnels of these `KINDS`; "+strings.Join(packet.TunnelNames(), ", ")+",\nor all, which is all but the last two; with commas between (see TUNNELS.md)")
	f.Var(newCount(&o.depth, 1, 1, maxTunnelDepth, "a number of tunnels"), "decap-depth", "with --decap, open up to `N` tunnels, one in the other")
	group(f, groupInput)
}

// check finds options that do not fit each other or the traces, and has more captured
// of packets that may be envelopes.
func (o *tunnelOptions) check(cmd *cobra.Command, capture *captureOptions, traceNames []string) error {
	records := capture.isRecords() || len(traceNames) > 0 && !slices.ContainsFunc(traceNames, func(n string) bool { return !isRecords(n) })
	switch {
	case o.kinds == 0 && cmd.Flags().Changed("decap-depth"):
		return errors.New("--decap-depth needs --decap, the kinds of tunnels")
	case o.kinds != 0 && records:
		return errors.New("--decap needs packets: flow records do not tell what was in tunnels")
	case o.kinds != 0 && !cmd.Flags().Changed("snap-length"):
		capture.snapLen = tunnelSnapLen
	}
	return nil
}

// decode sets p to what a ruleset sees of a packet of a trace, or of what that carries
// in envelopes.
func (o *tunnelOptions) decode(p *match.Packet, from *traces.Packet) {
	var inner match.Packet
	packet.Decode(p, from.Link, from.Data, from.Wire)
	if o.kinds != 0 {
		o.kinds.Decapsulate(p, o.depth)
	}
	(o.kinds | packet.PlainTunnels).Look(p, &inner, o.kinds == 0)
	p.Time = from.Time
	if from.Direction != traces.Outgoing {
		p.Key.SetInterface(attr.Source, uint16(from.Interface))
	}
	if from.Direction != traces.Incoming {
		p.Key.SetInterface(attr.Dest, uint16(from.Interface))
	}
}

// tunnelKinds is the value of --decap.
type tunnelKinds packet.TunnelKinds

// Set implements pflag.Value.
func (k *tunnelKinds) Set(text string) error {
	var kinds packet.TunnelKinds
	for _, name := range strings.Split(text, ",") {
		if kind, ok := packet.ParseTunnelKind(name); ok {
			kinds = kinds.With(kind)
		} else if name == "all" {
			kinds |= packet.PlainTunnels
		} else {
			return errors.New(spell.UnknownOf("kind of tunnel", name, append(packet.TunnelNames(), "all")))
		}
	}
	*k = tunnelKinds(kinds)
	return nil
}

// String implements pflag.Value.
func (k *tunnelKinds) String() string { return packet.TunnelKinds(*k).String() }

// Type implements pflag.Value.
func (*tunnelKinds) Type() string { return "kinds" }

// completeTunnels completes kinds of tunnels.
func completeTunnels(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return lists(begun, ",", append(packet.TunnelNames(), "all"))
}
