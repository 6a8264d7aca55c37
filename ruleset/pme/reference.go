package pme

import "rtfm/ruleset"

// pushed is one item of the pattern queue.
type pushed struct {
	attr        ruleset.Attr
	mask, value ruleset.Value
	length      int // of the value, for addresses whose length varies
}

// Reference matches the packet's key against the rules as in RFC 2722 section
// 4.4, one rule after the other; reversed says that key's source and
// destination have been swapped. The flow key is valid if the verdict is
// Success. Class and Kind of key are changed.
func Reference(rs *ruleset.RuleSet, number int, shapes *ruleset.Shapes, p *ruleset.Packet, key *ruleset.Key, reversed bool) (Verdict, ruleset.FlowKey) {
	return Follow(rs, number, shapes, p, key, reversed, func(*Step) {})
}

// Step is what a match does at one rule.
type Step struct {
	Rule int // its number, from 1
	// Attr is the attribute that the rule tests, saves or sets: for a meter
	// variable that is not assigned, the one that it stands for.
	Attr ruleset.Attr
	// Reversed is set if source and destination have been swapped.
	Reversed bool
	// Tested is set if the rule's test was performed, Held if it succeeded or
	// was left out, so that the rule's action follows.
	Tested, Held bool
}

// Follow matches as Reference does and calls step for each rule as it is
// tried, before its action. The Step is valid until step returns.
func Follow(rs *ruleset.RuleSet, number int, shapes *ruleset.Shapes, p *ruleset.Packet, key *ruleset.Key, reversed bool, step func(*Step)) (Verdict, ruleset.FlowKey) {
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
			return NoMatch, ruleset.FlowKey{}
		}
		r := &rs.Rules[rule-1]
		attr := r.Attr
		if !r.Op.Assigns() {
			attr = vars.resolve(attr)
		}
		tested := test && !r.Op.Assigns()
		held := !tested || succeeds(attr, r, key, reversed)
		step(&Step{Rule: rule, Attr: attr, Reversed: reversed, Tested: tested, Held: held})
		if !held {
			rule++
			continue
		}
		if actions++; actions > MaxActions {
			return Stopped, ruleset.FlowKey{}
		}
		target := r.Param
		switch r.Op {
		case ruleset.OpIgnore:
			return Ignore, ruleset.FlowKey{}
		case ruleset.OpNoMatch:
			return NoMatch, ruleset.FlowKey{}
		case ruleset.OpCount, ruleset.OpPushRuleTo, ruleset.OpPushRuleToAct:
			queue = append(queue, fromRule(attr, r, p))
			if in := attr.Info(); in.Class == ruleset.ClassComputed {
				key[in.Offset] = queue[len(queue)-1].value.At(0)
			}
		case ruleset.OpCountPkt, ruleset.OpPushPktTo, ruleset.OpPushPktToAct:
			queue = append(queue, fromPacket(attr, r, p, key))
		case ruleset.OpPopTo, ruleset.OpPopToAct:
			if len(queue) > 0 {
				queue = queue[:len(queue)-1]
			}
		case ruleset.OpAssign, ruleset.OpAssignAct:
			vars.assign(r.Attr, r.Value)
		case ruleset.OpGosub, ruleset.OpGosubAct:
			if len(returns) == MaxReturns {
				return Stopped, ruleset.FlowKey{}
			}
			returns = append(returns, caller{rule, vars})
		case ruleset.OpReturn:
			if len(returns) == 0 {
				return NoMatch, ruleset.FlowKey{}
			}
			c := returns[len(returns)-1]
			returns = returns[:len(returns)-1]
			vars = c.vars
			target = c.rule + r.Param
		}
		if len(queue) > MaxPushes {
			return Stopped, ruleset.FlowKey{}
		}
		if r.Op == ruleset.OpCount || r.Op == ruleset.OpCountPkt {
			return Success, build(queue, number, shapes, p)
		}
		test = r.Op.TestsNext()
		rule = target
	}
}

// octets returns the value of attribute a in the key, filled with zeros.
func octets(a ruleset.Attr, key *ruleset.Key) ruleset.Value {
	in := a.Info()
	return ruleset.MakeValue(key[in.Offset : in.Offset+in.Size]...)
}

