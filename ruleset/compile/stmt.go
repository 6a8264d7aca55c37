package compile

import (
	"slices"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// stmts makes the nodes of a sequence of statements and returns the first;
// next is what follows the sequence.
func (c *compiler) stmts(sc *scope, list []srl.Stmt, next *node) *node {
	c.savedTwice(sc, list)
	for i := len(list) - 1; i >= 0; i-- {
		if i > 0 && c.ends(list[i-1]) {
			c.warnf(list[i].At(), Unreached, "this is never reached")
		}
		next = c.stmt(sc, list[i], next)
	}
	return next
}

// savedTwice warns of attributes that are saved once more without anything in
// between that could count a packet or go elsewhere.
func (c *compiler) savedTwice(sc *scope, list []srl.Stmt) {
	saved := map[attr.Attr]srl.Place{}
	note := func(s *srl.Save) {
		a, ok := attr.ByName(s.Attr.Text)
		if !ok {
			if all := attr.ByWord(s.Attr.Text); len(all) == 1 {
				a, ok = all[0], true
			}
		}
		if ref, param := sc.params[strings.ToLower(s.Attr.Text)]; param {
			a, ok = ref.attr, !ref.any
		}
		if before, again := saved[a]; again && ok {
			c.warnf(s.Attr.Place, SavedAgain, "%s is saved already (%s): the last time holds", s.Attr.Text, before.Where())
		}
		saved[a] = s.Attr.Place
	}
	for _, s := range list {
		switch s := s.(type) {
		case *srl.Empty, *srl.Store:
		case *srl.Save:
			note(s)
		case *srl.SaveList:
			for _, s := range s.List {
				note(s)
			}
		default:
			clear(saved)
		}
	}
}

// ends reports whether nothing after the statement is reached from it.
func (c *compiler) ends(s srl.Stmt) bool {
	switch s := s.(type) {
	case *srl.Count, *srl.Ignore, *srl.NoMatch, *srl.Leave, *srl.Back:
		return true
	case *srl.Compound:
		return c.once(s, func() bool { return s.Label.Text == "" && slices.ContainsFunc(s.Stmts, c.ends) })
	case *srl.If:
		return c.once(s, func() bool {
			return s.Else != nil && c.ends(s.Else) &&
				!slices.ContainsFunc(s.Arms, func(a srl.Arm) bool { return !c.ends(a.Then) })
		})
	}
	return false
}

// once returns what ends is of s, which is found once: every statement around
// it asks.
func (c *compiler) once(s srl.Stmt, find func() bool) bool {
	is, known := c.ending[s]
	if !known {
		is = find()
		c.ending[s] = is
	}
	return is
}

// stmt makes the nodes of a statement and returns the first, which is next
// for a statement that does nothing.
func (c *compiler) stmt(sc *scope, s srl.Stmt, next *node) *node {
	if c.full() {
		return next
	}
	if s != nil {
		c.at = s.At()
	}
	switch s := s.(type) {
	case *srl.If:
		if s.Else != nil {
			return c.arms(sc, s, next, c.stmt(sc, s.Else, next))
		}
		return c.arms(sc, s, next, next)
	case *srl.Compound:
		if s.Label.Text == "" {
			return c.stmts(sc, s.Stmts, next)
		}
		sc.exits[strings.ToLower(s.Label.Text)] = next // labels are unique, and EXITs inside
		return c.stmts(sc, s.Stmts, next)
	case *srl.Save:
		return c.save(sc, s, next)
	case *srl.SaveList:
		for i := len(s.List) - 1; i >= 0; i-- {
			next = c.save(sc, s.List[i], next)
		}
		return next
	case *srl.Store:
		return c.store(sc, s, next)
	case *srl.Call:
		return c.call(sc, s, next)
	case *srl.Leave:
		return sc.exits[strings.ToLower(s.Label.Text)]
	case *srl.Back:
		if !s.Labelled {
			return c.back(sc, noLabel)
		}
		return c.back(sc, s.N)
	case *srl.Count:
		c.counts = true
		return c.action(node{op: ruleset.OpCount})
	case *srl.Ignore:
		return c.action(node{op: ruleset.OpIgnore})
	case *srl.NoMatch:
		return c.action(node{op: ruleset.OpNoMatch})
	}
	return next
}

// arms makes the nodes of an IF, whose ELSE statement begins with otherwise.
func (c *compiler) arms(sc *scope, s *srl.If, next, otherwise *node) *node {
	for i := len(s.Arms) - 1; i >= 0; i-- {
		a := &s.Arms[i]
		then := next
		if a.Then != nil {
			then = c.stmt(sc, a.Then, next)
		}
		c.at = a.Place
		switch {
		case a.Cond == nil: // not understood, and reported
		case a.Save && mostSaves(a.Cond, false) > maxSaves:
			c.errorf(a.Place, "this IF saves more than %d attributes", maxSaves)
			c.plain(sc, a.Cond, then, otherwise) // for its faults
		case a.Save:
			otherwise = c.saving(sc, a.Cond, false, 0, func(int) *node { return then }, otherwise)
		default:
			otherwise = c.plain(sc, a.Cond, then, otherwise)
		}
	}
	return otherwise
}

func (c *compiler) save(sc *scope, s *srl.Save, next *node) *node {
	ref, ok := c.attribute(sc, s.Attr)
	if !ok || !c.saveable(s, ref) {
		return next
	}
	n := node{op: ruleset.OpPushPktTo, attr: ref.attr, value: zeroOf(ref.attr), succ: next}
	if ref.attr == attr.FlowRuleSet {
		c.warnf(s.Attr.Place, SavedAnyway, "every flow has its %s: there is no need to save it", ref)
		return next
	}
	if s.Table != nil {
		return c.saveTable(ref, s, next)
	}
	if !s.Assign {
		if n.mask, ok = c.mask(ref, &s.Operand); !ok {
			return next
		}
		return c.action(n)
	}
	if ref.measure() {
		if n.value, n.mask, ok = c.parameters(ref, &s.Operand); !ok {
			return next
		}
		return c.action(n)
	}
	o, ok := c.operand(ref, &s.Operand)
	if !ok {
		return next
	}
	if o.never {
		c.warnf(s.Operand.Value.Place, SavedOutside, "the value has bits outside of its mask; they are not saved")
	}
	n.op, n.mask = ruleset.OpPushRuleTo, o.mask
	n.value = canonical(ref.attr, o.value.And(o.mask))
	return c.action(n)
}

// parameters reads those of what flows measure, which are a value and a mask (RFC
// 2724 section 3.2).
func (c *compiler) parameters(ref reference, o *srl.Operand) (value, mask attr.Value, ok bool) {
	mask, ok = attr.Value{}.Resize(attr.DistributionSize), true
	switch statistic := ref.class() == attr.ClassStatistic; {
	case statistic && ref.attr.Parameter() == "":
		c.errorf(o.Value.Place, "%s takes no parameter: SAVE %s", ref, ref)
		return value, mask, false
	case statistic && o.Mask.Text != "":
		c.errorf(o.Mask.Place, "%s has no parameters in a mask", ref)
		return value, mask, false
	case statistic && ref.attr.Form() == attr.FormPackets && strings.Trim(o.Value.Text, "0123456789") != "":
		c.errorf(o.Value.Place, "%s takes %s, not %s: SAVE %s = 30", ref, ref.attr.Parameter(), o.Value.Text, ref)
		return value, mask, false
	case !statistic && (o.Mask.Text == "" || o.Width):
		c.errorf(o.Value.Place, "%s needs parameters in a mask as well: SAVE %s = value & mask", ref, ref)
		return value, mask, false
	case !statistic:
		mask, ok = c.parse(ref, &o.Mask)
	}
	value, valid := c.value(ref, &o.Value)
	if !ok || !valid {
		return value, mask, false
	}
	d := attr.Measure{Attr: ref.attr, Mask: mask, Value: value}
	if err := d.Check(); err != nil {
		c.errorf(o.Value.Place, "%v", err)
		return value, mask, false
	}
	return value, mask, true
}

// saveable reports whether a SAVE statement may have this attribute.
func (c *compiler) saveable(s *srl.Save, ref reference) bool {
	switch ref.class() {
	case attr.ClassMatching:
		c.errorf(s.Attr.Place, "%s cannot be saved: it is the direction of matching, not part of a flow", ref)
		return false
	case attr.ClassStatistic:
		switch {
		case s.Assign:
		case s.Operand.Mask.Text != "":
			c.errorf(s.Operand.Mask.Place, "%s is %s: it has no mask", ref, ref.kind())
			return false
		case ref.attr.Form() == attr.FormPackets:
			c.errorf(s.Attr.Place, "%s needs %s: SAVE %s = 30", ref, ref.attr.Parameter(), ref)
			return false
		}
	case attr.ClassDistrib:
		if !s.Assign {
			c.errorf(s.Attr.Place, "%s needs its parameters: SAVE %s = value & mask", ref, ref)
			return false
		}
	}
	return true
}

func (c *compiler) store(sc *scope, s *srl.Store, next *node) *node {
	ref, ok := c.attribute(sc, s.Variable)
	if !ok {
		return next
	}
	if ref.class() != attr.ClassComputed {
		c.errorf(s.Variable.Place, "STORE sets SourceClass, DestClass, FlowClass, SourceKind, DestKind or FlowKind, not %s", ref)
		return next
	}
	v, ok := c.value(ref, &s.Value)
	if !ok {
		return next
	}
	return c.action(node{op: ruleset.OpPushRuleTo, attr: ref.attr, mask: attr.Ones(1), value: v, succ: next})
}
