package pme

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/ruleset"
)

// Match runs the program over the match key; reversed says that its source and
// destination have been swapped, pkt gives the lengths of addresses. On Success k
// is the key of the packet's flow. Class and Kind of key are changed. It
// allocates only for combinations that were never saved before.
func (p *Program) Match(pkt *match.Packet, key *attr.Key, reversed bool, k *match.FlowKey) Verdict {
	var (
		vars     ordinals
		depth    = 0 // of the return stack
		at, rule = int32(0), int32(0)
		test     = true
		copies   = true // all pushes do
		actions  = 0
	)
	if p.step != nil {
		return p.follow(pkt, key, reversed, k)
	}
	*key.Computed() = [8]byte{}
	for uint(rule) < uint(len(p.rules)) {
		r := &p.rules[rule]
		if r.kind == testVariable {
			r = &p.variants[r.aux+int32(vars[r.attr-attr.V1])]
		}
		if test {
			if r.group >= 0 {
				found := p.lookup(r, rule, &vars, key)
				if found < 0 {
					rule = -found
					continue
				}
				rule = found
				r = p.form(rule, &vars)
			} else if !p.succeeds(r, key, reversed) {
				rule++
				continue
			}
		}
		if actions++; actions > MaxActions {
			return Stopped
		}
		switch r.op {
		case ruleset.OpIgnore:
			return Ignore
		case ruleset.OpNoMatch:
			return NoMatch
		case ruleset.OpReturn:
			if depth == 0 {
				return NoMatch
			}
			depth--
			vars = p.returns[depth].vars
			rule = p.returns[depth].rule + r.target
			test = false
			continue
		case ruleset.OpGosub, ruleset.OpGosubAct:
			if depth == MaxReturns {
				return Stopped
			}
			p.returns[depth] = frame{rule, vars}
			depth++
		case ruleset.OpAssign, ruleset.OpAssignAct:
			vars[r.attr-attr.V1] = uint8(r.aux)
		case ruleset.OpPopTo, ruleset.OpPopToAct:
			at = p.nodes[at].parent
		case ruleset.OpGoto, ruleset.OpGotoAct:
		default: // the pushes
			if r.computed && (r.op == ruleset.OpPushRuleTo || r.op == ruleset.OpPushRuleToAct) {
				key[r.off] = byte(r.value[0])
			}
			if at = p.push(at, r, key[r.off]); at < 0 {
				return Stopped
			}
			copies = copies && r.copies
			if !r.op.HasTarget() {
				if copies {
					return p.copy(at, pkt, key, k)
				}
				return p.build(at, pkt, key, k)
			}
		}
		test = r.op.TestsNext()
		rule = r.target
	}
	return NoMatch
}

// Watch has step called for each rule that a match comes to from now on, as
// Follow does; nil ends that. Matches are slow while it is set: each rule is
// tried by itself, as in Reference. Without it nothing is slower.
func (p *Program) Watch(step func(*Step)) { p.step = step }

// follow is Match with p.step called at each rule.
func (p *Program) follow(pkt *match.Packet, key *attr.Key, reversed bool, k *match.FlowKey) (v Verdict) {
	v, *k = Follow(p.source, p.number, p.shapes, pkt, key, reversed, p.step)
	return v
}

// form returns the rule in the form that the variables give it.
func (p *Program) form(rule int32, vars *ordinals) *instr {
	r := &p.rules[rule]
	if r.kind == testVariable {
		r = &p.variants[r.aux+int32(vars[r.attr-attr.V1])]
	}
	return r
}

func load(key *attr.Key, off uint8) uint64 { return binary.LittleEndian.Uint64(key[off:]) }

// masked returns the value that r tests or saves, as the packet has it.
func (r *instr) masked(key *attr.Key) (w words) {
	for i := range w {
		if r.mask[i] != 0 {
			w[i] = load(key, r.off+8*uint8(i)) & r.mask[i]
		}
	}
	return w
}

func (p *Program) succeeds(r *instr, key *attr.Key, reversed bool) bool {
	switch r.kind {
	case testAlways:
		return true
	case testWord:
		return load(key, r.off)&r.mask[0] == r.value[0]
	case testWords:
		return r.masked(key) == r.value
	case testStoD:
		t := &p.stod[r.aux]
		if reversed {
			return t[1]
		}
		return t[0]
	}
	return false
}
