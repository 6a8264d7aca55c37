package lint

import (
	"fmt"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// linter holds a program and what was found in it.
type linter struct {
	prog  *srl.Program
	rs    *ruleset.RuleSet
	at    *places
	a     *analysis
	tests map[spot]*seenTest
	dead  map[*srl.Test]bool // which never hold
	// needed are operands that some packet has: of a list that is DEFINEd, by any test
	// that it stands in.
	needed map[spot]bool
	found  []Finding
	looked int // see mostLooked
}

// seenTest is what was seen of a test, wherever it stands if it came from a DEFINE.
type seenTest struct {
	test            *srl.Test
	rule            int // one of its rules, from 0
	reached         bool
	isTrue, isFalse bool // with some packet
	operands        map[spot]*seenOperand
	order           []spot
	wrongFamily     bool // of all operands, as all packets that came had it
	noPorts         bool
}

// seenOperand is what was seen of one of a test's operands.
type seenOperand struct {
	operand
	rule int
	held bool
	not  bool // the rules are of what the operand excludes
}

type savedAt struct {
	at spot
	a  attr.Attr
}

func newLinter(p *srl.Program, rs *ruleset.RuleSet) *linter {
	l := &linter{prog: p, rs: rs, at: placesOf(p), tests: map[spot]*seenTest{}, dead: map[*srl.Test]bool{}, needed: map[spot]bool{}}
	statement := make([]bool, len(rs.Rules))
	for i := range rs.Rules {
		at := rs.Rules[i].At
		statement[i] = rs.Rules[i].Op.Pushes() && (len(l.at.saves[at]) > 0 || l.at.stores[at])
	}
	l.a = analyse(rs, statement)
	return l
}

// say notes a finding, unless there are too many.
func (l *linter) say(at ruleset.Place, number int, format string, args ...any) {
	if len(l.found) > 2*srl.MaxErrors {
		return
	}
	d := at.Diagnose(l.prog.File, fmt.Sprintf(format, args...))
	d.Warning, d.Number = true, number
	l.found = append(l.found, Finding{Diagnostic: d, Note: isNote(number), at: at})
}

// look looks for all there is to say beyond the compiler's warnings.
func (l *linter) look() {
	if l.a == nil {
		return
	}
	l.collect()
	for _, t := range l.at.tests {
		s := l.tests[spotOf(t.Place)]
		if s != nil && s.test == t {
			l.test(s)
		}
	}
	l.families()
	if len(l.a.counts) == 0 {
		l.nothing()
		return
	}
	l.unreached()
	l.saves()
	l.counts()
	l.directions()
}

// collect puts together what was seen of the rules of each test.
func (l *linter) collect() {
	for i := range l.rs.Rules {
		r := &l.rs.Rules[i]
		o, ok := l.at.operands[r.At]
		if !ok || r.Attr == attr.Null {
			continue
		}
		key := spotOf(o.test.Place)
		t := l.tests[key]
		if t == nil {
			t = &seenTest{test: o.test, rule: i, operands: map[spot]*seenOperand{}, wrongFamily: true, noPorts: true}
			l.tests[key] = t
		}
		seen := &l.a.rules[i]
		t.reached = t.reached || seen.reached
		at := spotOf(r.At)
		so := t.operands[at]
		if so == nil {
			so = &seenOperand{operand: o, rule: i, not: o.inverted(r)}
			t.operands[at] = so
			t.order = append(t.order, at)
		}
		so.held = so.held || seen.held
		l.needed[at] = l.needed[at] || so.held
		isLast := i+1 == len(l.rs.Rules) || l.at.operands[l.rs.Rules[i+1].At].test != o.test
		holds, fails := seen.held, isLast && seen.failed
		if Excludes(o.test, o.of, r) {
			holds, fails = fails, holds
		}
		t.isTrue, t.isFalse = t.isTrue || holds, t.isFalse || fails
		if seen.reached {
			t.wrongFamily = t.wrongFamily && wrongFamily(r, seen)
			t.noPorts = t.noPorts && seen.noPorts
		}
	}
}

// wrongFamily reports whether a rule tests for an address of a family that no packet
// has which comes to it.
func wrongFamily(r *ruleset.Rule, seen *trace) bool {
	if !r.Attr.IsPeer() || r.Attr.IsInner() || r.Mask.Zero() || r.Value.Zero() {
		return false
	}
	if r.Value.Len() == 16 {
		return !seen.v6 && seen.v4
	}
	return r.Value.Len() == 4 && !seen.v4 && seen.v6
}

// test tells of a test that always or never holds, or whose operands do not.
func (l *linter) test(s *seenTest) {
	t := s.test
	if !s.reached {
		return
	}
	name, it := t.Attr.Text, "this"
	isTrue, isFalse := s.isTrue, s.isFalse
	if l.at.negated[t] {
		it, isTrue, isFalse = "the negation of this", isFalse, isTrue
	}
	first := &l.rs.Rules[s.rule]
	switch {
	case s.wrongFamily:
		l.dead[t] = true
		family := "IPv6"
		if first.Value.Len() == 16 {
			family = "IPv4"
		}
		l.say(t.Place, WrongFamily, "only packets of %s come here, whose %s is none of these", family, name)
	case s.noPorts && (first.Attr == attr.SourceTransAddress || first.Attr == attr.DestTransAddress):
		l.dead[t] = true
		l.say(t.Place, NoPorts, "only packets without ports come here: %s is 0", name)
	case !isTrue:
		l.dead[t] = true
		l.say(t.Place, NeverHolds, "%s never holds: %s", it, l.because(s.rule, s.values()))
	case !isFalse:
		l.say(t.Place, AlwaysHolds, "%s always holds: %s", it, l.because(s.rule, s.values()))
	}
	if s.isTrue && !s.wrongFamily && len(t.Operands) > 1 {
		for _, at := range s.order {
			if o := s.operands[at]; !o.held && !o.not && !l.needed[at] {
				l.say(o.of.Value.Place, NeverMatches, "%s never matches: %s", *o.of, l.because(o.rule, o.values()))
			}
		}
	}
}

const anyOfThese = "any of these"

// values returns what a test compares with if that is not one rule, else "".
func (s *seenTest) values() string {
	t := s.test
	switch {
	case t.Op != srl.Equal && t.Op != srl.NotEqual:
		return t.Op.String() + " " + t.Operands[0].String()
	case len(t.Operands) > 1:
		return anyOfThese
	case t.Operands[0].To.Text != "":
		return t.Operands[0].String()
	}
	return ""
}

// values returns the operand if that is not one rule, else "".
func (o *seenOperand) values() string {
	if o.of.To.Text != "" {
		return o.of.String()
	}
	return ""
}

// because tells why a rule's test does not hold, or always does. values are those of
// more rules, if it is of such.
func (l *linter) because(rule int, values string) string {
	r, seen := &l.rs.Rules[rule], &l.a.rules[rule]
	if r.Attr == attr.MatchingStoD {
		if l.a.back == nil {
			return "no packet is tried with source and destination changed over, as nothing leads to NOMATCH"
		}
		return "it is the direction of matching: 1 as the packet came, 0 changed over"
	}
	if s := seen.before; s != nil {
		if v, one := s.only(); one && v == (number{}) && r.Attr.Info().Class == attr.ClassComputed {
			return fmt.Sprintf("%v is 0 here: nothing stores another value", r.Attr)
		}
		if text := l.few(r.Attr, s); text != "" {
			return fmt.Sprintf("%v is %s here", r.Attr, text)
		}
	}
	switch by, ok := l.taker(r, rule); {
	case ok && values == "":
		return fmt.Sprintf("what is %s has been taken at %s", showRule(r), by.Where())
	case ok && values == anyOfThese:
		return fmt.Sprintf("all of these have been taken, %s at %s", showRule(r), by.Where())
	}
	if values == "" {
		values = showRule(r)
	}
	if seen.held && !seen.failed {
		return fmt.Sprintf("all packets that come here have %v %s", r.Attr, values)
	}
	return fmt.Sprintf("no packet comes here with %v %s", r.Attr, values)
}

// few names the values of a set that has few.
func (l *linter) few(a attr.Attr, s *set) string {
	var all []string
	for _, iv := range s.list {
		if iv.lo != iv.hi || len(all) == 3 {
			return ""
		}
		all = append(all, showValue(a, attr.MakeValue(iv.lo[:a.Info().Size]...)))
	}
	return strings.Join(all, " or ")
}

// mostLooked bounds the rules that are looked at for who takes what.
const mostLooked = 10_000_000

// taker finds an earlier rule that all values of a rule's test hold.
func (l *linter) taker(r *ruleset.Rule, rule int) (at ruleset.Place, ok bool) {
	in, isPrefix := prefixed(r.Attr, r.Mask, r.Value)
	if l.looked += rule; !isPrefix || l.looked > mostLooked {
		return at, false
	}
	for i := range rule {
		e := &l.rs.Rules[i]
		if e.Attr.SourceType() != r.Attr.SourceType() || !l.a.rules[i].held || spotOf(e.At) == spotOf(r.At) {
			continue
		}
		if by, is := prefixed(e.Attr, e.Mask, e.Value); is && by.lo.compare(&in.lo) <= 0 && in.hi.compare(&by.hi) <= 0 {
			return e.At, true
		}
	}
	return at, false
}

// showRule returns the values for which a rule's test holds.
func showRule(r *ruleset.Rule) string {
	text := showValue(r.Attr, r.Value)
	if w, ok := r.Mask.Width(); ok && w < 8*r.Attr.Info().Size && w < 8*r.Value.Len() {
		return fmt.Sprintf("%s/%d", text, w)
	} else if !ok {
		return text + " & " + r.Mask.String()
	}
	return text
}

func showValue(a attr.Attr, v attr.Value) string {
	n := v.Len()
	if a.IsPeer() && n != 16 {
		n = 4
	}
	text := attr.Show(a, v.Resize(n).Append(nil), attr.Ones(n), attr.Beside{}, false)
	if text == "" {
		return "0"
	}
	return text
}

// saves tells of SAVEs that make no difference.
func (l *linter) saves() {
	type total struct {
		rule, by       int
		live, constant bool
		noPorts        bool
	}
	read := map[attr.Attr]bool{} // of Classes and Kinds: what rules do with their values
	for i := range l.rs.Rules {
		if r := &l.rs.Rules[i]; r.Attr.Info().Class == attr.ClassComputed && (l.at.operands[r.At].test != nil || fromPacket(r)) {
			read[r.Attr] = true
		}
	}
	all := map[savedAt]*total{}
	var order []savedAt
	for i := range l.rs.Rules {
		r := &l.rs.Rules[i]
		seen := &l.a.rules[i]
		if !l.a.statement[i] || !seen.pushed {
			continue
		}
		key := savedAt{at: spotOf(r.At)}
		if len(l.at.saves[r.At]) > 1 {
			key.a = r.Attr
		}
		t := all[key]
		if t == nil {
			t = &total{rule: i, constant: true, noPorts: true}
			all[key] = t
			order = append(order, key)
		}
		t.live = t.live || seen.live
		t.constant = t.constant && seen.constant
		t.noPorts = t.noPorts && seen.noPorts && fromPacket(r)
		if seen.by > 0 {
			t.by = seen.by
		}
	}
	for _, key := range order {
		t := all[key]
		r := &l.rs.Rules[t.rule]
		tested := read[r.Attr]
		switch {
		case !t.live && !tested && t.by > 0 && l.savedAgain(t.by-1):
			continue
		case !t.live && !tested && t.by > 0:
			l.say(r.At, Overwritten, "%v is saved once more on every way from here, as at %s: the last time holds", r.Attr, l.rs.Rules[t.by-1].At.Where())
		case !t.live && !tested:
			l.say(r.At, NeverCounted, "%v is saved, but no way from here leads to COUNT", r.Attr)
		case t.constant:
			l.say(r.At, NeverStored, "%v is 0 here: nothing stores another value", r.Attr)
		case t.noPorts && (r.Attr == attr.SourceTransAddress || r.Attr == attr.DestTransAddress):
			l.say(r.At, NoPorts, "only packets without ports come here: %v is 0", r.Attr)
		}
	}
}

// fromPacket reports whether a rule saves the packet's value, not its own.
func fromPacket(r *ruleset.Rule) bool {
	return r.Op == ruleset.OpPushPktTo || r.Op == ruleset.OpPushPktToAct || r.Op == ruleset.OpCountPkt
}

// savedAgain reports whether the compiler has warned that a rule saves what was saved
// just before.
func (l *linter) savedAgain(rule int) bool {
	r := &l.rs.Rules[rule]
	for _, s := range l.at.saves[r.At] {
		for _, f := range l.found {
			if f.Number == compile.SavedAgain && f.Line == int(s.Attr.Line) && f.Col == int(s.Attr.Col) {
				return true
			}
		}
	}
	return false
}

// nothing tells that no packet comes to COUNT, unless what keeps them from it has been
// told.
func (l *linter) nothing() {
	for _, f := range l.found {
		switch f.Number {
		case compile.NoCount, compile.NeverInOrder, compile.OutsideMask, NeverHolds, WrongFamily, NoPorts:
			return
		}
	}
	l.say(ruleset.Place{Line: 1, Col: 1}, NothingCounted, "nothing is counted: no packet comes to COUNT")
}

// counts tells of what is saved of packets that are counted.
func (l *linter) counts() {
	for _, c := range l.a.counts {
		l.withoutType(c.s)
		if l.each(c.s) {
			l.say(l.rs.Rules[c.rule].At, EachConnection, "each connection has a flow of its own: both addresses and both ports are saved whole")
		}
	}
}

// withoutType tells of addresses of both families that flows do not tell apart by type.
func (l *linter) withoutType(s *state) {
	types := s.values[l.a.facts[attr.SourcePeerType]]
	if !types.holds(&number{1}) || !types.holds(&number{2}) {
		return
	}
	for _, a := range []attr.Attr{attr.SourcePeerType, attr.DestPeerType} {
		if f, known := l.a.facts[a]; known && !s.saves[f].none {
			return
		}
	}
	for _, a := range []attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress} {
		f, known := l.a.facts[a]
		if !known {
			continue
		}
		for _, r := range s.saves[f].rules() {
			if l.a.statement[r-1] {
				l.say(l.rs.Rules[r-1].At, WithoutType, "%v is saved of IPv4, IPv6 and what is neither, without SourcePeerType", a)
			}
		}
	}
}

// each reports whether flows save both addresses and both ports, of whatever they are.
func (l *linter) each(s *state) bool {
	for _, a := range []attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress, attr.DestTransAddress} {
		f, known := l.a.facts[a]
		if !known || s.saves[f].none {
			return false
		}
		for _, i := range s.saves[f].rules() {
			r := &l.rs.Rules[i-1]
			if w, ok := r.Mask.Width(); !fromPacket(r) || !ok || w < 8*a.Info().Size && w < 8*4 {
				return false
			}
		}
	}
	return true
}
