// Package flowset tells packets that belong to given flows from all others: it is the
// way back from a flow to its packets.
//
// A packet belongs to a flow if it has all that the flow has saved, under the flow's
// masks, in a direction in which the flow has counted, and came between the flow's
// first packet and its last. What a ruleset tests and does not save, flows do not
// tell; who has the ruleset asks it for the packet's flow, and the set of that.
//
// Flows are found by a hash: a packet costs two lookups for each combination of
// attributes and masks that flows have saved, however many flows there are
// (BenchmarkSet).
package flowset

import (
	"math"

	"rtfm/meter/flow"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Directions are those in which a flow has counted packets.
type Directions uint8

// The directions.
const (
	Forward  Directions = 1 << iota // from source to destination
	Backward                        // from destination to source
	Both     = Forward | Backward
)

// Period is when packets of a flow came, and in which directions: from the time of
// the first to that of the last, nanoseconds since 1970.
type Period struct {
	First, Last int64
	Directions  Directions
}

// Always is the Period of a flow of which nothing is known.
var Always = Period{math.MinInt64, math.MaxInt64, Both}

// Set is a set of flows. It is not safe for concurrent use.
type Set struct {
	ruled  bool
	shapes match.Shapes
	known  map[*match.Shape]*match.Shape // of other Shapes, what they are here
	table  *flow.Table
	kinds  []kind            // of shapes that flows have
	first  []Period          // of each row of the table
	more   map[uint32]*spans // of rows with several
	bounds Period            // of all
	key    flow.Key          // room for one
}

// kind is what flows of a shape have saved.
type kind struct {
	shape  *match.Shape
	pieces []piece
	flow   match.FlowKey // room for a packet's
}

// piece is an attribute, where it is in a key.
type piece struct {
	at, n int
	mask  [attr.MaxAddress]byte
}

// mostShapes is how many shapes of others are remembered.
const mostShapes = 1 << 12

// New returns an empty Set. With ruled it is asked of flows that a ruleset makes, else
// of packets, which do not have all that rules save: see Usable.
func New(ruled bool) *Set {
	return &Set{
		ruled: ruled, known: make(map[*match.Shape]*match.Shape), table: flow.New(math.MaxInt),
		first: make([]Period, 1), more: make(map[uint32]*spans), bounds: Period{math.MaxInt64, math.MinInt64, 0},
	}
}

// Usable reports whether packets have attribute a, so that it tells which of them are
// of a flow. They do not have what rules make up (Class and Kind, SubscriberID and
// SessionID), nor what only flow records of routers have.
func Usable(a attr.Attr) bool {
	switch a {
	case attr.SourceSubscriberID, attr.DestSubscriberID, attr.SessionID,
		attr.MeterID, attr.SourceASN, attr.DestASN, attr.SourcePrefix, attr.DestPrefix, attr.Duplicate:
		return false
	}
	return a.Info().Class != attr.ClassComputed
}

// Len returns the number of flows that differ.
func (s *Set) Len() int { return s.table.Active() }

// Bounds returns the times of the first packet of all flows and of the last. Without
// flows the first is the later one.
func (s *Set) Bounds() (first, last int64) { return s.bounds.First, s.bounds.Last }

// Add adds a flow. It returns false, and adds nothing, if all packets of the period
// would be the flow's: it has saved nothing that is usable. A ruled Set has such
// flows, too.
func (s *Set) Add(k *match.FlowKey, p Period) bool {
	own := match.FlowKey{Shape: s.shape(k.Shape)}
	if len(own.Shape.Saved) == 0 && !s.ruled {
		return false
	}
	s.kind(own.Shape).cut(&own.Key, &k.Key)
	s.table.Prepare(&s.key, &own)
	row := s.table.Find(&s.key)
	if row == 0 {
		row = s.table.Create(&s.key, 0)
		for len(s.first) <= int(row) {
			s.first = append(s.first, Period{})
		}
		s.first[row] = p
	} else if !s.first[row].extend(p) {
		if s.more[row] == nil {
			s.more[row] = new(spans)
		}
		s.more[row].add(p)
	}
	s.bounds.First, s.bounds.Last = min(s.bounds.First, p.First), max(s.bounds.Last, p.Last)
	return true
}

// shape returns what a shape of other Shapes is here: less the ruleset, what is not
// usable, and addresses that the flow's packets do not have.
func (s *Set) shape(of *match.Shape) *match.Shape {
	if own := s.known[of]; own != nil {
		return own
	}
	var saved []match.Saved
	for _, v := range of.Saved {
		if of.Len(v.Attr) == 0 || !s.ruled && !Usable(v.Attr) {
			continue
		}
		if s.ruled && v.Attr.Mask() == attr.Null {
			v.Mask = attr.Ones(of.Len(v.Attr)) // flow data has no masks of numbers
		}
		saved = append(saved, v)
	}
	if len(s.known) == mostShapes {
		clear(s.known)
	}
	own := s.shapes.InternLengths(1, of.Lengths(), saved)
	s.known[of] = own
	return own
}

// kind returns that of a shape.
func (s *Set) kind(shape *match.Shape) *kind {
	for len(s.kinds) < s.shapes.Len() {
		s.kinds = append(s.kinds, kind{})
	}
	k := &s.kinds[shape.ID]
	if k.shape == nil {
		*k = kind{shape: shape, flow: match.FlowKey{Shape: shape}}
		for _, v := range shape.Saved {
			k.pieces = append(k.pieces, piece{v.Attr.Info().Offset, shape.Len(v.Attr), v.Mask.Padded()})
		}
	}
	return k
}

// cut sets what the kind saves in to to what from has of it.
func (k *kind) cut(to, from *attr.Key) {
	for i := range k.pieces {
		p := &k.pieces[i]
		for j := range p.n {
			to[p.at+j] = from[p.at+j] & p.mask[j]
		}
	}
}

// fits reports whether a packet has addresses of the lengths that are saved.
func (k *kind) fits(p match.Lengths) bool {
	l := k.shape.Lengths()
	return (l.Peer == 0 || l.Peer == p.Peer) && (l.Adjacent == 0 || l.Adjacent == p.Adjacent) && (l.InnerPeer == 0 || l.InnerPeer == p.InnerPeer)
}

// HasPacket reports whether a packet belongs to one of the flows. A meter whose clock is
// later than the packet's time, because that has come late, counts it at now.
func (s *Set) HasPacket(p *match.Packet, now int64) bool {
	lengths := p.Lengths()
	reverse := p.Key.Reverse()
	for i := range s.kinds {
		k := &s.kinds[i]
		if k.shape == nil || !k.fits(lengths) {
			continue
		}
		k.cut(&k.flow.Key, &p.Key)
		if s.has(&k.flow, Forward, p.Time, now) {
			return true
		}
		k.cut(&k.flow.Key, &reverse)
		if s.has(&k.flow, Backward, p.Time, now) {
			return true
		}
	}
	return false
}

// HasFlow is HasPacket for a packet of this time for which a ruleset has made k: as it
// came, or reversed (RFC 2722 section 4.3).
func (s *Set) HasFlow(k *match.FlowKey, reversed bool, time, now int64) bool {
	own := match.FlowKey{Shape: s.shape(k.Shape), Key: k.Key}
	if reversed {
		return s.has(&own, Backward, time, now)
	}
	if s.has(&own, Forward, time, now) {
		return true
	}
	own = own.Reverse()
	return s.has(&own, Backward, time, now)
}

// has reports whether there is a flow with this key that has counted in a direction at
// a time, or now.
func (s *Set) has(k *match.FlowKey, d Directions, time, now int64) bool {
	s.table.Prepare(&s.key, k)
	row := s.table.Find(&s.key)
	switch {
	case row == 0:
		return false
	case s.first[row].holds(d, time) || s.first[row].holds(d, now):
		return true
	}
	more := s.more[row]
	return more != nil && (more.holds(d, time) || more.holds(d, now))
}
