package reader

import (
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
)

// Deltas remembers what each flow had counted when it was read last, to tell
// what it counted since: flows' own counters only grow. The zero value
// remembers nothing.
type Deltas struct {
	rows []read
}

// read is the last reading of a flow: its identity beside the row, and its
// counters.
type read struct {
	ruleSet   int
	firstTime int64
	counters  flowfile.Counters
}

// Since returns what f has counted since it was given last, all of it the
// first time.
func (d *Deltas) Since(f *ruleset.Flow) flowfile.Counters {
	for len(d.rows) <= int(f.Index) {
		d.rows = append(d.rows, read{})
	}
	now := read{f.Shape.RuleSet, f.FirstTime, flowfile.Counters{
		ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets,
	}}
	before := d.rows[f.Index]
	d.rows[f.Index] = now
	if before.ruleSet != now.ruleSet || before.firstTime != now.firstTime {
		return now.counters
	}
	return flowfile.Counters{
		ToPDUs: f.ToPDUs - before.counters.ToPDUs, FromPDUs: f.FromPDUs - before.counters.FromPDUs,
		ToOctets: f.ToOctets - before.counters.ToOctets, FromOctets: f.FromOctets - before.counters.FromOctets,
	}
}
