package pme

import (
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// pushed is one item of the pattern queue.
type pushed struct {
	attr        attr.Attr
	mask, value attr.Value
	length      int // of the value, for addresses whose length varies
}

// Reference matches the packet's key against the rules as in RFC 2722 section
// 4.4, one rule after the other; reversed says that key's source and
// destination have been swapped. The flow key is valid if the verdict is
// Success. Class and Kind of key are changed.
func Reference(rs *ruleset.RuleSet, number int, shapes *match.Shapes, p *match.Packet, key *attr.Key, reversed bool) (Verdict, match.FlowKey) {
	return Follow(rs, number, shapes, p, key, reversed, func(*Step) {})
}

// Step is what a match does at one rule.
type Step struct {
	Rule int // its number, from 1
	// Attr is what the rule tests, saves or sets: of a meter variable that is
	// not assigned, the attribute that it stands for.
	Attr attr.Attr
	// Reversed is set if source and destination have been changed over.
	Reversed bool
	// Tested is set if the rule's test was performed, Held if it succeeded or
	// was left out, so that the rule's action follows.
	Tested, Held bool
}

// Follow matches as Reference does and calls step for each rule as it is
// tried, before its action. The Step is valid until step returns.
func Follow(rs *ruleset.RuleSet, number int, shapes *match.Shapes, p *match.Packet, key *attr.Key, reversed bool, step func(*Step)) (Verdict, match.FlowKey) {
	type caller struct {
		rule int
		vars variables
	}
	var (
		vars    variables
		returns []caller
		queue   []pushed
		test    = true // the test indicator
		rule    = 1    // 1-origin
		actions = 0
	)
	*key.Computed() = [8]byte{}
	for {
		if rule < 1 || rule > len(rs.Rules) {
			return NoMatch, match.FlowKey{}
		}
		r := &rs.Rules[rule-1]
		a := r.Attr
		if !r.Op.Assigns() {
			a = vars.resolve(a)
		}
		tested := test && !r.Op.Assigns()
		held := !tested || succeeds(a, r, key, reversed)
		step(&Step{Rule: rule, Attr: a, Reversed: reversed, Tested: tested, Held: held})
		if !held {
			rule++
			continue
		}
		if actions++; actions > MaxActions {
			return Stopped, match.FlowKey{}
		}
		target := r.Param
		switch r.Op {
		case ruleset.OpIgnore:
			return Ignore, match.FlowKey{}
		case ruleset.OpNoMatch:
			return NoMatch, match.FlowKey{}
		case ruleset.OpCount, ruleset.OpPushRuleTo, ruleset.OpPushRuleToAct:
			queue = append(queue, fromRule(a, r, p))
			if in := a.Info(); in.Class == attr.ClassComputed {
				key[in.Offset] = queue[len(queue)-1].value.At(0)
			}
		case ruleset.OpCountPkt, ruleset.OpPushPktTo, ruleset.OpPushPktToAct:
			queue = append(queue, fromPacket(a, r, p, key))
		case ruleset.OpPopTo, ruleset.OpPopToAct:
			if len(queue) > 0 {
				queue = queue[:len(queue)-1]
			}
		case ruleset.OpAssign, ruleset.OpAssignAct:
			vars.assign(r.Attr, r.Value)
		case ruleset.OpGosub, ruleset.OpGosubAct:
			if len(returns) == MaxReturns {
				return Stopped, match.FlowKey{}
			}
			returns = append(returns, caller{rule, vars})
		case ruleset.OpReturn:
			if len(returns) == 0 {
				return NoMatch, match.FlowKey{}
			}
			c := returns[len(returns)-1]
			returns = returns[:len(returns)-1]
			vars = c.vars
			target = c.rule + r.Param
		}
		if len(queue) > MaxPushes {
			return Stopped, match.FlowKey{}
		}
		if r.Op == ruleset.OpCount || r.Op == ruleset.OpCountPkt {
			return Success, build(queue, number, shapes, p)
		}
		test = r.Op.TestsNext()
		rule = target
	}
}

// octets returns the value of attribute a in the key, filled with zeros.
func octets(a attr.Attr, key *attr.Key) attr.Value {
	in := a.Info()
	return attr.MakeValue(key[in.Offset : in.Offset+in.Size]...)
}

// fitted returns the rule's mask as it applies to attribute a: as long as
// the attribute is at most.
func fitted(a attr.Attr, mask attr.Value) attr.Value {
	m, _ := mask.Fit(a)
	return m.Resize(a.Info().Size)
}

func succeeds(a attr.Attr, r *ruleset.Rule, key *attr.Key, reversed bool) bool {
	mask, value := fitted(a, r.Mask), attr.Value{}
	value, fits := r.Value.Fit(a)
	switch a.Info().Class {
	case attr.ClassNull:
		return true
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		return fits && octets(a, key).And(mask).Padded() == value.Padded()
	case attr.ClassMatching:
		is := func(b byte) bool { return fits && mask.At(0)&b == value.At(0) }
		if reversed {
			return is(0) || is(2)
		}
		return is(1)
	}
	return false
}

func fromPacket(a attr.Attr, r *ruleset.Rule, p *match.Packet, key *attr.Key) pushed {
	q := pushed{attr: a, mask: fitted(a, r.Mask), length: addressLen(a, p)}
	switch {
	case saveable(a):
		q.value = octets(a, key).And(q.mask)
	case a.IsMeasure():
		q.value, _ = r.Value.Fit(a)
	}
	return q
}

func fromRule(a attr.Attr, r *ruleset.Rule, p *match.Packet) pushed {
	q := pushed{attr: a, mask: fitted(a, r.Mask), length: addressLen(a, p)}
	v, _ := r.Value.Fit(a)
	switch {
	case saveable(a):
		q.value = v.Resize(a.Info().Size).And(q.mask)
		q.length = pushedLen(a, q.value, q.length)
	case a.IsMeasure():
		q.value = v
	}
	return q
}

// saveable reports whether a flow can hold the value of a.
func saveable(a attr.Attr) bool {
	switch a.Info().Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		return true
	}
	return false
}

