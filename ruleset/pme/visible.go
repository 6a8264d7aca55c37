package pme

import (
	"encoding/binary"
	"slices"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// Visible returns the bits of match keys that the program tests or saves, in
// either direction. What it does with a packet, which flow key it makes, and
// whether that is the packet's in wire order or against it, depends on these
// and on the lengths of the packet's addresses; on nothing else. Of a packet in a
// tunnel the type tells the length.
func (p *Program) Visible() attr.Key {
	var v attr.Key
	see := func(r *instr) {
		if r.op.Pushes() && r.attr.IsPeer() && r.attr.IsInner() {
			v[attr.InnerSourcePeerType.Info().Offset] = 0xff
		}
		if r.kind == testAlways || r.kind == testStoD || r.kind == testVariable || r.computed {
			return
		}
		for i, m := range r.mask {
			if m != 0 {
				b := v[r.off+8*uint8(i):]
				binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)|m)
			}
		}
	}
	for i := range p.rules {
		see(&p.rules[i])
	}
	for i := range p.variants {
		see(&p.variants[i])
	}
	for i, b := range v.Reverse() {
		v[i] |= b
	}
	return v
}

// EndsOfPackets reports whether all peer and transport addresses and protocols
// that flows save come from their packets, none from a rule.
func (p *Program) EndsOfPackets() bool {
	fromRule := func(r instr) bool {
		switch r.op {
		case ruleset.OpCount, ruleset.OpPushRuleTo, ruleset.OpPushRuleToAct:
			switch r.attr {
			case attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress, attr.DestTransAddress,
				attr.SourceTransType, attr.DestTransType:
				return true
			}
		}
		return false
	}
	return !slices.ContainsFunc(p.rules, fromRule) && !slices.ContainsFunc(p.variants, fromRule)
}
