package pme

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/ruleset"
)

// maxWords is how many 8-octet words the longest value takes.
const maxWords = 3

type words [maxWords]uint64

// testKind says how a rule's test is done.
type testKind uint8

const (
	testAlways   testKind = iota // Null, Assign
	testNever                    // no value under the mask can be equal
	testWord                     // one word: mask[0], value[0]
	testWords                    // maxWords words
	testStoD                     // MatchingStoD
	testVariable                 // a meter variable: see Program.variants
)

// instr is a rule, prepared.
type instr struct {
	mask, value words // of the test; little-endian words of the octets
	keep        words // the value's place: bits that belong to other attributes are 0
	off         uint8 // of the attribute in the key
	kind        testKind
	op          ruleset.Opcode
	attr        attr.Attr
	save        int32 // what a push saves, index in Program.saves
	trim        uint8 // octets of the value without zeros at its end
	computed    bool  // a Class or Kind, which a pushed rule value sets
	copies      bool  // a push copies its value from the packet, or there is none
	target      int32 // the next rule from 0; for Return the parameter
	group       int32 // index in Program.groups, -1 for none
	// aux is for testVariable where in Program.variants its forms begin, for
	// testStoD the index in Program.stod, for Assign the ordinal of the
	// attribute.
	aux int32
}

// Program is a ruleset prepared to run. It is not safe for concurrent use.
type Program struct {
	rules   []instr
	stod    []stodTest
	groups  []group
	number  int
	shapes  *match.Shapes
	saves   []saved
	nodes   []node
	ordinal map[attr.Attr]uint8 // place among the attributes that are assigned to variables, from 1

	// variants holds the rules on meter variables in each of their forms,
	// len(ordinal)+1 for a rule: form 0 for a variable that was never
	// assigned, the others in the order of ordinal.
	variants []instr

	queue   [MaxPushes]queued
	returns [MaxReturns]frame

	source *ruleset.RuleSet
	step   func(*Step) // nil if nobody watches
}

// MaxForms bounds the forms of all rules on meter variables together: each has
// one for each attribute that any variable is assigned, and one more. Beyond
// that a ruleset would take more memory than its rules suggest.
const MaxForms = 1 << 20

// frame is what Gosub pushes on the return stack.
type frame struct {
	rule int32
	vars ordinals
}

// ordinals are the meter variables, each as the ordinal of its attribute.
type ordinals [5]uint8

// stodTest is a test of MatchingStoD: its result in and against wire order.
type stodTest [2]bool

// Compile prepares a ruleset, whose flows bear this number and whose shapes are
// kept in shapes. The error says which rule a meter cannot run.
func Compile(rs *ruleset.RuleSet, number int, shapes *match.Shapes) (*Program, error) {
	p := &Program{
		source: rs, number: number, shapes: shapes,
		ordinal: make(map[attr.Attr]uint8),
		nodes:   []node{{parent: 0}},
		rules:   make([]instr, len(rs.Rules)),
	}
	if err := rs.Check(); err != nil {
		return nil, err
	}
	assigned := []attr.Attr{attr.Null}
	for _, r := range rs.Rules {
		if a := attr.Attr(r.Value.Uint()); r.Op.Assigns() && p.ordinal[a] == 0 {
			assigned = append(assigned, a)
			p.ordinal[a] = uint8(len(assigned) - 1)
		}
	}
	onVariables := 0
	for i := range rs.Rules {
		if r := &rs.Rules[i]; isVariable(r.Attr) && !r.Op.Assigns() {
			onVariables++
		}
	}
	if n := onVariables * len(assigned); n > MaxForms {
		return nil, fmt.Errorf("ruleset: %d rules test variables that may stand for %d attributes: these are %d forms, and %d is the most", onVariables, len(assigned)-1, n, MaxForms)
	} else if n > 0 {
		p.variants = make([]instr, 0, n)
	}
	saves := make(map[saved]int32)
	for i := range rs.Rules {
		r, in := &rs.Rules[i], &p.rules[i]
		if i > 0 && r.Attr == rs.Rules[i-1].Attr && r.Mask == rs.Rules[i-1].Mask && r.Op == rs.Rules[i-1].Op && saveable(r.Attr) {
			*in = p.rules[i-1] // as in a list, but for the value
			in.setValue(r.Value)
			in.setTarget(r)
			continue
		}
		*in = p.prepare(r, r.Attr, saves)
		if isVariable(r.Attr) && !r.Op.Assigns() {
			in.kind = testVariable
			in.aux = int32(len(p.variants))
			for _, a := range assigned {
				p.variants = append(p.variants, p.prepare(r, a, saves))
			}
		}
	}
	if at := endless(p.rules); at >= 0 {
		return nil, ruleset.Diagnostics{rs.Diagnose(at+1, "loops for ever: no test on the way back to it can fail")}
	}
	p.makeGroups(len(assigned))
	return p, nil
}

