package mib

import (
	"math"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// flowObjects are those of flowDataTable. Its column numbers are the
// attributes' numbers, those of RFC 2724 among them.
func (h *Handler) flowObjects() []object {
	var objects []object
	add := func(a attr.Attr, t *flowTable) {
		fd, _ := block.NewField(a)
		get := func(v *smi.Value) bool { h.flow.Value(&fd, v); return true }
		objects = append(objects, object{oid: module.FlowDataEntry.At(columnOf(a)), table: t, follow: h.followFlow, get: get})
	}
	for a := attr.FlowStatus; a <= attr.FlowKind; a++ {
		if a != attr.FlowTimeMark && a != attr.FlowRuleSet { // indexes, like FlowIndex
			add(a, &flowTable{h: h})
		}
	}
	for a := attr.Distributions; a <= attr.FromLostPDUs; a++ {
		add(a, &flowTable{h: h, distribution: 1 << (a - attr.Distributions)})
	}
	return objects
}

// columnOf returns the column of flowDataTable that shows an attribute.
func columnOf(a attr.Attr) uint32 {
	if a == attr.FlowStatus {
		return 3 // the TimeMark, attribute 3, has column 2
	}
	return uint32(a)
}

// flowTable is flowDataTable.
type flowTable struct {
	h *Handler
	// distribution, unless it is 0, leaves only the flows of rulesets that have
	// this bit among their distributions.
	distribution uint64
}

func (t *flowTable) find(index smi.OID) bool {
	return t.h.findFlow(index) && t.has(t.h.meter.Control().RuleSets.At(int(index[0])))
}

func (t *flowTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	if t.distribution != 0 && t.h.allDistributions()&t.distribution == 0 {
		return name, false
	}
	return t.h.nextFlow(index, include, name, t.has)
}

// has reports whether the flows of a ruleset are in the column.
func (t *flowTable) has(rs *RuleSet) bool {
	return t.distribution == 0 || rs.distributions&t.distribution != 0
}

// allDistributions returns the distributions of all rulesets.
func (h *Handler) allDistributions() uint64 {
	rows := &h.meter.Control().RuleSets
	if h.distributionsAt != rows.puts {
		h.distributionsAt, h.distributions = rows.puts, 0
		for _, rs := range rows.rows {
			h.distributions |= rs.distributions
		}
	}
	return h.distributions
}

// findFlow loads the flow that an index of ruleset, TimeMark and flow index
// names.
func (h *Handler) findFlow(index smi.OID) bool {
	if len(index) != 3 || index[0] > ruleset.MaxRuleSets || h.meter.Control().RuleSets.At(int(index[0])) == nil {
		return false
	}
	return h.loadFlow(int(index[0]), index[1], index[2]) && h.flow.Index == index[2]
}

// nextFlow loads the flow that follows an index of ruleset, TimeMark and flow
// index, which may be cut short, and appends its index to name. Flows of
// rulesets that of does not take are passed by.
func (h *Handler) nextFlow(index smi.OID, include bool, name smi.OID, of func(*RuleSet) bool) (smi.OID, bool) {
	var ruleSet, mark, row uint32
	if len(index) > 0 {
		ruleSet = index[0]
	}
	if len(index) > 1 {
		mark = index[1]
	}
	if len(index) > 2 {
		row = index[2]
		if (!include || len(index) > 3) && row < math.MaxUint32 {
			row++ // there is no flow with that index
		}
	}
	given := ruleSet
	for {
		rs := h.ruleSetFrom(&ruleSet)
		if rs == nil {
			return name, false
		} else if ruleSet != given {
			mark, row = 0, 0
		}
		if of(rs) && h.loadFlow(int(ruleSet), mark, row) {
			return append(name, ruleSet, mark, h.flow.Index), true
		}
		ruleSet++
	}
}

// followFlow loads the flow after the one whose index of ruleset, TimeMark and
// flow index name ends in, and puts its index there. False if it is the last of
// its ruleset.
func (h *Handler) followFlow(name smi.OID) bool {
	index := name[len(name)-3:]
	if index[2] == math.MaxUint32 || !h.loadFlow(int(index[0]), index[1], index[2]+1) {
		return false
	}
	index[2] = h.flow.Index
	return true
}

// ruleSetFrom moves index on to the first ruleset that has it or a higher one, and
// returns that, nil if there is none.
func (h *Handler) ruleSetFrom(index *uint32) *RuleSet {
	if *index > ruleset.MaxRuleSets {
		return nil
	}
	h.work += workRuleSet
	i, rs := h.meter.Control().RuleSets.From(int(*index))
	*index = uint32(i)
	return rs
}

// loadFlow loads the first flow of a ruleset (0: of any) in row or after it
// that was active at or after the TimeMark.
func (h *Handler) loadFlow(ruleSet int, mark, row uint32) bool {
	f := &h.flow
	f.Start = h.meter.Start()
	f.RuleSet = h.meter.NextFlow(ruleSet, row, h.since(mark), &f.Flow)
	if f.RuleSet == 0 {
		return false
	}
	h.loaded = append(h.loaded, f.Index)
	return true
}

// since returns the time from which on TimeMark mark asks for flows. See the
// package comment for what marks mean once Uptime has wrapped.
func (h *Handler) since(mark uint32) int64 {
	if mark == 0 {
		return math.MinInt64
	}
	up := h.uptime()
	ago := uint64(uint32(up) - mark)
	if ago > up {
		return math.MaxInt64 // has not come yet
	}
	return h.meter.Start() + int64(up-ago)*match.Centisecond
}

// uptime returns the meter's Uptime in centiseconds. It does not wrap.
func (h *Handler) uptime() uint64 { return h.uptimeAt(h.meter.Now()) }

func (h *Handler) uptimeAt(t int64) uint64 { return match.Uptime(t, h.meter.Start()) }
