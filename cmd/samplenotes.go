package cmd

import (
	"fmt"
	"math"

	"rtfm/meter/ident"
	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/schedule"
)

// flowIDs returns what tells the FlowIDs of packets, for a sample of flows; nil for others.
func flowIDs(sample schedule.Sample) func(p *traces.Packet) uint64 {
	if sample.Of <= 1 || sample.Kind != schedule.Flow {
		return nil
	}
	var tuples ident.Tuples
	var decoded match.Packet
	return func(p *traces.Packet) uint64 {
		packet.Decode(&decoded, p.Link, p.Data, p.Wire)
		return tuples.FlowID(&decoded)
	}
}

// notes returns what people should know of the packets that were left out.
func (o *sampleOptions) notes() (notes []string) {
	if o.selector == nil {
		return nil
	}
	c := o.selector.Counts()
	if c.NotSampled > 0 {
		reduction := "none is"
		if c.Selected > 0 {
			reduction = fmt.Sprintf("%.4g:1", float64(c.Selected+c.NotSampled)/float64(c.Selected))
		}
		notes = append(notes, fmt.Sprintf("%s not sampled, %s", packetsAre(c.NotSampled), reduction))
	}
	pdus, octets, ok := o.selector.Estimates()
	if !ok || math.IsNaN(pdus.Margin) {
		return notes
	}
	for _, e := range []struct {
		schedule.Estimate
		what string
	}{{pdus, "packets"}, {octets, "octets"}} {
		notes = append(notes, fmt.Sprintf("estimate of all %s in %s, from %d windows: %.0f ± %.0f (95 %%)", e.what, briefly(e.Span), e.Windows, e.Total, math.Ceil(e.Margin)))
	}
	return notes
}

// packetsAre returns a number of packets with its verb.
func packetsAre(n uint64) string {
	if n == 1 {
		return "1 packet is"
	}
	return fmt.Sprintf("%d packets are", n)
}
