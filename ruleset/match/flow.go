package match

import (
	"cmp"
	"slices"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash"
)

// Saved is one attribute of a flow's identity, with the mask under which its
// value was saved.
type Saved struct {
	Attr attr.Attr
	Mask attr.Value
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
	// InnerPeerLen is that of the peer addresses of the packet that a tunnel carries.
	InnerPeerLen uint8
	// Saved is in order of attribute number; masks are as long as the value.
	Saved []Saved
	// Measures is in order of attribute number. Flows that differ in
	// their measures only are different flows.
	Measures []attr.Measure
	// Reverse is the shape with source and destination changed over; its
	// measures stay, since To and From are the flow's own directions.
	Reverse *Shape

	beyond     attr.Beyond
	ends       uint8
	identified bool // some of the measures tell of the flow
	measured   bool // some are not
}

// What of the ends a shape saves whole.
const (
	wholeSourcePeer uint8 = 1 << iota
	wholeDestPeer
	wholeSourceTrans
	wholeDestTrans
	wholeTransType
	wholeEnds = 1<<iota - 1
)

// SavesEnds reports whether flows of this shape save the peer and transport
// addresses of both ends, and the protocol, none of them masked.
func (s *Shape) SavesEnds() bool { return s.ends == wholeEnds }

// Identified reports whether any of the measures tells of the flow, as identifiers do,
// Measured whether any is of the flow's packets.
func (s *Shape) Identified() bool { return s.identified }

// Measured is described at Identified.
func (s *Shape) Measured() bool { return s.measured }

// note notes that the shape saves v.
func (s *Shape) note(v *Saved) {
	s.beyond.Names = s.beyond.Names || v.Attr >= attr.SourceSubscriberID && v.Attr <= attr.SessionID
	s.beyond.Inner = s.beyond.Inner || v.Attr.InTail()
	if v.Mask != attr.Ones(s.Len(v.Attr)) {
		return
	}
	switch v.Attr {
	case attr.SourcePeerAddress:
		s.ends |= wholeSourcePeer
	case attr.DestPeerAddress:
		s.ends |= wholeDestPeer
	case attr.SourceTransAddress:
		s.ends |= wholeSourceTrans
	case attr.DestTransAddress:
		s.ends |= wholeDestTrans
	case attr.SourceTransType, attr.DestTransType:
		s.ends |= wholeTransType
	}
}

// Len returns the length in octets of the value of a in a flow of this shape.
func (s *Shape) Len(a attr.Attr) int {
	switch {
	case a.IsPeer() && a.IsInner():
		return int(s.InnerPeerLen)
	case a.IsPeer():
		return int(s.PeerLen)
	case a.IsAdjacent():
		return int(s.AdjacentLen)
	}
	in := a.Info()
	switch {
	case in.Class == attr.ClassInteger || in.Class == attr.ClassComputed:
		return in.Size
	case in.Class == attr.ClassAddress && !in.Variable:
		return in.Size
	}
	return 0
}

// DistributionBits returns the value of the attribute Distributions: bit 0 is
// set for attribute 66, bit 1 for 67 and so on (RFC 2724 section 4).
func (s *Shape) DistributionBits() (bits uint32) {
	for i := range s.Measures {
		if a := s.Measures[i].Attr; a <= attr.FromLostPDUs {
			bits |= 1 << (a - attr.ToPacketSize)
		}
	}
	return bits
}

// AppendSaved appends the value of the attribute SavedAttributes: bit n, the
// first being the high-order one of the first octet, is set if flows of this
// shape save attribute n, for private ones bit 128 + n for 1024 + n. Octets of
// 0 at the end are left out.
func (s *Shape) AppendSaved(b []byte) []byte {
	var bits [attr.SavedSize]byte
	n := 0
	for i := range s.Saved {
		k := s.Saved[i].Attr.SavedBit()
		bits[k/8] |= 0x80 >> (k % 8)
		n = max(n, k/8+1)
	}
	return append(b, bits[:n]...)
}

// IsSaved reports whether an attribute stands in a value of SavedAttributes.
func IsSaved(saved []byte, a attr.Attr) bool {
	k := a.SavedBit()
	return k >= 0 && k/8 < len(saved) && saved[k/8]&(0x80>>(k%8)) != 0
}

// Mask returns the mask under which the flows of this shape save a, false
// when they do not save it.
func (s *Shape) Mask(a attr.Attr) (attr.Value, bool) {
	for i := range s.Saved {
		if s.Saved[i].Attr == a {
			return s.Saved[i].Mask, true
		}
	}
	return attr.Value{}, false
}

// Shapes makes shapes unique. The zero value is empty and ready. It is not
// safe for concurrent use.
type Shapes struct {
	all   []*Shape
	index map[string]*Shape
}

// Len returns the number of shapes; their IDs are less than that.
func (s *Shapes) Len() int { return len(s.all) }

// At returns the shape whose ID is id.
func (s *Shapes) At(id int) *Shape { return s.all[id] }

// Lengths are those of a flow's addresses in octets, 0 for what it does not save.
type Lengths struct{ Peer, Adjacent, InnerPeer uint8 }

