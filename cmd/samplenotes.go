package cmd

import (
	"fmt"
	"math"

	"rtfm/traces/schedule"
)

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
