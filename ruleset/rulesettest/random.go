// Package rulesettest makes rulesets for tests.
package rulesettest

import (
	"math/rand/v2"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// attrs are the attributes that random rules test and save, few enough that
// rules meet. Those that a meter variable may stand for come first.
var attrs = []attr.Attr{
	attr.Null, attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress,
	attr.SourceTransAddress, attr.DestTransAddress, attr.SourceAdjacentAddress,
	attr.SourceInterface, attr.DestInterface, attr.SourceKind, attr.DestKind,
	attr.FlowKind, attr.FlowClass, attr.MatchingStoD,
	attr.V1, attr.V2,
	attr.VLANid, attr.DSCodePoint, attr.SessionID, attr.SourceSubscriberID,
	attr.MeterID, attr.SourceASN, attr.DestASN, attr.SourcePrefix, attr.DestPrefix,
	attr.TunnelID, attr.TunnelKind, attr.InnerSourcePeerAddress, attr.InnerDestPeerAddress,
	attr.InnerSourcePeerType, attr.InnerDestTransType, attr.InnerSourceTransAddress, attr.MPLSBottomLabel,
	attr.ToPacketSize, attr.FromInterarrivalTime, attr.ToBitRate, attr.FromPDURate,
}

const assignable = 14

// Octet returns one of the octets of which the values of random rules are
// made. Packets made of the same match them often.
func Octet(r *rand.Rand) byte { return []byte{0, 0, 1, 2, 0x80, 0xff}[r.IntN(6)] }

func value(r *rand.Rand) attr.Value {
	b := make([]byte, 1+r.IntN(4))
	if r.IntN(8) == 0 {
		b = make([]byte, 1+r.IntN(attr.MaxAddress))
	}
	for i := range b {
		b[i] = Octet(r)
	}
	return attr.MakeValue(b...)
}

// Random returns a ruleset of up to 30 rules, of all opcodes, whose tests
// succeed about as often as they fail. In some most tests are for networks of
// several widths. It may loop.
func Random(r *rand.Rand) *ruleset.RuleSet {
	n := 1 + r.IntN(30)
	rs := &ruleset.RuleSet{}
	a, mask := attrs[r.IntN(len(attrs))], value(r)
	networks := r.IntN(4) == 0
	for i := range n {
		switch {
		case networks && r.IntN(20) > 0:
			width := []int{0, 7, 8, 9, 15, 16, 24, 33, 64, 65}[r.IntN(10)]
			mask = attr.WidthMask(width, (width+7)/8)
		case r.IntN(3) > 0 || i < n/2 && r.IntN(2) == 0:
			a, mask = attrs[r.IntN(len(attrs))], value(r)
		}
		rule := ruleset.Rule{
			Attr: a, Mask: mask, Value: value(r).And(mask),
			Op: ruleset.Opcode(1 + r.IntN(17)), Param: 1 + r.IntN(n+1),
		}
		if in := a.Info(); in.Size > 0 && (!in.Variable || mask.Len() > in.Size) {
			rule.Mask, rule.Value = mask.Resize(in.Size), rule.Value.Resize(in.Size)
		}
		if a.Form() != attr.FormBuckets {
			rule.Mask, rule.Value = attr.MakeValue(make([]byte, attr.DistributionSize)...), attr.MakeValue(make([]byte, attr.DistributionSize)...)
			if a.Form() == attr.FormPackets {
				rule.Value = attr.MakeValue(2+Octet(r)%3, 0, 0, 0, 0, 0)
			}
		} else if a.IsMeasure() {
			lower := Octet(r)
			rule.Mask = attr.MakeValue(attr.Linear, 0, 0, lower, 1, lower)
			rule.Value = attr.MakeValue(2+Octet(r)%3, 1+Octet(r)%2, 0, 0, 0, 0)
		}
		switch {
		case rule.Op == ruleset.OpReturn:
			rule.Param = r.IntN(min(4, n+1))
		case rule.Op.Assigns():
			rule.Attr = attr.V1 + attr.Attr(r.IntN(2))
			rule.Value = attr.AttrValue(attrs[r.IntN(assignable)])
		case r.IntN(3) > 0 && rule.Op.HasTarget():
			rule.Param = i + 2 // Next
		}
		rs.Rules = append(rs.Rules, rule)
	}
	return rs
}