// Of returns the length of addresses like a, nil if a is none whose length varies.
func (l *Lengths) Of(a attr.Attr) *uint8 {
	switch {
	case a.IsPeer() && a.IsInner():
		return &l.InnerPeer
	case a.IsPeer():
		return &l.Peer
	case a.IsAdjacent():
		return &l.Adjacent
	}
	return nil
}

// Lengths returns the lengths of the packet's addresses.
func (p *Packet) Lengths() Lengths {
	return Lengths{p.PeerLen, p.AdjacentLen, p.Key.InnerPeerLen()}
}

// Lengths returns the lengths of the addresses that flows of this shape save.
func (s *Shape) Lengths() Lengths { return Lengths{s.PeerLen, s.AdjacentLen, s.InnerPeerLen} }

// Intern is InternLengths for flows that save no address of a packet in a tunnel.
func (s *Shapes) Intern(ruleSet int, peerLen, adjacentLen uint8, saved []Saved, measures ...attr.Measure) *Shape {
	return s.InternLengths(ruleSet, Lengths{Peer: peerLen, Adjacent: adjacentLen}, saved, measures...)
}

// InternLengths returns the one shape that has these fields. An attribute that
// stands in saved or measures several times has what its last place
// gives; masks are cut to the length of the value.
func (s *Shapes) InternLengths(ruleSet int, lengths Lengths, saved []Saved, measures ...attr.Measure) *Shape {
	sh := &Shape{RuleSet: ruleSet}
	for i, d := range measures {
		if !slices.ContainsFunc(measures[i+1:], func(l attr.Measure) bool { return l.Attr == d.Attr }) {
			sh.Measures = append(sh.Measures, d)
		}
	}
	slices.SortFunc(sh.Measures, func(a, b attr.Measure) int { return cmp.Compare(a.Attr, b.Attr) })
	for i, v := range saved {
		if !slices.ContainsFunc(saved[i+1:], func(l Saved) bool { return l.Attr == v.Attr }) {
			sh.Saved = append(sh.Saved, v)
		}
		switch lengths.Of(v.Attr) {
		case &lengths.Peer:
			sh.PeerLen = lengths.Peer
		case &lengths.Adjacent:
			sh.AdjacentLen = lengths.Adjacent
		case &lengths.InnerPeer:
			sh.InnerPeerLen = lengths.InnerPeer
		}
	}
	return s.intern(sh)
}

func (s *Shapes) intern(sh *Shape) *Shape {
	slices.SortFunc(sh.Saved, func(a, b Saved) int { return cmp.Compare(a.Attr, b.Attr) })
	sig := []byte{byte(sh.RuleSet), sh.PeerLen, sh.AdjacentLen, sh.InnerPeerLen}
	for i := range sh.Saved {
		v := &sh.Saved[i]
		v.Mask = v.Mask.Resize(sh.Len(v.Attr))
		sh.note(v)
		sig = append(sig, byte(v.Attr>>8), byte(v.Attr))
		sig = v.Mask.Append(sig)
	}
	for i := range sh.Measures {
		d := &sh.Measures[i]
		sh.identified = sh.identified || d.Attr.OfFlows()
		sh.measured = sh.measured || !d.Attr.OfFlows()
		sig = append(sig, byte(d.Attr>>8), byte(d.Attr))
		sig = d.Value.Append(d.Mask.Append(sig))
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
	rev := &Shape{RuleSet: sh.RuleSet, PeerLen: sh.PeerLen, AdjacentLen: sh.AdjacentLen, InnerPeerLen: sh.InnerPeerLen, Measures: sh.Measures}
	for _, v := range sh.Saved {
		rev.Saved = append(rev.Saved, Saved{v.Attr.Reverse(), v.Mask})
	}
	sh.Reverse = s.intern(rev)
	return sh
}

// FlowKey is the identity of a flow: its shape, and the values of the saved
// attributes, masked, at their places in Key, which is zero elsewhere.
type FlowKey struct {
	Shape *Shape
	Key   attr.Key
}

// Reverse returns the identity of the flow from the destination to the source
// (the D->S of RFC 2722 section 4.3). Types stay in place, see Attr.Reverse.
func (k *FlowKey) Reverse() FlowKey {
	return FlowKey{k.Shape.Reverse, k.Key.ReverseFlow()}
}

// Hash returns a hash of the identity that is the same for its reverse, so that
// one lookup in a table finds either. See package keyhash for what it
// withstands.
func (k *FlowKey) Hash(secret *keyhash.Secret) uint32 {
	return k.Key.Hash(secret, uint32(min(k.Shape.ID, k.Shape.Reverse.ID)), k.Shape.beyond)
}

// Value returns the octets of attribute a as the flow holds them: those of an
// address as many as the flow's addresses have, none for an attribute that is
// not read from packets. They are valid as long as k is.
func (k *FlowKey) Value(a attr.Attr) []byte {
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
	// Counters are the numbers of what the flow measures, in the order of the
	// shape's Measures; counters only grow too.
	Counters [][]uint64
	// Names are what flow data calls values of the flow. Flows of meters have none:
	// their rulesets tell.
	Names []Name
}

// Name is what the value of an attribute is called.
type Name struct {
	Attr attr.Attr
	Text string
}
