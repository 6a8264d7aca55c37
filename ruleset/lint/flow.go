package lint

import (
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// What rulesets may take: beyond it nothing is said of how packets go through them.
const (
	maxNodes = 400_000    // rules, for each way of calls to them
	maxWork  = 10_000_000 // intervals that sets are made of; then sets are no longer cut
)

// fact is the place of an attribute in a state. The values of a type, which is the
// same at both ends of a packet, stand at that of Source.
type fact = int

// state is what is known of the packets that come to a rule: nothing is left out
// that may be so.
type state struct {
	values []*set   // by fact
	saves  []*saves // by fact: rules whose save may be the last
}

// saves is a rule that saves an attribute, or the saves of two ways. It never changes
// but for its marks, which spare a second visit.
type saves struct {
	rule       int // from 1, 0 for none
	a, b       *saves
	none       bool // there may be no save
	live, over bool // it was marked so
}

var noSave = &saves{none: true}

// merged returns the saves of two ways.
func merged(a, b *saves) *saves {
	if a == b {
		return a
	}
	return &saves{a: a, b: b, none: a.none || b.none}
}

// visit calls fn for each rule, and goes into what enter returns true for.
func (s *saves) visit(enter func(*saves) bool, fn func(rule int)) {
	todo := []*saves{s}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case s == noSave || !enter(s):
		case s.a != nil:
			todo = append(todo, s.a, s.b)
		default:
			fn(s.rule)
		}
	}
}

// rules returns the rules, all if there are few.
func (s *saves) rules() (list []int) {
	const most = 1000
	seen := map[*saves]bool{}
	s.visit(func(s *saves) bool {
		is := !seen[s] && len(seen) < most
		seen[s] = true
		return is
	}, func(rule int) { list = append(list, rule) })
	return list
}

// node is a rule as it is reached: with its test or without, by certain calls.
type node struct {
	rule   int32 // from 0
	tested bool
	call   int32 // of analysis.calls
}

// call is a Gosub rule and the call around it.
type call struct {
	rule   int32
	around int32
}

// trace is what has been seen of a rule.
type trace struct {
	reached, held, failed bool
	before                *set // of what it tests, what came to it last
	peers                 bool // packets of IPv4 and of IPv6 may come to it
	v4, v6                bool // of one of them may
	noPorts               bool // only packets whose protocol has no ports came
	constant              bool // what it saves from the packet was always 0
	live                  bool // its save is counted on some way
	by                    int  // a rule that saves the attribute once more, 0 if none
	pushed                bool // it saves
}

// analysis goes through a ruleset as all packets may.
type analysis struct {
	rs      *ruleset.RuleSet
	facts   map[attr.Attr]fact
	attrs   []attr.Attr // by fact
	calls   []call
	callsOf map[call]int32
	rules   []trace
	work    int
	counted []end  // where packets are counted as they come
	counts  []end  // likewise, or changed over
	back    *state // of those that are tried again
	// statement tells of each rule whether it is a SAVE or STORE, which nothing takes
	// back.
	statement []bool
}

// end is a rule that ends the match, and what is known of the packets there.
type end struct {
	rule int
	s    *state
}

// analyse follows all ways through the rules; nil if there are too many, or loops.
func analyse(rs *ruleset.RuleSet, statement []bool) *analysis {
	a := &analysis{rs: rs, facts: map[attr.Attr]fact{}, rules: make([]trace, len(rs.Rules)), statement: statement}
	for i := range rs.Rules {
		at := rs.Rules[i].Attr
		a.fact(at)
		a.fact(at.Reverse())
	}
	for _, at := range []attr.Attr{attr.SourcePeerType, attr.SourceTransType} {
		a.fact(at)
	}
	order, ok := a.order()
	if !ok {
		return nil
	}
	first := &state{values: make([]*set, len(a.attrs)), saves: make([]*saves, len(a.attrs))}
	for i, at := range a.attrs {
		first.values[i] = a.initial(at)
		first.saves[i] = noSave
	}
	a.run(order, first, false)
	if a.back != nil {
		a.run(order, a.reversed(a.back), true)
	}
	return a
}

// fact notes an attribute that packets or rules give a value.
func (a *analysis) fact(at attr.Attr) {
	switch at.Info().Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed, attr.ClassDistrib, attr.ClassStatistic:
		for _, at := range []attr.Attr{at, at.SourceType()} {
			if _, known := a.facts[at]; !known {
				a.facts[at] = len(a.attrs)
				a.attrs = append(a.attrs, at)
			}
		}
	}
}

// initial returns the values of an attribute before the first rule.
func (a *analysis) initial(at attr.Attr) *set {
	switch at.Info().Class {
	case attr.ClassComputed:
		return &set{1, []interval{{}}}
	case attr.ClassDistrib, attr.ClassStatistic:
		return &set{}
	}
	return universe(at)
}

