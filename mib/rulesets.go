package mib

import (
	"math"
	"slices"

	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// Columns of flowRuleSetInfoTable.
const (
	columnRuleSetSize      = 2
	columnRuleSetOwner     = 3
	columnRuleSetTimeStamp = 4
	columnRuleSetStatus    = 5
	columnRuleSetName      = 6
	columnRuleSetReady     = 7
	columnRuleSetFlows     = 8
	columnRuleSelector     = 3
	columnRuleMask         = 4
	columnRuleMatchedValue = 5
	columnRuleAction       = 6
	columnRuleParameter    = 7
	maxName                = 127
	largestParameter       = 65535
	smallestRuleAddress    = 1 // octets; RFC 2720 says 2, but many attributes have one
)

// ruleSetTable is flowRuleSetInfoTable.
func (h *Handler) ruleSetTable() *controlTable[RuleSet] {
	t := &controlTable[RuleSet]{
		entry: below(flowMIB, 1, 1, 1), highest: ruleset.MaxRuleSets, status: columnRuleSetStatus,
		changes: func(p *plan) *changes[RuleSet] { return &p.ruleSets },
		row:     func(rs *RuleSet) *Row { return &rs.Row },
		ready:   (*RuleSet).complete,
		finish:  finishRuleSet,
		locked:  func(index int) bool { return index == builtIn },
		refusal: smi.NotWritable,
	}
	t.rows = func() *Rows[RuleSet] { return &h.meter.Control().RuleSets }
	t.columns = []controlColumn[RuleSet]{
		{
			number: columnRuleSetSize,
			get:    func(rs *RuleSet, v *smi.Value) { v.SetInt(int32(len(rs.Rules))) },
			check:  integer(0, math.MaxInt32),
			set: func(p *plan, old, rs *RuleSet, v *smi.Value) {
				if v.Int > MaxRuleSetSize {
					return // finishRuleSet refuses it
				}
				rules := make([]ruleset.Rule, v.Int)
				copy(rules, rs.Rules)
				rs.Rules = rules
			},
		},
		t.ownerColumn(columnRuleSetOwner),
		{
			number: columnRuleSetTimeStamp,
			get:    func(rs *RuleSet, v *smi.Value) { v.SetUint(smi.TimeTicks, rs.TimeStamp) },
		},
		{
			number: columnRuleSetName, check: octets(0, maxName),
			get: func(rs *RuleSet, v *smi.Value) { v.SetOctets(smi.OctetString, []byte(rs.Name)) },
			set: func(p *plan, old, rs *RuleSet, v *smi.Value) { rs.Name = string(v.Octets) },
		},
		{
			number: columnRuleSetReady, check: truthValue,
			get: func(rs *RuleSet, v *smi.Value) { setTruth(v, rs.RulesReady) },
			set: func(p *plan, old, rs *RuleSet, v *smi.Value) { rs.RulesReady = v.Int == 1 },
		},
		{
			number: columnRuleSetFlows,
			get:    func(rs *RuleSet, v *smi.Value) { v.SetInt(int32(h.meter.Flows(t.index))) },
		},
	}
	return t
}

// complete tells whether all rules have been written.
func (rs *RuleSet) complete() bool {
	for i := range rs.Rules {
		if rs.Rules[i].Op == 0 {
			return false
		}
	}
	return len(rs.Rules) > 0
}

// finishRuleSet plans the changes of rules, and tests what a ruleset that is
// to be active must be.
func finishRuleSet(p *plan, c *change[RuleSet]) {
	rs := c.new
	if c.old == nil {
		rs.ID = p.control.newID()
	}
	rs.TimeStamp = p.uptime
	wasActive := c.old != nil && c.old.Active
	for _, s := range c.columns {
		if s.column.number == columnRuleSetSize && s.value.Int > MaxRuleSetSize {
			p.fail(smi.ResourceUnavailable, s.at)
		}
	}
	switch {
	case rs.Active && !c.sets(columnRuleSetReady):
		rs.RulesReady = true
	case wasActive && !rs.Active && !c.sets(columnRuleSetReady):
		rs.RulesReady = false
	}
	resized := c.sets(columnRuleSetSize)
	frozen := c.old != nil && c.old.RulesReady && (rs.RulesReady || rs.Active) && !(wasActive && !rs.Active)
	if resized && frozen {
		p.fail(smi.NotWritable, c.place(columnRuleSetSize))
	}
	if !resized && c.status != 0 && len(c.edits) > 0 {
		rs.Rules = slices.Clone(rs.Rules)
		resized = true
	}
	staged := make(map[int]*ruleset.Rule)
	for _, e := range c.edits {
		switch {
		case frozen || wasActive && rs.Active:
			p.fail(smi.NotWritable, e.at)
			continue
		case e.rule > len(rs.Rules):
			p.fail(smi.InconsistentName, e.at)
			continue
		}
		r := &rs.Rules[e.rule-1]
		if !resized {
			// The rules are those of the row that is there now.
			if staged[e.rule] == nil {
				now := *r
				staged[e.rule] = &now
			}
			r = staged[e.rule]
		}
		e.set(r)
	}
	for i, r := range staged {
		set(p, &rs.Rules[i-1], *r)
	}
	if !rs.Active || wasActive || p.err != nil {
		return
	}
	switch {
	case !rs.RulesReady:
		p.fail(smi.InconsistentValue, c.place(columnRuleSetReady))
	case !rs.complete(), p.h.meter.CheckRuleSet(&ruleset.RuleSet{Name: rs.Name, Rules: rs.Rules}) != nil:
		p.fail(smi.InconsistentValue, c.place(0))
	}
}

// ruleEdit changes a rule.
type ruleEdit struct {
	rule int // from 1
	at   int // place of the variable
	set  func(r *ruleset.Rule)
}

func (h *Handler) ruleSetObjects() []object { return h.ruleSetTable().objects() }

// ruleTable is flowRuleTable. A rule has a row once anything of it was written.
type ruleTable struct {
	h    *Handler
	rule *ruleset.Rule
}

func (t *ruleTable) find(index smi.OID) bool {
	if len(index) != 2 || index[0] > ruleset.MaxRuleSets || index[1] == 0 {
		return false
	}
	rs := t.h.meter.Control().RuleSets.At(int(index[0]))
	if rs == nil || uint64(index[1]) > uint64(len(rs.Rules)) {
		return false
	}
	t.rule = &rs.Rules[index[1]-1]
	return written(rs, t.rule)
}

// written tells whether anything of a rule was; the built-in ruleset's have no
// masks where none is needed.
func written(rs *RuleSet, r *ruleset.Rule) bool { return r.Op != 0 || r.Mask.Len() > 0 || rs.Active }

func (t *ruleTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	var ruleSet, from uint32
	if len(index) > 0 {
		ruleSet = index[0]
	}
	if len(index) > 1 {
		from = index[1]
		if (!include || len(index) > 2) && from < math.MaxUint32 {
			from++
		}
	}
	given := ruleSet
	for t.h.ruleSetFrom(&ruleSet) {
		if ruleSet != given {
			from = 0
		}
		rs := t.h.meter.Control().RuleSets.At(int(ruleSet))
		for i := uint64(max(from, 1)); i <= uint64(len(rs.Rules)); i++ {
			if t.rule = &rs.Rules[i-1]; written(rs, t.rule) {
				return append(name, ruleSet, uint32(i)), true
			}
		}
		ruleSet++
	}
	return name, false
}

func (h *Handler) ruleObjects() []object {
	t := &ruleTable{h: h}
	infos := h.ruleSetTable()
	column := func(number uint32, get func(r *ruleset.Rule, v *smi.Value) bool, check func(*smi.Value) smi.Status, edit func(r *ruleset.Rule, v *smi.Value)) object {
		return object{
			oid: below(flowMIB, 3, 1, 1, number), table: t, check: check,
			get: func(v *smi.Value) bool { return get(t.rule, v) },
			plan: func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
				if len(index) != 2 || index[1] == 0 || index[1] > MaxRuleSetSize {
					return smi.NoCreation
				}
				c := infos.change(p, at, index[:1])
				if c == nil {
					return smi.NoCreation
				}
				c.edits = append(c.edits, ruleEdit{int(index[1]), at, func(r *ruleset.Rule) {
					r.Mask, r.Value = atLeastOne(r.Mask), atLeastOne(r.Value)
					edit(r, v)
				}})
				return smi.NoError
			},
		}
	}
	address := func(of func(r *ruleset.Rule) *ruleset.Value) (func(r *ruleset.Rule, v *smi.Value) bool, func(*smi.Value) smi.Status, func(r *ruleset.Rule, v *smi.Value)) {
		return func(r *ruleset.Rule, v *smi.Value) bool {
				v.Type, v.Octets = smi.OctetString, atLeastOne(*of(r)).Append(v.Octets[:0])
				return true
			}, octets(smallestRuleAddress, ruleset.MaxAddress),
			func(r *ruleset.Rule, v *smi.Value) { *of(r) = ruleset.MakeValue(v.Octets...) }
	}
	maskGet, maskCheck, maskEdit := address(func(r *ruleset.Rule) *ruleset.Value { return &r.Mask })
	valueGet, valueCheck, valueEdit := address(func(r *ruleset.Rule) *ruleset.Value { return &r.Value })
	return []object{
		column(columnRuleSelector,
			func(r *ruleset.Rule, v *smi.Value) bool { v.SetInt(int32(r.Attr)); return true }, ruleAttribute,
			func(r *ruleset.Rule, v *smi.Value) { r.Attr = ruleset.Attr(v.Int) }),
		column(columnRuleMask, maskGet, maskCheck, maskEdit),
		column(columnRuleMatchedValue, valueGet, valueCheck, valueEdit),
		column(columnRuleAction,
			func(r *ruleset.Rule, v *smi.Value) bool { v.SetInt(int32(r.Op)); return r.Op != 0 }, integer(1, int32(ruleset.OpPopToAct)),
			func(r *ruleset.Rule, v *smi.Value) { r.Op = ruleset.Opcode(v.Int) }),
		column(columnRuleParameter,
			func(r *ruleset.Rule, v *smi.Value) bool { v.SetInt(int32(r.Param)); return true }, integer(0, largestParameter),
			func(r *ruleset.Rule, v *smi.Value) { r.Param = int(v.Int) }),
	}
}

// atLeastOne returns v, or an octet of zero if it has none.
func atLeastOne(v ruleset.Value) ruleset.Value { return v.Resize(max(v.Len(), smallestRuleAddress)) }

// ruleAttribute is for RuleAttributeNumber, and the attributes of RFC 2724 and
// of this meter.
func ruleAttribute(v *smi.Value) smi.Status {
	if v.Type != smi.Integer32 {
		return smi.WrongType
	}
	if v.Int < 0 || v.Int > math.MaxUint16 || !ruleset.Attr(v.Int).Testable() {
		return smi.WrongValue
	}
	return smi.NoError
}