// Start returns a copy of the Program in its initial state, for flows that bear
// this number and with shapes that are kept in shapes. Both share what does not
// change, so that a ruleset is compiled once, by whoever has the time.
func (p *Program) Start(number int, shapes *match.Shapes) *Program {
	return &Program{
		rules: p.rules, stod: p.stod, groups: p.groups, number: number, shapes: shapes, saves: p.saves,
		nodes: []node{{parent: 0}}, ordinal: p.ordinal, variants: p.variants,
	}
}

// Forms returns how many forms the rules on meter variables have, MaxForms at
// most. Each takes as much memory as a rule.
func (p *Program) Forms() int { return len(p.variants) }

func isVariable(a attr.Attr) bool { return a >= attr.V1 && a <= attr.V5 }

// prepare makes the form of rule r in which its attribute is a.
func (p *Program) prepare(r *ruleset.Rule, a attr.Attr, saves map[saved]int32) instr {
	info := a.Info()
	in := instr{op: r.Op, attr: a, group: -1}
	in.setTarget(r)
	mask := fitted(a, r.Mask)
	switch {
	case r.Op.Assigns():
		in.kind = testAlways
		in.aux = int32(p.ordinal[attr.Attr(r.Value.Uint())])
	case info.Class == attr.ClassNull:
		in.kind = testAlways
	case info.Class == attr.ClassMatching:
		in.kind = testStoD
		in.aux = int32(len(p.stod))
		value, fits := r.Value.Fit(a)
		is := func(b byte) bool { return fits && mask.At(0)&b == value.At(0) }
		p.stod = append(p.stod, stodTest{is(1), is(0) || is(2)})
	case !saveable(a):
		in.kind = testNever
	default:
		in.off = uint8(info.Offset)
		in.mask = toWords(mask)
		in.keep = toWords(attr.Ones(info.Size))
		in.computed = info.Class == attr.ClassComputed
		in.setValue(r.Value)
	}
	if r.Op.Pushes() {
		in.copies = in.keep[0] == 0 || in.fromPacket() && !in.computed
		s := saved{attr: a, mask: mask}
		if info.Attr.IsMeasure() {
			s.parameters, _ = r.Value.Fit(a)
		}
		id, ok := saves[s]
		if !ok {
			id = int32(len(p.saves))
			saves[s] = id
			p.saves = append(p.saves, s)
		}
		in.save = id
	}
	return in
}

// setTarget takes the parameter of r.
func (in *instr) setTarget(r *ruleset.Rule) {
	in.target = int32(r.Param)
	if r.Op.HasTarget() {
		in.target--
	}
}

// setValue has a rule with attribute and mask test for a value.
func (in *instr) setValue(v attr.Value) {
	value, fits := v.Fit(in.attr)
	whole := toWords(value)
	in.trim = 0
	for i, w := range whole {
		in.value[i] = w & in.mask[i]
		if in.value[i] != 0 {
			in.trim = uint8(8*i + (bits.Len64(in.value[i])+7)/8)
		}
	}
	switch {
	case !fits || in.value != whole:
		in.kind = testNever
	case in.mask[1]|in.mask[2] == 0:
		in.kind = testWord
	default:
		in.kind = testWords
	}
}

func toWords(v attr.Value) (w words) {
	var b [8 * maxWords]byte
	o := v.Padded()
	copy(b[:], o[:])
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return w
}

// endless finds a rule from which execution, whatever the packet, comes back
// to itself; -1 if there is none.
func endless(rules []instr) int {
	// State 2i is rule i with its test performed, 2i+1 without. Only states
	// that lead to one certain next state are followed.
	next := func(s int32) int32 {
		r := &rules[s/2]
		if s&1 == 0 && r.kind != testAlways {
			return -1
		}
		if !r.op.HasTarget() || int(r.target) >= len(rules) {
			return -1
		}
		n := 2 * r.target
		if !r.op.TestsNext() {
			n++
		}
		return n
	}
	const open, done = 1, 2
	mark := make([]uint8, 2*len(rules))
	var path []int32
	for s := range mark {
		path = path[:0]
		for at := int32(s); at >= 0 && mark[at] != done; at = next(at) {
			if mark[at] == open {
				return int(at / 2)
			}
			mark[at] = open
			path = append(path, at)
		}
		for _, at := range path {
			mark[at] = done
		}
	}
	return -1
}