// reversed returns the state of packets that are tried again.
func (a *analysis) reversed(s *state) *state {
	r := &state{values: make([]*set, len(a.attrs)), saves: make([]*saves, len(a.attrs))}
	for i, at := range a.attrs {
		r.saves[i] = noSave
		if r.values[i] = a.initial(at); at.Info().Class != attr.ClassComputed && !at.IsMeasure() {
			r.values[i] = s.values[a.facts[at.Reverse().SourceType()]]
		}
	}
	return r
}

// next returns the nodes that may follow one: after a failed test, and after the
// rule's action.
func (a *analysis) next(n node) (fail, then node, fails, goes bool) {
	r := &a.rs.Rules[n.rule]
	fail = node{n.rule + 1, true, n.call}
	fails = n.tested && !r.Op.Assigns() && r.Attr != attr.Null && int(fail.rule) < len(a.rs.Rules)
	switch {
	case r.Op == ruleset.OpReturn:
		if n.call == 0 {
			return fail, then, fails, false
		}
		c := a.calls[n.call]
		then = node{c.rule + int32(r.Param), false, c.around}
	case !r.Op.HasTarget():
		return fail, then, fails, false
	default:
		then = node{int32(r.Param) - 1, r.Op.TestsNext(), n.call}
		if r.Op == ruleset.OpGosub || r.Op == ruleset.OpGosubAct {
			then.call = a.inside(call{n.rule, n.call})
		}
	}
	return fail, then, fails, int(then.rule) < len(a.rs.Rules)
}

// inside returns the number of a call.
func (a *analysis) inside(c call) int32 {
	if a.callsOf == nil {
		a.callsOf = map[call]int32{}
		a.calls = make([]call, 1) // 0 is none
	}
	n, ok := a.callsOf[c]
	if !ok {
		n = int32(len(a.calls))
		a.callsOf[c] = n
		a.calls = append(a.calls, c)
	}
	return n
}

// order returns the nodes that may be reached, each before those that follow it;
// false if there are loops or too many.
func (a *analysis) order() ([]node, bool) {
	if len(a.rs.Rules) == 0 {
		return nil, false
	}
	const open, done = 1, 2
	mark := map[node]uint8{}
	type visit struct {
		n    node
		step int
	}
	var order []node
	todo := []visit{{node{0, true, 0}, 0}}
	for len(todo) > 0 {
		v := &todo[len(todo)-1]
		fail, then, fails, goes := a.next(v.n)
		v.step++
		var to node
		switch {
		case v.step == 1 && fails:
			to = fail
		case v.step <= 2 && goes:
			v.step = 2
			to = then
		case v.step <= 2:
			continue
		default:
			mark[v.n] = done
			order = append(order, v.n)
			todo = todo[:len(todo)-1]
			continue
		}
		mark[v.n] = open
		switch mark[to] {
		case open:
			return nil, false
		case 0:
			if len(mark) > maxNodes {
				return nil, false
			}
			todo = append(todo, visit{to, 0})
		}
	}
	slices.Reverse(order)
	return order, true
}

// run follows the packets of a state through the rules.
func (a *analysis) run(order []node, first *state, reversed bool) {
	at := map[node]*state{order[0]: first}
	for _, n := range order {
		s := at[n]
		delete(at, n)
		if s == nil {
			continue
		}
		fail, then, fails, goes := a.next(n)
		held, failed := s, (*state)(nil)
		r := &a.rs.Rules[n.rule]
		if n.tested && !r.Op.Assigns() {
			held, failed = a.test(r, s, reversed)
		}
		a.see(int(n.rule), s, held != nil, failed != nil)
		switch {
		case failed == nil:
		case fails:
			a.join(at, fail, failed)
		default:
			a.noMatch(failed, reversed)
		}
		if held == nil {
			continue
		}
		held = a.act(int(n.rule), held)
		switch {
		case goes:
			a.join(at, then, held)
		case r.Op == ruleset.OpCount || r.Op == ruleset.OpCountPkt:
			a.count(int(n.rule), held, reversed)
		case r.Op != ruleset.OpIgnore:
			a.noMatch(held, reversed)
		}
	}
}

// join adds what is known of packets that come to a node.
func (a *analysis) join(at map[node]*state, to node, s *state) {
	old := at[to]
	if old == nil {
		at[to] = s
		return
	}
	at[to] = a.union(old, s)
}

func (a *analysis) union(s, t *state) *state {
	if s == t {
		return s
	}
	u := &state{values: slices.Clone(s.values), saves: slices.Clone(s.saves)}
	for i, v := range t.values {
		if u.values[i] != v {
			if a.affords(len(v.list) + len(u.values[i].list)) {
				u.values[i] = u.values[i].union(v)
			} else {
				u.values[i] = universe(a.attrs[i])
			}
		}
		u.saves[i] = merged(u.saves[i], t.saves[i])
	}
	return u
}

// noMatch notes packets that are tried again.
func (a *analysis) noMatch(s *state, reversed bool) {
	switch {
	case reversed:
	case a.back == nil:
		a.back = s
	default:
		a.back = a.union(a.back, s)
	}
}

