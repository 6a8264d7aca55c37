package ruleset

import (
	"cmp"
	"slices"
)

// Saved is one attribute of a flow's identity, with the mask under which its
// value was saved.
type Saved struct {
	Attr Attr
	Mask Value
}

// Shape is what the flows of one kind have in common: their ruleset, the
// attributes and masks that it saved, and the lengths of their addresses.
// Flows are the same only if shape and values are (RFC 2722 section 3.1: a
// record stores value and mask). Shapes are made by Shapes.Intern, once each,
// so that pointers compare; none is ever changed.
type Shape struct {
	ID      int // from 0, dense within its Shapes
	RuleSet int // 1 to 255
	// PeerLen and AdjacentLen are the lengths of the saved peer and adjacent
	// addresses in octets, 0 when none is saved.
	PeerLen, AdjacentLen uint8
	// Saved is in order of attribute number; masks are as long as the value.
	Saved []Saved
	// Reverse is the shape with source and destination changed over.
	Reverse *Shape
}

// Len returns the length in octets of the value of a in a flow of this shape.
func (s *Shape) Len(a Attr) int {
	switch {
	case a.IsPeer():
		return int(s.PeerLen)
	case a.IsAdjacent():
		return int(s.AdjacentLen)
	}
	in := a.Info()
	switch {
	case in.Class == ClassInteger || in.Class == ClassComputed:
		return in.Size
	case in.Class == ClassAddress && !in.Variable:
		return in.Size
	}
	return 0
}

// Mask returns the mask under which the flows of this shape save a, false
// when they do not save it.
func (s *Shape) Mask(a Attr) (Value, bool) {
	for i := range s.Saved {
		if s.Saved[i].Attr == a {
			return s.Saved[i].Mask, true
		}
	}
	return Value{}, false
}

// Shapes makes shapes unique. The zero value is empty and ready. It is not
// safe for concurrent use.
type Shapes struct {
	all   []*Shape
	index map[string]*Shape
}

// Len returns the number of shapes; their IDs are below it.
func (s *Shapes) Len() int { return len(s.all) }

// At returns the shape whose ID is id.
func (s *Shapes) At(id int) *Shape { return s.all[id] }

// Intern returns the one shape that has these fields. An attribute that
// stands in saved several times has the mask of its last place; masks are cut
// to the length of the value.
func (s *Shapes) Intern(ruleSet int, peerLen, adjacentLen uint8, saved []Saved) *Shape {
	sh := &Shape{RuleSet: ruleSet}
	for i, v := range saved {
		if !slices.ContainsFunc(saved[i+1:], func(l Saved) bool { return l.Attr == v.Attr }) {
			sh.Saved = append(sh.Saved, v)
		}
		if v.Attr.IsPeer() {
			sh.PeerLen = peerLen
		}
		if v.Attr.IsAdjacent() {
			sh.AdjacentLen = adjacentLen
		}
	}
	return s.intern(sh)
}

func (s *Shapes) intern(sh *Shape) *Shape {
	slices.SortFunc(sh.Saved, func(a, b Saved) int { return cmp.Compare(a.Attr, b.Attr) })
	sig := []byte{byte(sh.RuleSet), sh.PeerLen, sh.AdjacentLen}
	for i := range sh.Saved {
		v := &sh.Saved[i]
		v.Mask = v.Mask.Resize(sh.Len(v.Attr))
		sig = append(sig, byte(v.Attr>>8), byte(v.Attr))
		sig = v.Mask.Append(sig)
	}
	if old := s.index[string(sig)]; old != nil {
		return old
	}
	if s.index == nil {
		s.index = make(map[string]*Shape)
	}
	sh.ID = len(s.all)
	s.all = append(s.all, sh)
	s.index[string(sig)] = sh
	rev := &Shape{RuleSet: sh.RuleSet, PeerLen: sh.PeerLen, AdjacentLen: sh.AdjacentLen}
	for _, v := range sh.Saved {
		rev.Saved = append(rev.Saved, Saved{v.Attr.Reverse(), v.Mask})
	}
	sh.Reverse = s.intern(rev)
	return sh
}

// FlowKey is the identity of a flow: its shape, and the values of the saved
// attributes, masked, at their places in Key, where all else is zero.
type FlowKey struct {
	Shape *Shape
	Key   Key
}

// Reverse returns the identity of the flow from the destination to the source
// (the D->S of RFC 2722 section 4.3). Types stay in place, see Attr.Reverse.
func (k *FlowKey) Reverse() FlowKey {
	r := FlowKey{k.Shape.Reverse, k.Key.Reverse()}
	for _, off := range [...]int{offPeerType, offTransType, offAdjacentType} {
		r.Key[off], r.Key[endSize+off] = k.Key[off], k.Key[endSize+off]
	}
	return r
}

// Value returns the octets of attribute a as the flow holds them: those of an
// address as many as the flow's addresses have, none for an attribute that is
// not read from packets. They are valid as long as k is.
func (k *FlowKey) Value(a Attr) []byte {
	in := a.Info()
	return k.Key[in.Offset : in.Offset+k.Shape.Len(a)]
}

// Flow is one flow as a reader sees it.
type Flow struct {
	FlowKey
	// Index is the row in the flow table, from 1; used again after the flow
	// was recovered.
	Index uint32
	// FirstTime and LastTime are the times of the flow's first and latest
	// packet, in nanoseconds since 1970-01-01 00:00:00 UTC.
	FirstTime, LastTime int64
	// The counters only grow (Counter64 of RFC 2720).
	ToOctets, ToPDUs, FromOctets, FromPDUs uint64
}