// addressLen returns the length of the packet's address a, 0 when a is not
// an address of varying length.
func addressLen(a attr.Attr, p *match.Packet) int {
	lengths := p.Lengths()
	if l := lengths.Of(a); l != nil {
		return int(*l)
	}
	return 0
}

// pushedLen returns the length that a rule's value for address a has in a
// flow: that of the packet's own address if it suffices, else the first of
// those that addresses commonly have.
func pushedLen(a attr.Attr, v attr.Value, packet int) int {
	if !a.IsPeer() && !a.IsAdjacent() {
		return 0
	}
	for _, n := range []int{packet, 4, attr.MaxAdjacent, 16} {
		if n > 0 && v.Resize(n).Padded() == v.Padded() && n <= a.Info().Size {
			return n
		}
	}
	return a.Info().Size
}

// build makes the flow key from the pattern queue: all values zero, then the
// items' copied in the order they were saved.
func build(queue []pushed, number int, shapes *match.Shapes, p *match.Packet) match.FlowKey {
	var k match.FlowKey
	var saved []match.Saved
	var distributions []attr.Measure
	var lengths match.Lengths
	for _, q := range queue {
		if q.attr.IsMeasure() {
			distributions = append(distributions, attr.Measure{Attr: q.attr, Mask: q.mask, Value: q.value})
		}
		if !saveable(q.attr) {
			continue
		}
		saved = append(saved, match.Saved{Attr: q.attr, Mask: q.mask})
		in := q.attr.Info()
		v := q.value.Padded()
		copy(k.Key[in.Offset:in.Offset+in.Size], v[:])
		if l := lengths.Of(q.attr); l != nil {
			*l = max(*l, uint8(q.length))
		}
	}
	k.Shape = shapes.InternLengths(number, lengths, saved, distributions...)
	return k
}
