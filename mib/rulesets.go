package mib

import (
	"math"
	"slices"

	"rtfm/ruleset/attr"

	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
)

const (
	maxName             = 127
	largestParameter    = 65535
	smallestRuleAddress = 1 // octets; RFC 2720 says 2, but many attributes have one
)

// ruleSetTable is flowRuleSetInfoTable.
func (h *Handler) ruleSetTable() *controlTable[RuleSet] {
	t := &controlTable[RuleSet]{
		highest: ruleset.MaxRuleSets, status: module.FlowRuleInfoStatus,
		changes: func(p *plan) *changes[RuleSet] { return &p.ruleSets },
		row:     func(rs *RuleSet) *Row { return &rs.Row },
		ready:   (*RuleSet).complete,
		finish:  finishRuleSet,
		locked:  func(index int) bool { return index == BuiltIn },
		refusal: smi.NotWritable,
	}
	t.rows = func() *Rows[RuleSet] { return &h.meter.Control().RuleSets }
	t.columns = []controlColumn[RuleSet]{
		{
			named: module.FlowRuleInfoSize,
			get:   func(rs *RuleSet, v *smi.Value) { v.SetInt(int32(rs.Size)) },
			check: integer(0, math.MaxInt32),
			set: func(p *plan, old, rs *RuleSet, v *smi.Value) {
				if v.Int <= MaxRuleSetSize { // else finishRuleSet refuses it
					rs.Size = int(v.Int)
				}
			},
		},
		t.ownerColumn(module.FlowRuleInfoOwner),
		{
			named: module.FlowRuleInfoTimeStamp,
			get:   func(rs *RuleSet, v *smi.Value) { v.SetUint(smi.TimeTicks, rs.TimeStamp) },
		},
		{
			named: module.FlowRuleInfoName, check: octets(0, maxName),
			get: func(rs *RuleSet, v *smi.Value) { v.SetOctets(smi.OctetString, []byte(rs.Name)) },
			set: func(p *plan, old, rs *RuleSet, v *smi.Value) { rs.Name = string(v.Octets) },
		},
		{
			named: module.FlowRuleInfoRulesReady, check: truthValue,
			get: func(rs *RuleSet, v *smi.Value) { setTruth(v, rs.RulesReady) },
			set: func(p *plan, old, rs *RuleSet, v *smi.Value) { rs.RulesReady = v.Int == 1 },
		},
		{
			named: module.FlowRuleInfoFlowRecords,
			get:   func(rs *RuleSet, v *smi.Value) { v.SetInt(int32(h.meter.Flows(t.index))) },
		},
	}
	return t
}

// complete reports whether all rules have been written.
func (rs *RuleSet) complete() bool { return rs.Size > 0 && rs.actions == rs.Size }

// noteRule notes that rule i, from 0, is or will be r.
func (rs *RuleSet) noteRule(i int, r *ruleset.Rule) {
	if r.Op != 0 || r.Mask.Len() > 0 {
		rs.written = rs.written.with(i)
	}
	if r.Op != 0 && !rs.acts.has(i) {
		rs.acts = rs.acts.with(i)
		rs.actions++
	}
}

// noteDistributions notes which distributions flows of the ruleset may have.
func (rs *RuleSet) noteDistributions() {
	rs.distributions = 0
	for i := range rs.Rules {
		if r := &rs.Rules[i]; r.SavesMeasure() {
			rs.distributions |= 1 | 1<<(r.Attr-attr.Distributions)
		}
	}
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
		if s.column.named == module.FlowRuleInfoSize && s.value.Int > MaxRuleSetSize {
			p.fail(smi.ResourceUnavailable, s.at)
		}
	}
	switch {
	case rs.Active && !c.sets(module.FlowRuleInfoRulesReady):
		rs.RulesReady = true
	case wasActive && !rs.Active && !c.sets(module.FlowRuleInfoRulesReady):
		rs.RulesReady = false
	}
	frozen := c.old != nil && c.old.RulesReady && (rs.RulesReady || rs.Active) && !(wasActive && !rs.Active)
	if c.sets(module.FlowRuleInfoSize) && frozen {
		p.fail(smi.NotWritable, c.place(module.FlowRuleInfoSize))
	}
	if frozen || wasActive && rs.Active {
		for _, e := range c.edits {
			p.fail(smi.NotWritable, e.at)
		}
	} else {
		editRules(p, c)
	}
	switch {
	case !rs.Active:
		p.allRules -= rs.forms()
		rs.Program = nil
	case !wasActive && p.err == nil:
		activate(p, c)
	}
}