// fitted returns the rule's mask as it applies to attribute a: as long as
// the attribute is at most.
func fitted(a ruleset.Attr, mask ruleset.Value) ruleset.Value {
	m, _ := mask.Fit(a)
	return m.Resize(a.Info().Size)
}

func succeeds(a ruleset.Attr, r *ruleset.Rule, key *ruleset.Key, reversed bool) bool {
	mask, value := fitted(a, r.Mask), ruleset.Value{}
	value, fits := r.Value.Fit(a)
	switch a.Info().Class {
	case ruleset.ClassNull:
		return true
	case ruleset.ClassInteger, ruleset.ClassAddress, ruleset.ClassComputed:
		return fits && octets(a, key).And(mask).Padded() == value.Padded()
	case ruleset.ClassMatching:
		is := func(b byte) bool { return fits && mask.At(0)&b == value.At(0) }
		if reversed {
			return is(0) || is(2)
		}
		return is(1)
	}
	return false
}

func fromPacket(a ruleset.Attr, r *ruleset.Rule, p *ruleset.Packet, key *ruleset.Key) pushed {
	q := pushed{attr: a, mask: fitted(a, r.Mask), length: addressLen(a, p)}
	switch {
	case saveable(a):
		q.value = octets(a, key).And(q.mask)
	case a.Info().Class == ruleset.ClassDistrib:
		q.value, _ = r.Value.Fit(a)
	}
	return q
}

func fromRule(a ruleset.Attr, r *ruleset.Rule, p *ruleset.Packet) pushed {
	q := pushed{attr: a, mask: fitted(a, r.Mask), length: addressLen(a, p)}
	v, _ := r.Value.Fit(a)
	switch {
	case saveable(a):
		q.value = v.Resize(a.Info().Size).And(q.mask)
		q.length = pushedLen(a, q.value, q.length)
	case a.Info().Class == ruleset.ClassDistrib:
		q.value = v
	}
	return q
}

// saveable reports whether a flow can hold the value of a.
func saveable(a ruleset.Attr) bool {
	switch a.Info().Class {
	case ruleset.ClassInteger, ruleset.ClassAddress, ruleset.ClassComputed:
		return true
	}
	return false
}

// addressLen returns the length of the packet's address a, 0 when a is not
// an address of varying length.
func addressLen(a ruleset.Attr, p *ruleset.Packet) int {
	switch {
	case a.IsPeer():
		return int(p.PeerLen)
	case a.IsAdjacent():
		return int(p.AdjacentLen)
	}
	return 0
}

// pushedLen returns the length that a rule's value for address a has in a
// flow: that of the packet's own address if it suffices, else the first of
// those that addresses commonly have.
func pushedLen(a ruleset.Attr, v ruleset.Value, packet int) int {
	if !a.IsPeer() && !a.IsAdjacent() {
		return 0
	}
	for _, n := range []int{packet, 4, ruleset.MaxAdjacent, 16} {
		if n > 0 && v.Resize(n).Padded() == v.Padded() && n <= a.Info().Size {
			return n
		}
	}
	return a.Info().Size
}

// build makes the flow key from the pattern queue: all values zero, then the
// items' copied in the order they were saved.
func build(queue []pushed, number int, shapes *ruleset.Shapes, p *ruleset.Packet) ruleset.FlowKey {
	var k ruleset.FlowKey
	var saved []ruleset.Saved
	var distributions []ruleset.Distribution
	var peer, adjacent int
	for _, q := range queue {
		if q.attr.Info().Class == ruleset.ClassDistrib {
			distributions = append(distributions, ruleset.Distribution{Attr: q.attr, Mask: q.mask, Value: q.value})
		}
		if !saveable(q.attr) {
			continue
		}
		saved = append(saved, ruleset.Saved{Attr: q.attr, Mask: q.mask})
		in := q.attr.Info()
		v := q.value.Padded()
		copy(k.Key[in.Offset:in.Offset+in.Size], v[:])
		switch {
		case q.attr.IsPeer():
			peer = max(peer, q.length)
		case q.attr.IsAdjacent():
			adjacent = max(adjacent, q.length)
		}
	}
	k.Shape = shapes.Intern(number, uint8(peer), uint8(adjacent), saved, distributions...)
	return k
}