// test returns what is known of packets for which a rule's test holds, and fails;
// nil if there are none.
func (a *analysis) test(r *ruleset.Rule, s *state, reversed bool) (held, failed *state) {
	value, fits := r.Value.Fit(r.Attr)
	mask, _ := r.Mask.Fit(r.Attr)
	switch r.Attr.Info().Class {
	case attr.ClassNull:
		return s, nil
	case attr.ClassMatching:
		is := func(b byte) bool { return fits && mask.At(0)&b == value.At(0) }
		if reversed && (is(0) || is(2)) || !reversed && is(1) {
			return s, nil
		}
		return nil, s
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		if !fits || value.And(mask).Padded() != value.Padded() {
			return nil, s
		}
		return a.cut(r.Attr, mask, value, s)
	}
	return s, s
}

func (a *analysis) cut(at attr.Attr, mask, value attr.Value, s *state) (held, failed *state) {
	f := a.facts[at.SourceType()]
	by, ok := prefixed(at, mask, value)
	if !ok || !a.affords(len(s.values[f].list)) {
		return s, s
	}
	in, out := s.values[f].split(by)
	if !in.empty() {
		held = s.with(f, in)
	}
	if !out.empty() {
		failed = s.with(f, out)
	}
	return held, failed
}

// affords spends intervals of maxWork, if there are so many left.
func (a *analysis) affords(intervals int) bool {
	if a.work+intervals > maxWork {
		return false
	}
	a.work += intervals
	return true
}

// with returns s with other values of an attribute.
func (s *state) with(f fact, v *set) *state {
	if s.values[f] == v {
		return s
	}
	t := &state{values: slices.Clone(s.values), saves: s.saves}
	t.values[f] = v
	return t
}

// saving returns s with other last saves of an attribute.
func (s *state) saving(f fact, by *saves) *state {
	t := &state{values: s.values, saves: slices.Clone(s.saves)}
	t.saves[f] = by
	return t
}

// act returns what is known after a rule's action.
func (a *analysis) act(rule int, s *state) *state {
	r := &a.rs.Rules[rule]
	f, known := a.facts[r.Attr.SourceType()]
	if r.Op.Pushes() && r.Attr.Info().Class == attr.ClassVariable {
		return a.anything(s)
	}
	if !r.Op.Pushes() || !known {
		return s
	}
	t := &a.rules[rule]
	class := r.Attr.Info().Class
	byRule := r.Op == ruleset.OpPushRuleTo || r.Op == ruleset.OpPushRuleToAct || r.Op == ruleset.OpCount
	if !byRule && !class.IsMeasure() {
		v, one := s.values[f].only()
		t.constant = (t.constant || !t.pushed) && class == attr.ClassComputed && one && v == number{}
	}
	t.pushed = true
	if byRule && class == attr.ClassComputed {
		v, _ := r.Value.Fit(r.Attr)
		n := number(v.Padded())
		s = s.with(f, &set{1, []interval{{n, n}}})
	}
	g := a.facts[r.Attr]
	if !a.statement[rule] { // what may be taken back
		return s.saving(g, merged(s.saves[g], &saves{rule: rule + 1}))
	}
	s.saves[g].visit(func(s *saves) bool {
		is := !s.over
		s.over = true
		return is
	}, func(before int) { a.rules[before-1].by = rule + 1 })
	return s.saving(g, &saves{rule: rule + 1})
}

// anything returns s with any Class or Kind: a meter variable may stand for each.
func (a *analysis) anything(s *state) *state {
	for f, at := range a.attrs {
		if at.Info().Class == attr.ClassComputed {
			s = s.with(f, universe(at))
		}
	}
	return s
}

// see notes what has come to a rule.
func (a *analysis) see(rule int, s *state, held, failed bool) {
	t := &a.rules[rule]
	at := a.rs.Rules[rule].Attr
	first := !t.reached
	t.reached = true
	t.held = t.held || held
	t.failed = t.failed || failed
	if f, known := a.facts[at.SourceType()]; known {
		t.before = s.values[f]
	}
	peers, protocols := s.values[a.facts[attr.SourcePeerType]], s.values[a.facts[attr.SourceTransType]]
	v4, v6 := peers.holds(&number{1}), peers.holds(&number{2})
	t.v4, t.v6 = t.v4 || v4, t.v6 || v6
	t.peers = t.peers || v4 && v6
	if at == attr.SourceTransAddress || at == attr.DestTransAddress {
		t.noPorts = (t.noPorts || first) && (v4 || v6) && !ports(protocols)
	}
}

// ports reports whether a set of protocols has one with transport addresses.
func ports(protocols *set) bool {
	for p := range 256 {
		if attr.HasPorts(uint8(p)) && protocols.holds(&number{uint8(p)}) {
			return true
		}
	}
	return false
}

// count notes what is saved of packets that are counted.
func (a *analysis) count(rule int, s *state, reversed bool) {
	for _, by := range s.saves {
		by.visit(func(s *saves) bool {
			is := !s.live
			s.live = true
			return is
		}, func(rule int) { a.rules[rule-1].live = true })
	}
	if !reversed {
		a.counted = append(a.counted, end{rule, s})
	}
	a.counts = append(a.counts, end{rule, s})
}