// forms returns how many rules would take as much memory as what was prepared.
func (rs *RuleSet) forms() int {
	if rs.Program == nil {
		return 0
	}
	return rs.Program.Forms()
}

// editRules plans the changes of a ruleset's rules.
func editRules(p *plan, c *change[RuleSet]) {
	rs := c.new
	own := false // rs.Rules is of no other row
	if len(rs.Rules) > rs.Size {
		p.allRules -= len(rs.Rules) - rs.Size
		rs.Rules, own = slices.Clone(rs.Rules[:rs.Size]), true
		rs.written, rs.acts, rs.actions = nil, nil, 0
		for i := range rs.Rules {
			rs.noteRule(i, &rs.Rules[i])
		}
	}
	before := len(rs.Rules)
	last := before
	for _, e := range c.edits {
		switch more := max(e.rule-last, 0); {
		case e.rule > rs.Size:
			p.fail(smi.InconsistentName, e.at)
		case more > 0 && p.allRules+more > MaxAllRules:
			p.fail(smi.ResourceUnavailable, e.at)
		default:
			last += more
			p.allRules += more
		}
	}
	if len(c.edits) == 0 || p.err != nil {
		return
	}
	switch {
	case last > cap(rs.Rules): // grows as if it were appended to
		rs.Rules, own = append(rs.Rules[:before:before], make([]ruleset.Rule, last-before)...), true
	case c.status != 0 && !own:
		rs.Rules, own = append(slices.Clone(rs.Rules), make([]ruleset.Rule, last-before)...), true
	default:
		rs.Rules = rs.Rules[:last]
	}
	rs.written, rs.acts = slices.Clone(rs.written), slices.Clone(rs.acts)
	staged := make(map[int]*ruleset.Rule)
	for _, e := range c.edits {
		r := &rs.Rules[e.rule-1]
		if !own {
			// The rules are those of the row that is there now.
			if staged[e.rule] == nil {
				now := *r
				staged[e.rule] = &now
			}
			r = staged[e.rule]
		}
		e.set(r)
		rs.noteRule(e.rule-1, r)
	}
	for i, r := range staged {
		set(p, &rs.Rules[i-1], *r)
	}
}

// activate plans that a ruleset becomes active.
func activate(p *plan, c *change[RuleSet]) {
	rs := c.new
	switch {
	case !rs.RulesReady:
		p.fail(smi.InconsistentValue, c.place(module.FlowRuleInfoRulesReady))
		return
	case !rs.complete():
		p.fail(smi.InconsistentValue, c.place(nil))
		return
	}
	program := p.prepared[c.index]
	if program == nil {
		var err error
		if program, err = p.h.meter.Prepare(&ruleset.RuleSet{Number: c.index, Name: rs.Name, Rules: rs.Rules}); err != nil {
			p.fail(smi.InconsistentValue, c.place(nil))
			return
		}
		p.prepared[c.index] = program
	}
	if p.allRules += program.Forms(); p.allRules > MaxAllRules {
		p.fail(smi.ResourceUnavailable, c.place(nil))
		return
	}
	rs.Program = program
	rs.noteDistributions()
}

// ruleEdit changes a rule.
type ruleEdit struct {
	rule int // from 1
	at   int // place of the variable
	set  func(r *ruleset.Rule)
}

func (h *Handler) ruleSetObjects() []object { return h.ruleSetTable().objects() }

// ruleTable is flowRuleTable. A rule has a row once anything of it was written,
// but no action until that was.
type ruleTable struct {
	h    *Handler
	acts bool // for the column of actions
	rule *ruleset.Rule
}

