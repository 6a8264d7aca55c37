package ipfixsink

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/ipfix"
)

// column is a field of a record and what fills it in.
type column struct {
	field ipfix.Field
	put   func(b []byte, r *row) []byte
}

// row is what a record tells of a flow.
type row struct {
	key        match.FlowKey
	index      uint32
	start, end int64     // nanoseconds since 1970
	octets     [2]uint64 // of the record's direction, and the other
	pdus       [2]uint64
}

// layout is how records of the flows of a shape are made.
type layout struct {
	columns []column
	left    []string // attributes that have no place in it
	fields  []ipfix.Field
	key     string // of the template
}

// Kinds of flows that have layouts of their own: IPFIX has elements for ICMP's type and
// code.
const (
	icmpNone = iota
	icmp4
	icmp6
	icmpKinds
)

// icmpOf returns which kind a flow of this key is of.
func icmpOf(k *match.FlowKey) int {
	switch k.Key.TransType() {
	case 1:
		return icmp4
	case 58:
		return icmp6
	}
	return icmpNone
}

// newLayout returns the layout of records of one direction, or of both.
func newLayout(s *match.Shape, icmp int, total, both bool) *layout {
	l := &layout{columns: timeColumns()}
	l.count(total, 0)
	if both {
		l.count(total, ipfix.ReversePEN)
	}
	for i := range s.Saved {
		v := &s.Saved[i]
		if !l.add(s, v, icmp) && !implied(s, v.Attr) {
			name := v.Attr.String()
			if v.Mask != attr.Ones(s.Len(v.Attr)) {
				name += " with its mask"
			}
			l.left = append(l.left, name)
		}
	}
	for i := range s.Measures {
		name := s.Measures[i].Attr.String()
		if s.Measures[i].Attr.Info().Class == attr.ClassDistrib {
			name = "distributions"
		}
		if !slices.Contains(l.left, name) {
			l.left = append(l.left, name)
		}
	}
	for i := range l.columns {
		l.fields = append(l.fields, l.columns[i].field)
	}
	l.key = templateKey(0, l.fields)
	return l
}

// timeColumns returns those that say which flow it is, and when it was. Some collectors
// read milliseconds only.
func timeColumns() []column {
	number := func(element, length uint16, of func(*row) uint64) column {
		return column{ipfix.Field{Element: element, Length: length}, func(b []byte, r *row) []byte {
			return appendNumber(b, int(length), of(r))
		}}
	}
	return []column{
		number(ipfix.FlowID, 4, func(r *row) uint64 { return uint64(r.index) }),
		number(ipfix.FlowStartMilliseconds, 8, func(r *row) uint64 { return milliseconds(r.start) }),
		number(ipfix.FlowEndMilliseconds, 8, func(r *row) uint64 { return milliseconds(r.end) }),
		number(ipfix.FlowStartNanoseconds, 8, func(r *row) uint64 { return ipfix.Time(r.start) }),
		number(ipfix.FlowEndNanoseconds, 8, func(r *row) uint64 { return ipfix.Time(r.end) }),
		number(ipfix.FlowEndReason, 1, func(*row) uint64 { return endActive }),
	}
}

// endActive is the flowEndReason of flows that go on: a record for an interval.
const endActive = 2

// milliseconds returns a time since 1970, of what the meter saw before as 1970.
func milliseconds(ns int64) uint64 { return uint64(max(ns, 0) / 1e6) }

// count adds the counters of a direction: the record's own, or the reverse one.
func (l *layout) count(total bool, pen uint32) {
	octets, pdus := uint16(ipfix.OctetDeltaCount), uint16(ipfix.PacketDeltaCount)
	if total {
		octets, pdus = ipfix.OctetTotalCount, ipfix.PacketTotalCount
	}
	way := 0
	if pen != 0 {
		way = 1
	}
	l.columns = append(l.columns,
		column{ipfix.Field{PEN: pen, Element: octets, Length: 8}, func(b []byte, r *row) []byte {
			return binary.BigEndian.AppendUint64(b, r.octets[way])
		}},
		column{ipfix.Field{PEN: pen, Element: pdus, Length: 8}, func(b []byte, r *row) []byte {
			return binary.BigEndian.AppendUint64(b, r.pdus[way])
		}})
}

// add adds what tells an attribute, false if nothing does.
func (l *layout) add(s *match.Shape, v *match.Saved, icmp int) bool {
	n := s.Len(v.Attr)
	whole := v.Mask == attr.Ones(n)
	f := ipfix.FieldOf(s, v)
	f.Length = uint16(n)
	switch v.Attr {
	case attr.SourcePeerAddress, attr.DestPeerAddress:
		if f.Element == 0 {
			return false
		}
		if !whole {
			return l.prefix(v, n, f)
		}
	case attr.SourceTransAddress, attr.DestTransAddress:
		if icmp != icmpNone && whole {
			l.icmp(s, v.Attr, icmp)
			return true
		}
	case attr.SourceTransType, attr.DestTransType:
		if !whole || f.Element == 0 {
			return false
		}
	default:
		if f.Element == 0 {
			f.Element = further(s, v.Attr)
		}
	}
	if !whole || f.Element == 0 {
		return false
	}
	l.value(v.Attr, f)
	return true
}

