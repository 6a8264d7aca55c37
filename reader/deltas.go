package reader

import (
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
)

// Deltas remembers what each flow had counted when it was read last, to tell
// what it counted since: flows' own counters only grow. The zero value
// remembers nothing.
type Deltas struct {
	rows []reading
}

// reading is what was read of a flow last: its identity beside the row, and
// its counters.
type reading struct {
	ruleSet   int
	firstTime int64
	counters  flowfile.Counters
}

func readingOf(f *ruleset.Flow) reading {
	return reading{f.Shape.RuleSet, f.FirstTime, flowfile.CountersOf(f)}
}

// Since returns what f has counted since it was given last, all of it the
// first time.
func (d *Deltas) Since(f *ruleset.Flow) flowfile.Counters {
	now := readingOf(f)
	delta, _ := d.since(f.Index, &now)
	d.keep(f.Index, &now)
	return delta
}

// since returns what the flow in a row has counted since it was kept last, all
// of it and false if it was not.
func (d *Deltas) since(row uint32, now *reading) (flowfile.Counters, bool) {
	if int(row) >= len(d.rows) {
		return now.counters, false
	}
	before := &d.rows[row]
	if before.ruleSet != now.ruleSet || before.firstTime != now.firstTime {
		return now.counters, false
	}
	return now.counters.Since(&before.counters), true
}

// keep remembers the reading of the flow in a row.
func (d *Deltas) keep(row uint32, now *reading) {
	if n := int(row) + 1; n > len(d.rows) {
		d.rows = append(d.rows, make([]reading, n-len(d.rows))...)
	}
	d.rows[row] = *now
}