// rows returns which rules have a row, of a ruleset that is not active. Of an
// active one all do; the built-in one's have no masks where none is needed.
func (t *ruleTable) rows(rs *RuleSet) bitmap {
	if t.acts {
		return rs.acts
	}
	return rs.written
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
	return rs.Active || t.rows(rs).has(int(index[1]-1))
}

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
	for rs := t.h.ruleSetFrom(&ruleSet); rs != nil; rs = t.h.ruleSetFrom(&ruleSet) {
		if ruleSet != given {
			from = 0
		}
		i := int(max(int64(from), 1)) - 1
		if !rs.Active {
			rows := t.rows(rs)
			t.h.work += len(rows) / wordsWorked
			i = rows.next(i)
		}
		if i >= 0 && i < len(rs.Rules) {
			t.rule = &rs.Rules[i]
			return append(name, ruleSet, uint32(i+1)), true
		}
		ruleSet++
	}
	return name, false
}

func (h *Handler) ruleObjects() []object {
	t, acts := &ruleTable{h: h}, &ruleTable{h: h, acts: true}
	infos := h.ruleSetTable()
	column := func(t *ruleTable, named *module.Object, get func(r *ruleset.Rule, v *smi.Value) bool, check func(*smi.Value) smi.Status, edit func(r *ruleset.Rule, v *smi.Value)) object {
		return object{
			oid: named.OID, table: t, check: check,
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
	address := func(of func(r *ruleset.Rule) *attr.Value) (func(r *ruleset.Rule, v *smi.Value) bool, func(*smi.Value) smi.Status, func(r *ruleset.Rule, v *smi.Value)) {
		return func(r *ruleset.Rule, v *smi.Value) bool {
				v.Type, v.Octets = smi.OctetString, atLeastOne(*of(r)).Append(v.Octets[:0])
				return true
			}, octets(smallestRuleAddress, attr.MaxAddress),
			func(r *ruleset.Rule, v *smi.Value) { *of(r) = attr.MakeValue(v.Octets...) }
	}
	maskGet, maskCheck, maskEdit := address(func(r *ruleset.Rule) *attr.Value { return &r.Mask })
	valueGet, valueCheck, valueEdit := address(func(r *ruleset.Rule) *attr.Value { return &r.Value })
	return []object{
		column(t, module.FlowRuleSelector,
			func(r *ruleset.Rule, v *smi.Value) bool { v.SetInt(int32(r.Attr)); return true }, ruleAttribute,
			func(r *ruleset.Rule, v *smi.Value) { r.Attr = attr.Attr(v.Int) }),
		column(t, module.FlowRuleMask, maskGet, maskCheck, maskEdit),
		column(t, module.FlowRuleMatchedValue, valueGet, valueCheck, valueEdit),
		column(acts, module.FlowRuleAction,
			func(r *ruleset.Rule, v *smi.Value) bool { v.SetInt(int32(r.Op)); return true }, integer(1, int32(ruleset.OpPopToAct)),
			func(r *ruleset.Rule, v *smi.Value) { r.Op = ruleset.Opcode(v.Int) }),
		column(t, module.FlowRuleParameter,
			func(r *ruleset.Rule, v *smi.Value) bool { v.SetInt(int32(r.Param)); return true }, integer(0, largestParameter),
			func(r *ruleset.Rule, v *smi.Value) { r.Param = int(v.Int) }),
	}
}

// atLeastOne returns v, or an octet of zero if it has none.
func atLeastOne(v attr.Value) attr.Value { return v.Resize(max(v.Len(), smallestRuleAddress)) }

// ruleAttribute is for RuleAttributeNumber, and the attributes of RFC 2724 and
// of this meter.
func ruleAttribute(v *smi.Value) smi.Status {
	if v.Type != smi.Integer32 {
		return smi.WrongType
	}
	if v.Int < 0 || v.Int > math.MaxUint16 || !attr.Attr(v.Int).Testable() {
		return smi.WrongValue
	}
	return smi.NoError
}
