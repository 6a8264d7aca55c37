package ruleset

import (
	"fmt"

	"rtfm/ruleset/attr"
)

// Check returns an error if a meter would refuse the ruleset: no rules or too
// many, an opcode that does not exist, an attribute that rules cannot test or
// save, masks and values that do not fit it, a target that is not the number of
// a rule, an Assign rule that does not set a meter variable to an attribute.
//
// One target beyond the rules is allowed: the number after the last rule's. A
// match that goes there ends like one whose last test fails, as NoMatch (RFC
// 2722 section 4.4).
//
// The error is a Diagnostics, each at the rule's place if that is known.
func (rs *RuleSet) Check() error {
	var faults Diagnostics
	for _, pr := range rs.problems(false) {
		if !pr.warning {
			faults = append(faults, rs.Diagnose(pr.rule, pr.msg))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return faults
}

// Diagnose returns a diagnostic for the rule of this number, from 1, or for the
// whole ruleset if it is 0: at the rule's place, or with its number if the
// place is not known.
func (rs *RuleSet) Diagnose(rule int, msg string) Diagnostic {
	switch {
	case rule == 0 && rs.File != "":
		return Place{Line: 1, Col: 1}.Diagnose(rs.File, msg)
	case rule == 0:
		return Diagnostic{File: "ruleset", Msg: msg}
	case rs.File == "" || !rs.Rules[rule-1].At.Known():
		return Diagnostic{File: "ruleset", Msg: fmt.Sprintf("rule %d: %s", rule, msg)}
	}
	return rs.Rules[rule-1].At.Diagnose(rs.File, msg)
}

// Warnings tells of rules that a meter accepts but that hardly do what was wanted, as
// "rule 3: the test of this ...", in order of their numbers. A ruleset that Check
// refuses has none.
func (rs *RuleSet) Warnings() []string {
	var warnings []string
	for _, pr := range rs.problems(true) {
		if !pr.warning {
			return nil
		}
		warnings = append(warnings, fmt.Sprintf("rule %d: %s", pr.rule, pr.msg))
	}
	return warnings
}

// problem is what is wrong or doubtful with a rule; rule 0 is the ruleset.
type problem struct {
	rule    int
	warning bool
	msg     string
}

// problems finds what Check refuses and what is worth a warning; if follow is
// set, also what only shows when the rules are followed.
func (rs *RuleSet) problems(follow bool) []problem {
	var ps []problem
	n := len(rs.Rules)
	switch {
	case n == 0:
		ps = append(ps, problem{0, false, "there are no rules"})
	case n > MaxRules:
		ps = append(ps, problem{0, false, fmt.Sprintf("%d rules are more than %d", n, MaxRules)})
		return ps
	}
	if rs.Number < 0 || rs.Number > MaxRuleSets {
		ps = append(ps, problem{0, false, fmt.Sprintf("number %d is not from 1 to %d", rs.Number, MaxRuleSets)})
	}
	sound := true
	for i := range rs.Rules {
		r := &rs.Rules[i]
		if fault := r.fault(n); fault != "" {
			sound = false
			ps = append(ps, problem{i + 1, false, fault})
			continue
		}
		switch {
		case r.Op.HasTarget() && r.Param == n+1:
			ps = append(ps, problem{i + 1, true, "the target is behind the last rule: the match ends there as NoMatch"})
		case r.Op == OpReturn && r.Param == 0:
			ps = append(ps, problem{i + 1, true, "Return, 0 goes back to the Gosub itself"})
		}
	}
	if follow && sound {
		ps = append(ps, rs.follow()...)
	}
	return ps
}

// fault tells why a meter refuses r in a ruleset of n rules.
func (r *Rule) fault(n int) string {
	in := r.Attr.Info()
	switch {
	case in.Class == attr.ClassNone:
		return "there is no " + r.Attr.String()
	case !r.Attr.Testable():
		return r.Attr.String() + " is for reading flows: rules can neither test nor save it"
	case !r.Op.Valid():
		return "there is no " + r.Op.String()
	}
	if _, ok := r.Mask.Fit(r.Attr); !ok {
		return fmt.Sprintf("mask %v does not fit %s", r.Mask, r.Attr)
	}
	if r.Op.Assigns() {
		of := attr.Attr(r.Value.Uint())
		switch {
		case in.Class != attr.ClassVariable:
			return r.Op.String() + " sets a meter variable, v1 to v5, not " + r.Attr.String()
		case r.Value.Uint() > 0xffff || !of.Testable() || of.Info().Class == attr.ClassVariable || of.IsMeasure():
			return fmt.Sprintf("value %v is not an attribute that %s could stand for", r.Value, r.Attr)
		}
	} else if _, ok := r.Value.Fit(r.Attr); !ok {
		return fmt.Sprintf("value %v does not fit %s", r.Value, r.Attr)
	} else if in.Attr.IsMeasure() && r.Op.Pushes() {
		if err := r.distribution().Check(); err != nil {
			return err.Error()
		}
	}
	switch {
	case r.Op.HasTarget() && (r.Param < 1 || r.Param > n+1):
		return fmt.Sprintf("target %d is not the number of a rule, 1 to %d", r.Param, n)
	case r.Op == OpReturn && (r.Param < 0 || r.Param > n):
		return fmt.Sprintf("Return, %d goes beyond the last rule, %d", r.Param, n)
	}
	return ""
}

// maxReturns is how many different Returns follow takes into account.
const maxReturns = 64

// follow goes through the rules as packets could, and warns of tests that are
// performed though their rules were hardly written for it.
func (rs *RuleSet) follow() []problem {
	const tested, untested = 1, 2
	n := len(rs.Rules)
	reached := make([]uint8, n) // how a rule is reached
	type state struct {
		rule int // from 0
		how  uint8
	}
	var todo []state
	visit := func(rule int, how uint8) {
		if rule < n && reached[rule]&how == 0 {
			reached[rule] |= how
			todo = append(todo, state{rule, how})
		}
	}
	var gosubs, returns []int
	isReturn := map[int]bool{}
	firstReturn := -1
	if n > 0 {
		visit(0, tested)
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		r := &rs.Rules[s.rule]
		if s.how == tested && r.Attr != attr.Null {
			visit(s.rule+1, tested)
			if r.neverSucceeds() {
				continue
			}
		}
		switch {
		case r.Op == OpReturn:
			if firstReturn < 0 || s.rule < firstReturn {
				firstReturn = s.rule
			}
			if len(returns) < maxReturns && !isReturn[r.Param] {
				isReturn[r.Param] = true
				returns = append(returns, r.Param)
				for _, g := range gosubs {
					visit(g+r.Param, untested)
				}
			}
		case r.Op.HasTarget():
			if r.Op == OpGosub || r.Op == OpGosubAct {
				gosubs = append(gosubs, s.rule)
				for _, k := range returns {
					visit(s.rule+k, untested)
				}
			}
			if r.Op.TestsNext() {
				visit(r.Param-1, tested)
			} else {
				visit(r.Param-1, untested)
			}
		}
	}
	var ps []problem
	for i := range rs.Rules {
		if reached[i]&tested == 0 {
			continue
		}
		if doubt := rs.Rules[i].doubt(); doubt != "" {
			ps = append(ps, problem{i + 1, true, doubt})
		}
	}
	if firstReturn >= 0 && len(gosubs) == 0 {
		ps = append(ps, problem{firstReturn + 1, true, "this Return is reached without a Gosub"})
	}
	return ps
}

// neverSucceeds reports whether the rule's test fails with every packet.
func (r *Rule) neverSucceeds() bool {
	return r.Attr != attr.Null && r.Attr != attr.MatchingStoD && r.Value.And(r.Mask).Padded() != r.Value.Padded()
}

// doubt tells what is odd about a rule whose test is performed.
func (r *Rule) doubt() string {
	if r.Attr == attr.Null {
		return ""
	}
	switch r.Op {
	case OpPushPktTo, OpPushPktToAct:
		return "the test of this " + r.Op.String() + " rule is performed, before it saves what the packet has: reach it by an opcode that ends in Act"
	case OpCountPkt:
		if r.Value.Zero() && !r.Mask.Zero() && zeroUnlikely(r.Attr) {
			return "the test of this CountPkt rule, against 0, is performed: reach it by an opcode that ends in Act"
		}
	case OpAssign, OpAssignAct:
		return "the test of this " + r.Op.String() + " rule is performed: reach it by an opcode that ends in Act"
	}
	switch {
	case r.Attr.IsMeasure():
		return "a distribution has no value that could be tested: reach this rule by an opcode that ends in Act"
	case r.Attr.Info().Class == attr.ClassInteger && r.Value.Uint()>>r.Attr.Bits() != 0:
		return fmt.Sprintf("the test never succeeds: %s has %d bits", r.Attr, r.Attr.Bits())
	case r.neverSucceeds():
		return "the test never succeeds: the value has bits that the mask has not"
	}
	return ""
}

// zeroUnlikely reports whether rules that ask for a value of 0 are rather meant
// to take whatever value there is.
func zeroUnlikely(a attr.Attr) bool {
	return a.Info().Class == attr.ClassAddress || a.Outer() == attr.SourceTransType || a.Outer() == attr.DestTransType
}
