package pme

import (
	"encoding/binary"

	"rtfm/ruleset"
)

// node is a state of the pattern queue: which attributes were saved, under
// which masks, in which order. The root is the empty queue. What flow shape
// a state makes is found once and remembered.
type node struct {
	parent, depth int32
	save          int32 // what was saved last, index in Program.saves
	next          []edge
	shapes        []lengthShape
}

// saved is what a push saves: an attribute and its mask, or a distribution
// with the parameters in the rule's mask and value.
type saved struct {
	attr             ruleset.Attr
	mask, parameters ruleset.Value
}

type edge struct{ save, node int32 }

type lengthShape struct {
	peer, adjacent int
	shape          *ruleset.Shape
}

// queued is an item of the pattern queue. Values from the packet are taken
// when the flow key is built; a Class or Kind, which may change until then,
// is kept.
type queued struct {
	*instr
	stored byte
}

// push adds r to the pattern queue, whose state is at, and returns the new
// state, negative when a limit is hit. stored is the present value of a Class
// or Kind.
func (p *Program) push(at int32, r *instr, stored byte) int32 {
	n := &p.nodes[at]
	if n.depth == MaxPushes {
		return -1
	}
	p.queue[n.depth] = queued{r, stored}
	for i := range n.next {
		if n.next[i].save == r.save {
			return n.next[i].node
		}
	}
	if len(p.nodes) == MaxShapes {
		return -1
	}
	to := int32(len(p.nodes))
	n.next = append(n.next, edge{r.save, to})
	p.nodes = append(p.nodes, node{parent: at, depth: n.depth + 1, save: r.save})
	return to
}

// build makes the flow key from the pattern queue: all values zero, then the
// items' copied in the order they were saved.
func (p *Program) build(at int32, pkt *ruleset.Packet, key *ruleset.Key, k *ruleset.FlowKey) Verdict {
	n := &p.nodes[at]
	k.Key = ruleset.Key{}
	peer, adjacent := 0, 0
	for _, r := range p.queue[:n.depth] {
		value := &r.value
		fromPacket := r.op >= ruleset.OpPushPktTo || r.op == ruleset.OpCountPkt
		if fromPacket {
			w := r.masked(key)
			if r.computed {
				w[0] = uint64(r.stored) & r.mask[0]
			}
			value = &w
		}
		for i, keep := range r.keep {
			if keep == 0 {
				break
			}
			b := k.Key[r.off+8*uint8(i):]
			binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)&^keep|value[i])
		}
		switch {
		case r.attr.IsPeer():
			peer = max(peer, r.length(int(pkt.PeerLen), fromPacket))
		case r.attr.IsAdjacent():
			adjacent = max(adjacent, r.length(int(pkt.AdjacentLen), fromPacket))
		}
	}
	for i := range n.shapes {
		if s := &n.shapes[i]; s.peer == peer && s.adjacent == adjacent {
			k.Shape = s.shape
			return Success
		}
	}
	k.Shape = p.shape(at, peer, adjacent)
	return Success
}

// length returns how long the pushed address is; see pushedLen.
func (r *instr) length(packet int, fromPacket bool) int {
	trim := int(r.trim)
	switch {
	case fromPacket || packet > 0 && trim <= packet:
		return packet
	case trim <= 4:
		return 4
	case trim <= ruleset.MaxAdjacent:
		return ruleset.MaxAdjacent
	case trim <= 16:
		return 16
	}
	return ruleset.MaxAddress
}

// shape finds the shape of the flows that state at makes with addresses of
// these lengths, and remembers it.
func (p *Program) shape(at int32, peer, adjacent int) *ruleset.Shape {
	queue := make([]saved, p.nodes[at].depth)
	for i := at; i != 0; i = p.nodes[i].parent {
		queue[p.nodes[i].depth-1] = p.saves[p.nodes[i].save]
	}
	var attrs []ruleset.Saved
	var distributions []ruleset.Distribution
	for _, s := range queue {
		switch {
		case saveable(s.attr):
			attrs = append(attrs, ruleset.Saved{Attr: s.attr, Mask: s.mask})
		case s.attr.Info().Class == ruleset.ClassDistrib:
			distributions = append(distributions, ruleset.Distribution{Attr: s.attr, Mask: s.mask, Value: s.parameters})
		}
	}
	s := p.shapes.Intern(p.number, uint8(peer), uint8(adjacent), attrs, distributions...)
	p.nodes[at].shapes = append(p.nodes[at].shapes, lengthShape{peer, adjacent, s})
	return s
}
