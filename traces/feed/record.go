package feed

import "rtfm/traces/ipfix"

// Packet is a packet that was counted.
type Packet struct {
	Flow     uint64 // identifier
	Time     int64  // nanoseconds since 1970-01-01 00:00:00 UTC
	Octets   uint32 // as Form.Frames says
	TCPFlags uint8  // 0 of others
	Backward bool   // from the flow's dest to its source
	Digest   uint32 // of what does not change on the way, as packet.Digest says; if Form.Digest
}

// New is a flow that has begun.
type New struct {
	Flow  uint64
	Shape *Shape
	// First is the time of the first packet of the flow since it was in the flow
	// table; Index its row there.
	First int64
	Index uint32
	// Collisions is how many identifiers before this one other flows had.
	Collisions uint16
	// Key is the values of the shape's attributes, one after the other.
	Key []byte
}

// End is a flow that has ended. What New has of it is told again.
type End struct {
	New
	Reason Reason
	// Begun is the time of the first packet of which this end tells: that of First,
	// unless the flow has ended before. Last is that of the latest one.
	Begun, Last int64
	// PDUs and octets were counted from Begun on, forward and backward; Told is the
	// number of PACKETs among them that the meter has made.
	PDUs, Octets [2]uint64
	Told         uint64
}

// Reason is a flowEndReason of IANA's registry.
type Reason uint8

// Why flows end.
const (
	Idle   Reason = 1
	Ended  Reason = 3 // by TCP
	Forced Reason = 4 // the meter or its ruleset has ended, or its feed
)

// Stats is what a meter has counted since its feed was opened.
type Stats struct {
	Time int64
	// Packets were seen, of which Ignored ones are in no flow as the rulesets say,
	// Uncounted ones in none for want of room. Lost ones were lost before the meter,
	// or never counted for another reason.
	Packets, Ignored, Uncounted, Lost uint64
	// DroppedMessages, with so many data records, found the queue full.
	DroppedMessages, DroppedRecords uint64
	// Flows have had a NEW and no END yet.
	Flows uint32
	// First is how many packets of a flow are told, 0 for all.
	First uint32
}

// Form is what all records of a feed have in common.
type Form struct {
	Narrow bool // identifiers have 32 bits, else 64
	Frames bool // octets are those of frames, else of IP datagrams
	Digest bool // packets have a digest
}

// Templates of records that are the same in every feed. Those of flows follow, two of
// each shape: NEW's, and END's, one higher.
const (
	PacketTemplate = 400 + iota
	LargeTemplate  // PACKET with octets that do not fit in two octets
	StatsTemplate
	ShapeTemplate
	firstFlowTemplate = 512
	maxShapes         = 1 << 10 // whose templates are there at a time
)

// The elements of our own.
const (
	elementFlowIndex = 1 + iota
	elementCollisions
	elementBegun // a time, as flowStartNanoseconds
	elementTold
	elementShape
	elementUncounted
	elementDroppedRecords
	elementFlows
	elementFirst
	elementAttribute = 0x1000 // and the number of an attribute
)

func own(element uint16, length uint16) ipfix.Field {
	return ipfix.Field{PEN: ipfix.PEN, Element: element, Length: length}
}

func field(element uint16, length uint16) ipfix.Field {
	return ipfix.Field{Element: element, Length: length}
}

func reverse(element uint16, length uint16) ipfix.Field {
	return ipfix.Field{PEN: ipfix.ReversePEN, Element: element, Length: length}
}

func (f Form) flow() ipfix.Field {
	if f.Narrow {
		return field(ipfix.FlowID, 4)
	}
	return field(ipfix.FlowID, 8)
}

// octets returns the field for the octets of a packet.
func (f Form) octets(length uint16) ipfix.Field {
	if f.Frames {
		return field(ipfix.Layer2OctetDeltaCount, length)
	}
	return field(ipfix.IPTotalLength, length)
}

// packet returns the fields of PACKET, with so many octets for those of the packet.
func (f Form) packet(octets uint16) []ipfix.Field {
	fields := []ipfix.Field{
		f.flow(), field(ipfix.ObservationTimeNanoseconds, 8), f.octets(octets),
		field(ipfix.TCPControlBits, 1), field(ipfix.FlowDirection, 1),
	}
	if f.Digest {
		fields = append(fields, field(ipfix.DigestHashValue, 4))
	}
	return fields
}

// newFields returns the fields of NEW before the key.
func (f Form) newFields() []ipfix.Field {
	return []ipfix.Field{
		f.flow(), field(ipfix.FlowStartNanoseconds, 8), field(ipfix.SelectorID, 1), own(elementFlowIndex, 4), own(elementCollisions, 2),
	}
}

// endFields returns the fields of END before the key; icmp is as in Shape.
func (f Form) endFields(icmp uint16) []ipfix.Field {
	octets := uint16(ipfix.OctetDeltaCount)
	if f.Frames {
		octets = ipfix.Layer2OctetDeltaCount
	}
	fields := append(f.newFields(),
		own(elementBegun, 8), field(ipfix.FlowEndNanoseconds, 8), field(ipfix.FlowEndReason, 1),
		field(ipfix.PacketDeltaCount, 8), field(octets, 8), reverse(ipfix.PacketDeltaCount, 8), reverse(octets, 8), own(elementTold, 8))
	if icmp != 0 {
		fields = append(fields, field(icmp, 2))
	}
	return fields
}

// statsFields are those of STATS; the first is the scope.
func statsFields() []ipfix.Field {
	return []ipfix.Field{
		field(ipfix.ObservationDomainID, 4), field(ipfix.ObservationTimeNanoseconds, 8),
		field(ipfix.PacketTotalCount, 8), field(ipfix.IgnoredPacketTotalCount, 8), own(elementUncounted, 8), field(ipfix.DroppedPacketTotalCount, 8),
		field(ipfix.NotSentFlowTotalCount, 8), own(elementDroppedRecords, 8), own(elementFlows, 4), own(elementFirst, 4),
	}
}

// shapeFields are those of SHAPE; the first is the scope, the template of NEW.
func shapeFields() []ipfix.Field {
	return []ipfix.Field{
		field(ipfix.TemplateID, 2), field(ipfix.SelectorID, 1), field(ipfix.SelectorName, ipfix.Variable), own(elementShape, ipfix.Variable),
	}
}
