package ruleset

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"rtfm/ruleset/keyhash"
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
	// Distributions is in order of attribute number. Flows that differ only in
	// their distributions are different flows.
	Distributions []Distribution
	// Reverse is the shape with source and destination swapped; its distributions
	// stay, since To and From are the flow's own directions.
	Reverse *Shape

	named bool // saves a SubscriberID or the SessionID
	ends  uint8
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

// note notes that the shape saves v.
func (s *Shape) note(v *Saved) {
	s.named = s.named || v.Attr >= SourceSubscriberID && v.Attr <= SessionID
	if v.Mask != Ones(s.Len(v.Attr)) {
		return
	}
	switch v.Attr {
	case SourcePeerAddress:
		s.ends |= wholeSourcePeer
	case DestPeerAddress:
		s.ends |= wholeDestPeer
	case SourceTransAddress:
		s.ends |= wholeSourceTrans
	case DestTransAddress:
		s.ends |= wholeDestTrans
	case SourceTransType, DestTransType:
		s.ends |= wholeTransType
	}
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

// DistributionBits returns the value of the attribute Distributions: bit 0 is
// set for attribute 66, bit 1 for 67 and so on (RFC 2724 section 4).
func (s *Shape) DistributionBits() (bits uint32) {
	for i := range s.Distributions {
		bits |= 1 << (s.Distributions[i].Attr - ToPacketSize)
	}
	return bits
}

// AppendSaved appends the value of the attribute SavedAttributes: bit n, the
// first being the high-order one of the first octet, is set if flows of this
// shape save attribute n, for private ones bit 128 + n for 1024 + n. Octets of
// 0 at the end are left out.
func (s *Shape) AppendSaved(b []byte) []byte {
	var bits [SavedSize]byte
	n := 0
	for i := range s.Saved {
		k := slot(s.Saved[i].Attr)
		bits[k/8] |= 0x80 >> (k % 8)
		n = max(n, k/8+1)
	}
	return append(b, bits[:n]...)
}

// IsSaved reports whether an attribute stands in a value of SavedAttributes.
func IsSaved(saved []byte, a Attr) bool {
	k := slot(a)
	return k >= 0 && k/8 < len(saved) && saved[k/8]&(0x80>>(k%8)) != 0
}

// Mask returns the mask under which the flows of this shape save a, and false
// if they do not save it.
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

// Len returns the number of shapes; their IDs are less than that.
func (s *Shapes) Len() int { return len(s.all) }

// At returns the shape whose ID is id.
func (s *Shapes) At(id int) *Shape { return s.all[id] }

// Intern returns the one shape that has these fields. If an attribute stands in
// saved or distributions several times, the last one counts; masks are cut to
// the length of the value.
func (s *Shapes) Intern(ruleSet int, peerLen, adjacentLen uint8, saved []Saved, distributions ...Distribution) *Shape {
	sh := &Shape{RuleSet: ruleSet}
	for i, d := range distributions {
		if !slices.ContainsFunc(distributions[i+1:], func(l Distribution) bool { return l.Attr == d.Attr }) {
			sh.Distributions = append(sh.Distributions, d)
		}
	}
	slices.SortFunc(sh.Distributions, func(a, b Distribution) int { return cmp.Compare(a.Attr, b.Attr) })
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
		sh.note(v)
		sig = append(sig, byte(v.Attr>>8), byte(v.Attr))
		sig = v.Mask.Append(sig)
	}
	for i := range sh.Distributions {
		d := &sh.Distributions[i]
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
	rev := &Shape{RuleSet: sh.RuleSet, PeerLen: sh.PeerLen, AdjacentLen: sh.AdjacentLen, Distributions: sh.Distributions}
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

// Hash returns a hash of the identity that is the same for its reverse, so that
// one lookup in a table finds either. See package keyhash for what it
// withstands.
func (k *FlowKey) Hash(secret *keyhash.Secret) uint32 {
	const types = 0x00ff0000ffff0000 // of an end's last word: they stay in place
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(k.Key[8*i:]) }
	computed, last := word(offComputed/8), word(offMeterID/8)
	// An end's Class, Kind and prefix take the place of its types. What has no
	// direction is: the types of both ends, FlowClass and FlowKind; the attributes
	// of a packet that no end has; the MeterID and the end of the SessionID.
	s := [5]uint64{word(0), word(1), word(2), word(3),
		word(4)&^types | computed&0xff<<16 | computed>>24&0xff<<24 | last>>48&0xff<<48}
	d := [5]uint64{word(5), word(6), word(7), word(8),
		word(9)&^types | computed>>8&0xff<<16 | computed>>32&0xff<<24 | last>>56<<48}
	both := word(4)&types | word(9)&types>>16 | computed>>16&0xff<<40 | computed>>40&0xff<<56
	var named, namedDest [3]uint64
	if k.Shape.named {
		named, namedDest = k.subscriber(Source), k.subscriber(Dest)
	}
	// The ends are compared as numbers of so many words, without a branch, and the
	// lower one comes first.
	_, lower := bits.Sub64(namedDest[0], named[0], 0)
	_, lower = bits.Sub64(namedDest[1], named[1], lower)
	_, lower = bits.Sub64(namedDest[2], named[2], lower)
	for i := range s {
		_, lower = bits.Sub64(d[i], s[i], lower)
	}
	var sum keyhash.Sum
	for i := range s {
		x := (s[i] ^ d[i]) & -lower
		sum = sum.Add(s[i]^x+secret[2*i], d[i]^x+secret[2*i+1])
	}
	sum = sum.Add(both+secret[10], word(10)+secret[11])
	shape := uint64(min(k.Shape.ID, k.Shape.Reverse.ID))
	sum = sum.Add(shape+secret[12], last&(1<<48-1)+secret[13])
	if k.Shape.named {
		for i := range named {
			x := (named[i] ^ namedDest[i]) & -lower
			sum = sum.Add(named[i]^x+secret[14+2*i], namedDest[i]^x+secret[15+2*i])
		}
		sum = sum.Add(word(offSession/8)+secret[20], secret[21])
	}
	return uint32(sum.Hash((*[4]uint64)(secret[22:])))
}

// subscriber returns the SubscriberID of an end in words.
func (k *FlowKey) subscriber(end int) [3]uint64 {
	b := k.Key[offSubscriber+end*subscriberSize:]
	return [3]uint64{
		binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), uint64(binary.LittleEndian.Uint32(b[16:])),
	}
}

// Value returns the octets of attribute a as the flow holds them: of an address
// as many as the flow's addresses have, none for an attribute that is not read
// from packets. They are valid as long as k is.
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
	// Counters are the distributions' counters, in the order of the shape's
	// distributions; they only grow too.
	Counters [][]uint64
}
