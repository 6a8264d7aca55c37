package record

import (
	"slices"

	"rtfm/ruleset/match"
)

// Counters are what a flow counted, in one interval or altogether.
type Counters struct {
	ToPDUs, FromPDUs, ToOctets, FromOctets uint64
	// Measures are the numbers of all that the flow measures, one after the other.
	Measures []uint64
}

// CountersOf returns what a flow counted altogether.
func CountersOf(f *match.Flow) Counters {
	return Counters{
		ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets,
		Measures: slices.Concat(f.Counters...),
	}
}

// Since returns what a flow of a shape counted between before and c. Of what it
// measures, numbers that do not count are those of c (attr.Measure.Since).
func (c *Counters) Since(before *Counters, s *match.Shape) Counters {
	d := Counters{
		ToPDUs: c.ToPDUs - before.ToPDUs, FromPDUs: c.FromPDUs - before.FromPDUs,
		ToOctets: c.ToOctets - before.ToOctets, FromOctets: c.FromOctets - before.FromOctets,
		Measures: slices.Clone(c.Measures),
	}
	now, was := d.Measures, before.Measures
	for i := range s.Measures {
		m := &s.Measures[i]
		n := m.Counters()
		if n > len(now) || n > len(was) {
			break
		}
		m.Since(now[:n], was[:n])
		now, was = now[n:], was[n:]
	}
	return d
}
