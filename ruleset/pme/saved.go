package pme

import (
	"encoding/binary"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

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
	copied        *copied // made when it is first needed
}

// copied is what is saved where all of it is copied from the packet.
type copied struct {
	bits    []keyBits     // of the key
	lengths match.Lengths // masks of the addresses' lengths: 0 if none is saved
}

// keyBits are bits of a word of a key.
type keyBits struct {
	off  uint8
	mask uint64
}

// saved is what a push saves: an attribute and its mask, or a distribution
// with the parameters in the rule's mask and value.
type saved struct {
	attr             attr.Attr
	mask, parameters attr.Value
}

type edge struct{ save, node int32 }

type lengthShape struct {
	lengths match.Lengths
	shape   *match.Shape
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

// copy makes the flow key where all items of the pattern queue are copied from
// the packet: which bits of it these are is known. See BenchmarkMatch.
func (p *Program) copy(at int32, pkt *match.Packet, key *attr.Key, k *match.FlowKey) Verdict {
	c := p.nodes[at].copied
	if c == nil {
		c = p.copied(at)
	}
	k.Key = attr.Key{}
	for _, b := range c.bits {
		binary.LittleEndian.PutUint64(k.Key[b.off:], binary.LittleEndian.Uint64(key[b.off:])&b.mask)
	}
	l := match.Lengths{Peer: pkt.PeerLen & c.lengths.Peer, Adjacent: pkt.AdjacentLen & c.lengths.Adjacent}
	if c.lengths.InnerPeer != 0 {
		l.InnerPeer = key.InnerPeerLen()
	}
	k.Shape = p.shapeOf(at, l)
	return Success
}

// copied finds what is copied from packets in state at, and remembers it.
func (p *Program) copied(at int32) *copied {
	c := new(copied)
	var mask attr.Key
	for _, s := range p.savedAt(at) {
		if !saveable(s.attr) {
			continue
		}
		info := s.attr.Info()
		for i := range info.Size {
			mask[info.Offset+i] = s.mask.At(i)
		}
		if l := c.lengths.Of(s.attr); l != nil {
			*l = 0xff
		}
	}
	for off := 0; off < attr.KeySize; off += 8 {
		if m := binary.LittleEndian.Uint64(mask[off:]); m != 0 {
			c.bits = append(c.bits, keyBits{uint8(off), m})
		}
	}
	p.nodes[at].copied = c
	return c
}

// build makes the flow key from the pattern queue: all values zero, then the
// items' copied in the order they were saved.
func (p *Program) build(at int32, pkt *match.Packet, key *attr.Key, k *match.FlowKey) Verdict {
	n := &p.nodes[at]
	k.Key = attr.Key{}
	var lengths match.Lengths
	packet := pkt.Lengths()
	for _, r := range p.queue[:n.depth] {
		value := &r.value
		fromPacket := r.fromPacket()
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
		if l := lengths.Of(r.attr); l != nil {
			*l = max(*l, r.length(*packet.Of(r.attr), fromPacket))
		}
	}
	k.Shape = p.shapeOf(at, lengths)
	return Success
}

// shapeOf returns the shape of the flows that state at makes with addresses of
// these lengths.
func (p *Program) shapeOf(at int32, lengths match.Lengths) *match.Shape {
	n := &p.nodes[at]
	for i := range n.shapes {
		if s := &n.shapes[i]; s.lengths == lengths {
			return s.shape
		}
	}
	return p.shape(at, lengths)
}

// savedAt returns what was saved in state at, in order.
func (p *Program) savedAt(at int32) []saved {
	queue := make([]saved, p.nodes[at].depth)
	for i := at; i != 0; i = p.nodes[i].parent {
		queue[p.nodes[i].depth-1] = p.saves[p.nodes[i].save]
	}
	return queue
}

// fromPacket reports whether a push takes its value from the packet.
func (r *instr) fromPacket() bool {
	return r.op >= ruleset.OpPushPktTo || r.op == ruleset.OpCountPkt
}

// length returns how long the pushed address is; see pushedLen.
func (r *instr) length(packet uint8, fromPacket bool) uint8 {
	trim := r.trim
	switch {
	case fromPacket || packet > 0 && trim <= packet:
		return packet
	case trim <= 4:
		return 4
	case trim <= attr.MaxAdjacent:
		return attr.MaxAdjacent
	case trim <= 16:
		return 16
	}
	return attr.MaxAddress
}

// shape finds the shape of the flows that state at makes with addresses of
// these lengths, and remembers it.
func (p *Program) shape(at int32, lengths match.Lengths) *match.Shape {
	var attrs []match.Saved
	var distributions []attr.Measure
	for _, s := range p.savedAt(at) {
		switch {
		case saveable(s.attr):
			attrs = append(attrs, match.Saved{Attr: s.attr, Mask: s.mask})
		case s.attr.IsMeasure():
			distributions = append(distributions, attr.Measure{Attr: s.attr, Mask: s.mask, Value: s.parameters})
		}
	}
	s := p.shapes.InternLengths(p.number, lengths, attrs, distributions...)
	p.nodes[at].shapes = append(p.nodes[at].shapes, lengthShape{lengths, s})
	return s
}
