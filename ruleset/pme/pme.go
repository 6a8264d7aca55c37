// Package pme is the Packet Matching Engine of RFC 2722 section 4.4: it runs
// a ruleset over the match key of one packet and says whether the packet is
// to be counted, and in which flow.
//
// There are two engines. Reference follows the RFC to the letter, rule by
// rule, and is what everything is measured by. Program does the same faster:
// values and masks are prepared as whole words, runs of rules that test one
// attribute under one mask, or for networks of any widths, are one lookup
// (RFC 2123 section 2.3.3), and what
// a ruleset saves is followed through a tree whose nodes know the shape of
// the flow. A differential test holds the two together.
//
// Where the RFCs leave something open:
//
//   - MatchingStoD is 1 in wire order; when source and destination are swapped,
//     a test for 0 (RFC 2722) and one for 2 (RFC 2720) succeed.
//   - Gosub saves the meter variables, Return restores them (RFC 2123 section
//     3.3). A variable that was never assigned is Null.
//   - The test of an Assign rule succeeds: its value names the attribute and is
//     not to be compared with.
//   - PopTo undoes what was saved; a Class or Kind that was stored keeps its
//     value for tests.
//   - A target or return beyond the last rule ends matching as NoMatch.
package pme

import "rtfm/ruleset/attr"

// Verdict is the result of matching a packet.
type Verdict uint8

// The verdicts.
const (
	NoMatch Verdict = iota // may match with source and destination swapped
	Ignore                 // not to be counted
	Success                // to be counted
	Stopped                // a limit was hit: not to be counted
)

func (v Verdict) String() string {
	return [...]string{"NoMatch", "Ignore", "Success", "Stopped"}[v]
}

// Limits of one match. No useful ruleset comes near them; one that loops,
// recurses or pushes without end is stopped by them.
const (
	// MaxActions bounds the actions that are performed. Tests that fail go
	// on to a later rule and need no bound.
	MaxActions = 10_000
	// MaxReturns bounds the return stack.
	MaxReturns = 256
	// MaxPushes bounds the pattern queue.
	MaxPushes = 256
	// MaxShapes bounds the number of combinations that a ruleset may save.
	MaxShapes = 1 << 16
)

// variables are the meter variables v1 to v5: the attribute that each stands
// for.
type variables [5]attr.Attr

// resolve returns the attribute that a stands for.
func (v *variables) resolve(a attr.Attr) attr.Attr {
	if a >= attr.V1 && a <= attr.V5 {
		return v[a-attr.V1]
	}
	return a
}

// assign makes variable to stand for the attribute that value names; any
// other attribute cannot be assigned and is left alone.
func (v *variables) assign(to attr.Attr, value attr.Value) {
	if to >= attr.V1 && to <= attr.V5 {
		v[to-attr.V1] = attr.Attr(value.Uint())
	}
}
