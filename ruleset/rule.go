package ruleset

import (
	"strconv"

	"rtfm/ruleset/attr"
)

// Opcode is what a rule does once its test has succeeded or was left out
// (RFC 2722 section 4.4; numbers of RFC 2720's ActionNumber).
type Opcode uint8

// The opcodes. Each picture shows what the action does, for rule number r,
//
//	a & m = v: opcode, p;
//
// with the pattern queue q, whose latest item is to the right, the return stack
// s, and where the match goes on. An item of the queue is an attribute, a mask and
// a value. "test p" is rule p with its test performed, "act p" is rule p with its
// test left out, as if it had succeeded.
const (
	OpIgnore        Opcode = iota + 1 // q s → the match ends: Ignore
	OpNoMatch                         // q s → the match ends: NoMatch, to be tried with ends swapped
	OpCount                           // q s → q,(a m v) s; the match ends: Success, counted in flow q
	OpCountPkt                        // q s → q,(a m packet's a & m) s; the match ends: Success
	OpReturn                          // q s,r' → q s; act r'+p: the p-th rule after the Gosub
	OpGosub                           // q s → q s,r; test p
	OpGosubAct                        // q s → q s,r; act p
	OpAssign                          // q s → q s, variable a stands for attribute v; test p
	OpAssignAct                       // q s → q s, variable a stands for attribute v; act p
	OpGoto                            // q s → q s; test p
	OpGotoAct                         // q s → q s; act p
	OpPushRuleTo                      // q s → q,(a m v) s; test p; a Class or Kind becomes v
	OpPushRuleToAct                   // q s → q,(a m v) s; act p; a Class or Kind becomes v
	OpPushPktTo                       // q s → q,(a m packet's a & m) s; test p
	OpPushPktToAct                    // q s → q,(a m packet's a & m) s; act p
	OpPopTo                           // q,(…) s → q s; test p
	OpPopToAct                        // q,(…) s → q s; act p
)

var opcodeNames = [...]string{
	OpIgnore: "Ignore", OpNoMatch: "NoMatch", OpCount: "Count", OpCountPkt: "CountPkt",
	OpReturn: "Return", OpGosub: "Gosub", OpGosubAct: "GosubAct", OpAssign: "Assign",
	OpAssignAct: "AssignAct", OpGoto: "Goto", OpGotoAct: "GotoAct",
	OpPushRuleTo: "PushRuleTo", OpPushRuleToAct: "PushRuleToAct",
	OpPushPktTo: "PushPktTo", OpPushPktToAct: "PushPktToAct",
	OpPopTo: "PopTo", OpPopToAct: "PopToAct",
}

// Valid reports whether op is one of the 17 opcodes.
func (op Opcode) Valid() bool { return op >= OpIgnore && op <= OpPopToAct }

// String returns the opcode's name as rule files spell it.
func (op Opcode) String() string {
	if op.Valid() {
		return opcodeNames[op]
	}
	return "opcode(" + strconv.Itoa(int(op)) + ")"
}

// HasTarget reports whether the opcode's goto flag is set: its parameter is the
// number of the next rule.
func (op Opcode) HasTarget() bool { return op >= OpGosub }

// TestsNext reports the opcode's test flag: whether the next rule's test is
// performed.
func (op Opcode) TestsNext() bool { return op >= OpGosub && op&1 == 0 }

// Assigns reports whether the opcode is Assign or AssignAct.
func (op Opcode) Assigns() bool { return op == OpAssign || op == OpAssignAct }

// Pushes reports whether the opcode adds to what the flow saves.
func (op Opcode) Pushes() bool {
	return op == OpCount || op == OpCountPkt || op >= OpPushRuleTo && op <= OpPushPktToAct
}

// Rule is one instruction of the Packet Matching Engine:
//
//	attribute & mask = value: opcode, parameter;
type Rule struct {
	Attr  attr.Attr
	Mask  attr.Value
	Value attr.Value
	Op    Opcode
	// Param is the number of the next rule, counted from 1, for opcodes with
	// a target; for Return what is added to the number of the Gosub rule; 0
	// for the others. An Assign rule carries the number of the attribute that
	// the variable is to stand for in Value, see AttrValue.
	Param int
	// At is where the rule comes from in RuleSet.File: the rule itself in a rule
	// file, the statement, test or operand in an SRL program. For rules that came
	// by SNMP it is not known.
	At Place
}

// IsEnd reports whether the rule is the end of an SRL program, which stands in no line:
// its place is where programs begin.
func (r *Rule) IsEnd() bool {
	return r.Op == OpNoMatch && r.At == Place{Line: 1, Col: 1}
}

// distribution returns the distribution that the rule asks for.
func (r *Rule) distribution() *attr.Measure {
	return &attr.Measure{Attr: r.Attr, Mask: r.Mask.Resize(attr.DistributionSize), Value: r.Value.Resize(attr.DistributionSize)}
}

// Limits of what a meter accepts.
const (
	MaxRuleSets = 255     // flowRuleSet is an index from 1 to 255
	MaxRules    = 1 << 20 // rules in one ruleset
)

// RuleSet is a ruleset as a rule file or an SRL program gives it.
type RuleSet struct {
	Number int    // of SET, 1 to 255; 0 when the source has none
	Name   string // of the file, without directory and extension
	File   string // that Rules' places are in; empty if they are not known
	Rules  []Rule
	// Format says which attributes a flow record shows and what stands
	// between them; nil when the source has no FORMAT.
	Format *Format
	// Statistics is set when the source asks for #Stats records.
	Statistics bool
	// Names are those of the source's tables, nil if it has none. They are no part
	// of what a meter gets.
	Names *Names
}

// Format is a FORMAT statement: attributes, each with the text after it.
type Format struct {
	Fields []Field
}

// Field is one attribute of a FORMAT statement and the separator that
// follows it, a blank unless the statement gives one.
type Field struct {
	Attr      attr.Attr
	Separator string
	// Name is set if the name of the value, which a table has, follows it: in CSV.
	Name bool
}
