package record

import (
	"slices"

	"rtfm/ruleset/match"
)

// Counters are what a flow counted, in one interval or altogether.
type Counters struct {
	ToPDUs, FromPDUs, ToOctets, FromOctets uint64
	// Distributions are the counters of all distributions, one after the other.
	Distributions []uint64
}

// CountersOf returns what a flow counted altogether.
func CountersOf(f *match.Flow) Counters {
	return Counters{
		ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets,
		Distributions: slices.Concat(f.Counters...),
	}
}

// Since returns what a flow counted between before and c.
func (c *Counters) Since(before *Counters) Counters {
	d := Counters{
		ToPDUs: c.ToPDUs - before.ToPDUs, FromPDUs: c.FromPDUs - before.FromPDUs,
		ToOctets: c.ToOctets - before.ToOctets, FromOctets: c.FromOctets - before.FromOctets,
		Distributions: slices.Clone(c.Distributions),
	}
	for i := range min(len(d.Distributions), len(before.Distributions)) {
		d.Distributions[i] -= before.Distributions[i]
	}
	return d
}
