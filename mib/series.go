package mib

import (
	"encoding/binary"
	"math"

	"rtfm/meter/series"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// seriesObjects are those of rtfmSeriesTable.
func (h *Handler) seriesObjects() []object {
	t := &seriesTable{h: h}
	time := func(named *module.Object, get func() int64) object {
		return object{oid: named.OID, table: t, get: func(v *smi.Value) bool {
			v.SetOctets(smi.OctetString, binary.BigEndian.AppendUint64(nil, uint64(get())))
			return true
		}}
	}
	objects := []object{
		time(module.RtfmSeriesFrom, func() int64 { return t.interval.From }),
		time(module.RtfmSeriesTo, func() int64 { return t.interval.To }),
	}
	const both, ofRuleSets, ofInterfaces = 0, 1, 2
	for _, c := range []struct {
		named *module.Object
		rows  int
		level bool
		get   func(r *series.Row) uint64
	}{
		{module.RtfmSeriesPDUs, both, false, func(r *series.Row) uint64 { return r.PDUs }},
		{module.RtfmSeriesOctets, both, false, func(r *series.Row) uint64 { return r.Octets }},
		{module.RtfmSeriesIgnored, ofRuleSets, false, func(r *series.Row) uint64 { return r.Ignored }},
		{module.RtfmSeriesUnmatched, ofRuleSets, false, func(r *series.Row) uint64 { return r.Unmatched }},
		{module.RtfmSeriesStopped, ofRuleSets, false, func(r *series.Row) uint64 { return r.Stopped }},
		{module.RtfmSeriesUncounted, ofRuleSets, false, func(r *series.Row) uint64 { return r.Uncounted }},
		{module.RtfmSeriesActiveFlows, ofRuleSets, true, func(r *series.Row) uint64 { return r.ActiveFlows }},
		{module.RtfmSeriesNewFlows, ofRuleSets, true, func(r *series.Row) uint64 { return r.NewFlows }},
		{module.RtfmSeriesFlows, ofRuleSets, true, func(r *series.Row) uint64 { return r.Flows }},
		{module.RtfmSeriesFiltered, ofInterfaces, false, func(r *series.Row) uint64 { return r.Filtered }},
		{module.RtfmSeriesLost, ofInterfaces, false, func(r *series.Row) uint64 { return r.Lost }},
	} {
		objects = append(objects, object{oid: c.named.OID, table: t, get: func(v *smi.Value) bool {
			n := c.get(t.row)
			if c.level {
				v.SetUint(smi.Gauge32, min(n, math.MaxUint32))
			} else {
				v.SetUint(smi.Counter64, n)
			}
			return c.rows == both || t.row.IsInterface() == (c.rows == ofInterfaces)
		}})
	}
	return objects
}

// seriesTable is rtfmSeriesTable. Its index is the number of an interval, a ruleset and
// an interface, of which one is 0: so rows of interfaces come first. Gaps have no rows.
type seriesTable struct {
	h        *Handler
	interval series.Interval
	row      *series.Row
}

// rowsLooked is how many rows are one operation to look at.
const rowsLooked = 4

func (t *seriesTable) find(index smi.OID) bool {
	return len(index) == 3 && t.from(index[0], index[1], index[2]) && uint32(t.interval.Number) == index[0] &&
		uint32(t.row.RuleSet) == index[1] && t.row.Interface == index[2]
}

func (t *seriesTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	var at [3]uint32
	copy(at[:], index)
	if len(index) >= 3 && (!include || len(index) > 3) {
		for i := 2; i >= 0; i-- {
			if at[i]++; at[i] != 0 {
				break
			}
			if i == 0 {
				return name, false
			}
		}
	}
	if !t.from(at[0], at[1], at[2]) {
		return name, false
	}
	return append(name, uint32(t.interval.Number), uint32(t.row.RuleSet), t.row.Interface), true
}

// from looks for the row with this index, or else the first behind.
func (t *seriesTable) from(number, ruleSet, face uint32) bool {
	for at := uint64(number); at <= math.MaxUint32; at++ {
		i, ok := t.h.meter.SeriesFrom(at)
		if !ok {
			return false
		}
		if i.Number != uint64(number) {
			ruleSet, face = 0, 0
		}
		t.h.work += 1 + len(i.Rows)/rowsLooked
		if t.interval, t.row = i, first(i.Rows, ruleSet, face); t.row != nil {
			return true
		}
		at = i.Number
	}
	return false
}

// first returns the first row, in the order of indexes, that has this index or a
// greater one.
func first(rows []series.Row, ruleSet, face uint32) (found *series.Row) {
	for i := range rows {
		r := &rows[i]
		if n := uint32(r.RuleSet); n < ruleSet || n == ruleSet && r.Interface < face {
			continue
		}
		if found == nil || r.RuleSet < found.RuleSet {
			found = r // rows of each kind are in order
		}
	}
	return found
}
