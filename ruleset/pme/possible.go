package pme

import (
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// Possible tells what a program may do with packets of which not everything is known. It
// follows all ways on which a match may go; what tests depend on what is not known, and
// what variables and the return stack hold, may be anything. It is not safe for
// concurrent use.
type Possible struct {
	Steps   uint64 // rules that were looked at, of all packets
	program *Program
	returns []int32  // the rules with Gosub
	seen    []uint32 // states, see next: the round in which one was reached last
	round   uint32
	open    []int32 // states that are reached and were not looked at
}

// NewPossible returns what tells of a program.
func NewPossible(p *Program) *Possible {
	s := &Possible{program: p, seen: make([]uint32, 2*len(p.rules))}
	for i := range p.rules {
		if op := p.rules[i].op; op == ruleset.OpGosub || op == ruleset.OpGosubAct {
			s.returns = append(s.returns, int32(i))
		}
	}
	return s
}

// outcome is that of a test.
type outcome uint8

const (
	fails outcome = iota
	holds
	mayHold
)

// Counts reports whether the program may count a packet whose key is key in those bits
// that are set in known. It does if that cannot be told. The packet is as it is, not
// with its ends changed over.
func (s *Possible) Counts(key, known *attr.Key) bool {
	return s.reaches(func(r *instr) outcome { return r.outcome(key, known) }, key, known)
}

// Ends returns prefixes of peer addresses. Of a packet that the program counts, or would
// with its ends changed over, one of the two begins with one of them; false if there are
// no such, or more than most.
func (s *Possible) Ends(most int) (prefixes []attr.Value, widths []int, ok bool) {
	peer := func(r *instr) bool { return r.attr == attr.SourcePeerAddress || r.attr == attr.DestPeerAddress }
	var none attr.Key
	if s.reaches(func(r *instr) outcome {
		if groupable(r) && peer(r) && r.mask != (words{}) {
			return fails // as it does for addresses that are not asked for
		}
		return r.outcome(&none, &none)
	}, nil, nil) {
		return nil, nil, false
	}
	for i := range s.program.source.Rules {
		r := &s.program.source.Rules[i]
		in := &s.program.rules[i]
		if !groupable(in) || !peer(in) || in.mask == (words{}) {
			continue
		}
		mask := fitted(r.Attr, r.Mask)
		width, is := mask.Width()
		if !is || len(prefixes) == most {
			return nil, nil, false
		}
		v, _ := r.Value.Fit(r.Attr)
		prefixes, widths = append(prefixes, v.Resize(attr.MaxAddress)), append(widths, width)
	}
	return prefixes, widths, true
}

// outcome returns that of the rule's test of a key of which some bits are known.
func (r *instr) outcome(key, known *attr.Key) outcome {
	switch r.kind {
	case testAlways:
		return holds
	case testNever:
		return fails
	case testWord, testWords:
		all := true
		for i, m := range r.mask {
			if m == 0 {
				continue
			}
			off := r.off + 8*uint8(i)
			k := load(known, off) & m
			if load(key, off)&k != r.value[i]&k {
				return fails
			}
			all = all && k == m
		}
		if all {
			return holds
		}
	}
	return mayHold
}

// reaches reports whether a rule may be come to that counts. Runs of rules are looked up
// in the key, unless it is nil.
func (s *Possible) reaches(test func(r *instr) outcome, key, known *attr.Key) bool {
	p := s.program
	if s.round++; s.round == 0 {
		clear(s.seen)
		s.round = 1
	}
	s.open = s.open[:0]
	s.reach(0, true)
	for len(s.open) > 0 {
		state := s.open[len(s.open)-1]
		s.open = s.open[:len(s.open)-1]
		rule, tests := state/2, state&1 == 0
		s.Steps++
		r := &p.rules[rule]
		if tests {
			if r.group >= 0 && key != nil && p.groups[r.group].knows(r, known) {
				var vars ordinals
				if rule = p.lookup(r, rule, &vars, key); rule < 0 {
					s.reach(-rule, true)
					continue
				}
				r = &p.rules[rule]
			} else {
				o := test(r)
				if o != holds {
					s.reach(rule+1, true)
				}
				if o == fails {
					continue
				}
			}
		}
		switch {
		case r.op == ruleset.OpCount || r.op == ruleset.OpCountPkt:
			return true
		case r.op == ruleset.OpReturn:
			for _, from := range s.returns {
				s.reach(from+r.target, false)
			}
		case r.op.HasTarget():
			s.reach(r.target, r.op.TestsNext())
		}
	}
	return false
}

// reach notes that a match may come to a rule.
func (s *Possible) reach(rule int32, tests bool) {
	state := 2 * rule
	if !tests {
		state++
	}
	if uint(rule) < uint(len(s.program.rules)) && s.seen[state] != s.round {
		s.seen[state] = s.round
		s.open = append(s.open, state)
	}
}

// knows reports whether a lookup of a run that r is in looks only at what is known.
func (g *group) knows(r *instr, known *attr.Key) bool {
	if g.networks != nil {
		return load(known, r.off) == 1<<64-1
	}
	for i, m := range r.mask {
		if m != 0 && load(known, r.off+8*uint8(i))&m != m {
			return false
		}
	}
	return true
}