// further returns the element for attributes that ipfix.FieldOf has none for.
func further(s *match.Shape, a attr.Attr) uint16 {
	switch a {
	case attr.SourcePeerType:
		if s.PeerLen == 0 { // else the addresses tell
			return ipfix.IPVersion
		}
	case attr.SourceASN:
		return ipfix.BGPSourceASNumber
	case attr.DestASN:
		return ipfix.BGPDestinationASNumber
	case attr.Priority:
		return ipfix.Dot1qPriority
	case attr.HopLimit:
		return ipfix.IPTTL
	}
	return 0
}

// implied reports whether what a flow saves is told by something else.
func implied(s *match.Shape, a attr.Attr) bool {
	switch a {
	case attr.SourcePeerType:
		return s.PeerLen == 4 || s.PeerLen == 16
	case attr.DestPeerType:
		_, has := s.Mask(attr.SourcePeerType)
		return has || s.PeerLen == 4 || s.PeerLen == 16
	case attr.DestTransType:
		_, has := s.Mask(attr.SourceTransType)
		return has
	}
	return false
}

// value adds an attribute as the flow has it.
func (l *layout) value(a attr.Attr, f ipfix.Field) {
	put := func(b []byte, r *row) []byte { return append(b, r.key.Value(a)...) }
	if f.Element == ipfix.IPVersion {
		put = func(b []byte, r *row) []byte { return append(b, ipVersion(r.key.Value(a)[0])) }
	}
	l.columns = append(l.columns, column{f, put})
}

// ipVersion returns the version of IP that a type of addresses is of, 0 if of none.
func ipVersion(peerType byte) byte {
	switch peerType {
	case 1:
		return 4
	case 2:
		return 6
	}
	return 0
}

// prefix adds an address that was saved in part, and how long that is; false if that is
// no prefix.
func (l *layout) prefix(v *match.Saved, n int, f ipfix.Field) bool {
	mask := v.Mask.Append(nil)
	length := 0
	for _, c := range mask {
		ones := bits.LeadingZeros8(^c)
		length += ones
		if ones < 8 {
			break
		}
	}
	for i, c := range mask {
		if c != byte(uint16(0xff00)>>min(max(length-8*i, 0), 8)) {
			return false
		}
	}
	width := ipfix.Field{Element: widthOf(f.Element), Length: 1}
	l.value(v.Attr, f)
	l.columns = append(l.columns, column{width, func(b []byte, _ *row) []byte { return append(b, byte(length)) }})
	return true
}

// widthOf returns the element that has a prefix' length.
func widthOf(prefix uint16) uint16 {
	switch prefix {
	case ipfix.SourceIPv4Prefix:
		return ipfix.SourceIPv4PrefixLength
	case ipfix.DestinationIPv4Prefix:
		return ipfix.DestinationIPv4PrefixLength
	case ipfix.SourceIPv6Prefix:
		return ipfix.SourceIPv6PrefixLength
	}
	return ipfix.DestinationIPv6PrefixLength
}

// icmp adds type and code, where a flow has ports else: the type is the source's, the code
// the destination's. If both are saved it is one element.
func (l *layout) icmp(s *match.Shape, a attr.Attr, icmp int) {
	other := attr.DestTransAddress
	if a == other {
		other = attr.SourceTransAddress
	}
	mask, saved := s.Mask(other)
	switch {
	case !saved || mask != attr.Ones(2):
		element := map[bool][2]uint16{
			true:  {ipfix.ICMPTypeIPv4, ipfix.ICMPTypeIPv6},
			false: {ipfix.ICMPCodeIPv4, ipfix.ICMPCodeIPv6},
		}[a == attr.SourceTransAddress][icmp-icmp4]
		l.columns = append(l.columns, column{ipfix.Field{Element: element, Length: 1}, func(b []byte, r *row) []byte {
			return append(b, r.key.Value(a)[1])
		}})
	case a == attr.SourceTransAddress:
		element := [2]uint16{ipfix.ICMPTypeCodeIPv4, ipfix.ICMPTypeCodeIPv6}[icmp-icmp4]
		l.columns = append(l.columns, column{ipfix.Field{Element: element, Length: 2}, func(b []byte, r *row) []byte {
			return append(b, r.key.Value(attr.SourceTransAddress)[1], r.key.Value(attr.DestTransAddress)[1])
		}})
	}
}

// append appends the record of a row.
func (l *layout) append(b []byte, r *row) []byte {
	for i := range l.columns {
		b = l.columns[i].put(b, r)
	}
	return b
}

// appendNumber appends the last octets of a number.
func appendNumber(b []byte, length int, n uint64) []byte {
	for i := length - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}
