package compile

import (
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// attrSet is a set of attributes; only the first that a program saves have a bit.
type attrSet uint64

// uncounted stands for the saves of a packet that is not counted.
const (
	uncounted attrSet = 1 << 63
	mostAttrs         = 63
)

// ahead is what is known of all that may follow a node.
type ahead struct {
	saved attrSet // what is saved on each way to a COUNT, and not taken back
	// pops is how many of the pushes done before are taken back at most: those
	// of an IF whose expression becomes false.
	pops int32
}

// or returns what is known where either may follow.
func (a ahead) or(b ahead) ahead {
	switch {
	case a.saved&uncounted != 0: // which asks for nothing
		a.saved = b.saved
	case b.saved&uncounted == 0:
		a.saved &= b.saved
	}
	a.pops = max(a.pops, b.pops)
	return a
}

// saves leaves out the pushes of what is pushed again before the packet is
// counted, and of what only packets have that are not counted. A push that may
// be taken back stays, since PopTo takes whatever came last.
func (o *optimiser) saves() {
	order := o.order()
	bits := map[attr.Attr]attrSet{}
	known := make([]ahead, len(order))
	for i, n := range order {
		var a ahead
		switch {
		case n.op == ruleset.OpIgnore, n.op == ruleset.OpNoMatch:
			a.saved = uncounted
		case n.op == ruleset.OpGosub:
			for _, p := range n.pads {
				a.pops = max(a.pops, known[p.id].pops)
			}
		case n.succ != nil:
			a = known[n.succ.id]
		}
		bit := bits[n.attr]
		switch {
		case n.op == ruleset.OpPopTo:
			a.pops++
		case n.op.Pushes() && n.op.HasTarget() && a.pops == 0 && n.useless(a.saved, bit):
			o.dropSave(n)
		case n.op.Pushes() && a.pops > 0:
			a.pops--
		case n.op.Pushes() && !n.always():
			if bit == 0 && len(bits) < mostAttrs {
				bit = 1 << len(bits)
				bits[n.attr] = bit
			}
			if a.saved&uncounted == 0 {
				a.saved |= bit
			}
		}
		if n.test {
			a = a.or(known[n.fail.id])
		}
		known[i] = a
	}
}

// dropSave leaves out what a node saves.
func (o *optimiser) dropSave(n *node) {
	n.op = ruleset.OpGoto
	if !n.test {
		n.same = n.succ
	}
	o.touch()
}

// useless reports whether what n pushes is not needed if these attributes are
// saved later. bit is that of its own attribute.
func (n *node) useless(later, bit attrSet) bool {
	class := n.attr.Info().Class
	switch {
	case class == attr.ClassComputed && n.op == ruleset.OpPushRuleTo:
		return false // tests may ask for it
	case later&uncounted != 0:
		return true
	case class != attr.ClassInteger && class != attr.ClassAddress:
		return false
	}
	// The longest of the values of a flow's addresses is the length that all have.
	// No value that comes later is shorter than the packet's, but than a rule's.
	long := n.op == ruleset.OpPushRuleTo && (n.attr.IsPeer() || n.attr.IsAdjacent())
	return later&bit != 0 && !long
}
