package pme

import (
	"encoding/binary"

	"rtfm/ruleset"
)

// Visible returns the bits of match keys that the program tests or saves, in
// either direction. What it does with a packet, which flow key it makes, and
// whether that is the packet's in wire order or against it, depends on these
// and on the lengths of the packet's addresses; on nothing else.
func (p *Program) Visible() ruleset.Key {
	var v ruleset.Key
	see := func(r *instr) {
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
