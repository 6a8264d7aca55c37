package attr

import "strings"

// Attr is an attribute's number: 0-127 as RFC 2720 (FlowAttributeNumber and
// RuleAttributeNumber) and RFC 2724 section 5 assign them, from 1024 the
// meter's own (RFC 2722 section 8.1 leaves that range to private use).
type Attr uint16

// The attributes of RFC 2722 appendix C and RFC 2720, those of RFC 2724 section
// 4, where 76 to 96 are this meter's choice, and its own.
const (
	Null                  Attr = 0
	FlowIndex             Attr = 1
	FlowStatus            Attr = 2
	FlowTimeMark          Attr = 3
	SourceInterface       Attr = 4
	SourceAdjacentType    Attr = 5
	SourceAdjacentAddress Attr = 6
	SourceAdjacentMask    Attr = 7
	SourcePeerType        Attr = 8
	SourcePeerAddress     Attr = 9
	SourcePeerMask        Attr = 10
	SourceTransType       Attr = 11
	SourceTransAddress    Attr = 12
	SourceTransMask       Attr = 13
	DestInterface         Attr = 14
	DestAdjacentType      Attr = 15
	DestAdjacentAddress   Attr = 16
	DestAdjacentMask      Attr = 17
	DestPeerType          Attr = 18
	DestPeerAddress       Attr = 19
	DestPeerMask          Attr = 20
	DestTransType         Attr = 21
	DestTransAddress      Attr = 22
	DestTransMask         Attr = 23
	PDUScale              Attr = 24
	OctetScale            Attr = 25
	FlowRuleSet           Attr = 26
	ToOctets              Attr = 27
	ToPDUs                Attr = 28
	FromOctets            Attr = 29
	FromPDUs              Attr = 30
	FirstTime             Attr = 31
	LastActiveTime        Attr = 32
	SourceSubscriberID    Attr = 33
	DestSubscriberID      Attr = 34
	SessionID             Attr = 35
	SourceClass           Attr = 36
	DestClass             Attr = 37
	FlowClass             Attr = 38
	SourceKind            Attr = 39
	DestKind              Attr = 40
	FlowKind              Attr = 41
	MatchingStoD          Attr = 50
	V1                    Attr = 51
	V2                    Attr = 52
	V3                    Attr = 53
	V4                    Attr = 54
	V5                    Attr = 55
	Distributions         Attr = 65
	ToPacketSize          Attr = 66
	FromPacketSize        Attr = 67
	ToInterarrivalTime    Attr = 68
	FromInterarrivalTime  Attr = 69
	ToTurnaroundTime      Attr = 70
	FromTurnaroundTime    Attr = 71
	ToBitRate             Attr = 72
	FromBitRate           Attr = 73
	ToPDURate             Attr = 74
	FromPDURate           Attr = 75
	ToTurnaroundTime1     Attr = 76
	FromTurnaroundTime1   Attr = 77
	ToTurnaroundTime2     Attr = 78
	FromTurnaroundTime2   Attr = 79
	ToTurnaroundTime3     Attr = 80
	FromTurnaroundTime3   Attr = 81
	ToTurnaroundTime4     Attr = 82
	FromTurnaroundTime4   Attr = 83
	FlowTime              Attr = 84
	ToFlowOctets          Attr = 85
	FromFlowOctets        Attr = 86
	ToFlowPDUs            Attr = 87
	FromFlowPDUs          Attr = 88
	ToTCPSize             Attr = 89
	FromTCPSize           Attr = 90
	ToTCPTime             Attr = 91
	FromTCPTime           Attr = 92
	ToTCPRate             Attr = 93
	FromTCPRate           Attr = 94
	ToLostPDUs            Attr = 95
	FromLostPDUs          Attr = 96
	MeterID               Attr = 112
	SourceASN             Attr = 113
	SourcePrefix          Attr = 114
	DestASN               Attr = 115
	DestPrefix            Attr = 116
	DSCodePoint           Attr = 118
	VLANid                Attr = 1024
	Priority              Attr = 1025
	ECNCodeBits           Attr = 1026
	FirstTimeNs           Attr = 1027 // in nanoseconds since 1970
	LastActiveTimeNs      Attr = 1028
	SavedAttributes       Attr = 1029
	Duplicate             Attr = 1030
	HopLimit              Attr = 1031
)

// What stands between the link and the network header, and the innermost packet of
// a tunnel.
const (
	TunnelID Attr = 1032 + iota
	TunnelKind
	MPLSLabel
	MPLSBottomLabel
	InnerVLANid
	VLANTags
	InnerSourcePeerType
	InnerSourcePeerAddress
	InnerSourcePeerMask
	InnerSourceTransType
	InnerSourceTransAddress
	InnerSourceTransMask
	InnerDestPeerType
	InnerDestPeerAddress
	InnerDestPeerMask
	InnerDestTransType
	InnerDestTransAddress
	InnerDestTransMask
)

// Statistics, which are saved as distributions are (Measure).
const (
	FlowID Attr = 1050 + iota
	CommunityID
	ToSizeStats
	FromSizeStats
	ToGapStats
	FromGapStats
	ToPayloadStats
	FromPayloadStats
	ToTurnaroundStats
	FromTurnaroundStats
	ToWindowStats
	FromWindowStats
	ToHopLimitRange
	FromHopLimitRange
	ToIPIDRange
	FromIPIDRange
	ToTCPFlags
	FromTCPFlags
	ToRetransmittedPDUs
	FromRetransmittedPDUs
	ToRetransmittedOctets
	FromRetransmittedOctets
	ToOutOfOrderPDUs
	FromOutOfOrderPDUs
	ToSequenceGaps
	FromSequenceGaps
	ToMissingOctets
	FromMissingOctets
	ToZeroWindows
	FromZeroWindows
	ToResets
	FromResets
	FirstPackets
	FirstPayloads
	Censored
)

// What a flow has counted in one interval, and that by its length. Flow data has
// these, no meter: their numbers are on no wire.
const (
	DeltaToPDUs      Attr = 2048
	DeltaFromPDUs    Attr = 2049
	DeltaToOctets    Attr = 2050
	DeltaFromOctets  Attr = 2051
	DeltaToPDURate   Attr = 2052 // PDUs/s
	DeltaFromPDURate Attr = 2053
	DeltaToBitRate   Attr = 2054 // bits/s
	DeltaFromBitRate Attr = 2055
)

// Class says what kind of attribute it is, and so where it may stand.
type Class uint8

// The classes of attributes.
const (
	ClassNone      Class = iota // not an attribute this meter knows
	ClassNull                   // Null: a test of it always succeeds
	ClassInteger                // read from the packet, a number of fixed size
	ClassAddress                // read from the packet, octets from the left
	ClassComputed               // Class and Kind: set by PushRule, tested by rules
	ClassMatching               // MatchingStoD: tested, never saved
	ClassVariable               // v1 to v5: stands for another attribute
	ClassMask                   // the mask of an address attribute: only read
	ClassMeasured               // counters, times, index: only read
	ClassDistrib                // a distribution of RFC 2724: saved, and read
	ClassStatistic              // a statistic of a flow's packets, or an identifier: likewise
	ClassInterval               // what a flow has counted in an interval: in flow data only
)

// Info is what the attribute table holds of one attribute.
type Info struct {
	Attr  Attr
	Name  string // as written in documents and flow data
	Class Class
	// Size is the value's length in octets; for peer and adjacent addresses
	// the longest one, see Variable.
	Size int
	// Variable is set when the length depends on the packet.
	Variable bool
	// Offset is where the value stands in Packet.Key, when Class is Integer,
	// Address, Computed or Matching.
	Offset int
}

// MaxAddress is the length of the longest address, mask or value in octets
// (RuleAddress, RFC 2720).
const MaxAddress = 20

// SavedSize is the most octets of SavedAttributes: a bit for each public attribute
// and each private one that there could be.
const SavedSize = (numPublic + numPrivate) / 8

// attributes is the attribute table, in order of number.
var attributes = [...]Info{
	{Null, "Null", ClassNull, 0, true, 0},
	{FlowIndex, "FlowIndex", ClassMeasured, 4, false, 0},
	{FlowStatus, "FlowStatus", ClassMeasured, 1, false, 0},
	{FlowTimeMark, "FlowTimeMark", ClassMeasured, 4, false, 0},
	{SourceInterface, "SourceInterface", ClassInteger, 2, false, offInterface},
	{SourceAdjacentType, "SourceAdjacentType", ClassInteger, 1, false, offAdjacentType},
	{SourceAdjacentAddress, "SourceAdjacentAddress", ClassAddress, MaxAdjacent, true, offAdjacent},
	{SourceAdjacentMask, "SourceAdjacentMask", ClassMask, MaxAdjacent, true, 0},
	{SourcePeerType, "SourcePeerType", ClassInteger, 1, false, offPeerType},
	{SourcePeerAddress, "SourcePeerAddress", ClassAddress, MaxAddress, true, offPeer},
	{SourcePeerMask, "SourcePeerMask", ClassMask, MaxAddress, true, 0},
	{SourceTransType, "SourceTransType", ClassInteger, 1, false, offTransType},
	{SourceTransAddress, "SourceTransAddress", ClassAddress, 2, false, offTrans},
	{SourceTransMask, "SourceTransMask", ClassMask, 2, false, 0},
	{DestInterface, "DestInterface", ClassInteger, 2, false, endSize + offInterface},
	{DestAdjacentType, "DestAdjacentType", ClassInteger, 1, false, endSize + offAdjacentType},
	{DestAdjacentAddress, "DestAdjacentAddress", ClassAddress, MaxAdjacent, true, endSize + offAdjacent},
	{DestAdjacentMask, "DestAdjacentMask", ClassMask, MaxAdjacent, true, 0},
	{DestPeerType, "DestPeerType", ClassInteger, 1, false, endSize + offPeerType},
	{DestPeerAddress, "DestPeerAddress", ClassAddress, MaxAddress, true, endSize + offPeer},
	{DestPeerMask, "DestPeerMask", ClassMask, MaxAddress, true, 0},
	{DestTransType, "DestTransType", ClassInteger, 1, false, endSize + offTransType},
	{DestTransAddress, "DestTransAddress", ClassAddress, 2, false, endSize + offTrans},
	{DestTransMask, "DestTransMask", ClassMask, 2, false, 0},
	{PDUScale, "PDUScale", ClassMeasured, 1, false, 0},
	{OctetScale, "OctetScale", ClassMeasured, 1, false, 0},
	{FlowRuleSet, "FlowRuleSet", ClassMeasured, 1, false, 0},
	{ToOctets, "ToOctets", ClassMeasured, 8, false, 0},
	{ToPDUs, "ToPDUs", ClassMeasured, 8, false, 0},
	{FromOctets, "FromOctets", ClassMeasured, 8, false, 0},
	{FromPDUs, "FromPDUs", ClassMeasured, 8, false, 0},
	{FirstTime, "FirstTime", ClassMeasured, 4, false, 0},
	{LastActiveTime, "LastActiveTime", ClassMeasured, 4, false, 0},
	{SourceSubscriberID, "SourceSubscriberID", ClassAddress, subscriberSize, false, offSubscriber},
	{DestSubscriberID, "DestSubscriberID", ClassAddress, subscriberSize, false, offSubscriber + subscriberSize},
	{SessionID, "SessionID", ClassAddress, sessionSize, false, offSession},
	{SourceClass, "SourceClass", ClassComputed, 1, false, offComputed},
	{DestClass, "DestClass", ClassComputed, 1, false, offComputed + 1},
	{FlowClass, "FlowClass", ClassComputed, 1, false, offComputed + 2},
	{SourceKind, "SourceKind", ClassComputed, 1, false, offComputed + 3},
	{DestKind, "DestKind", ClassComputed, 1, false, offComputed + 4},
	{FlowKind, "FlowKind", ClassComputed, 1, false, offComputed + 5},
	{MatchingStoD, "MatchingStoD", ClassMatching, 1, false, offMatching},
	{V1, "v1", ClassVariable, 0, true, 0},
	{V2, "v2", ClassVariable, 0, true, 0},
	{V3, "v3", ClassVariable, 0, true, 0},
	{V4, "v4", ClassVariable, 0, true, 0},
	{V5, "v5", ClassVariable, 0, true, 0},
	{Distributions, "Distributions", ClassMeasured, 4, false, 0},
	{ToPacketSize, "ToPacketSize", ClassDistrib, DistributionSize, true, 0},
	{FromPacketSize, "FromPacketSize", ClassDistrib, DistributionSize, true, 0},
	{ToInterarrivalTime, "ToInterarrivalTime", ClassDistrib, DistributionSize, true, 0},
	{FromInterarrivalTime, "FromInterarrivalTime", ClassDistrib, DistributionSize, true, 0},
	{ToTurnaroundTime, "ToTurnaroundTime", ClassDistrib, DistributionSize, true, 0},
	{FromTurnaroundTime, "FromTurnaroundTime", ClassDistrib, DistributionSize, true, 0},
	{ToBitRate, "ToBitRate", ClassDistrib, DistributionSize, true, 0},
	{FromBitRate, "FromBitRate", ClassDistrib, DistributionSize, true, 0},
	{ToPDURate, "ToPDURate", ClassDistrib, DistributionSize, true, 0},
	{FromPDURate, "FromPDURate", ClassDistrib, DistributionSize, true, 0},
	{ToTurnaroundTime1, "ToTurnaroundTime1", ClassDistrib, DistributionSize, true, 0},
	{FromTurnaroundTime1, "FromTurnaroundTime1", ClassDistrib, DistributionSize, true, 0},
	{ToTurnaroundTime2, "ToTurnaroundTime2", ClassDistrib, DistributionSize, true, 0},
	{FromTurnaroundTime2, "FromTurnaroundTime2", ClassDistrib, DistributionSize, true, 0},
	{ToTurnaroundTime3, "ToTurnaroundTime3", ClassDistrib, DistributionSize, true, 0},
	{FromTurnaroundTime3, "FromTurnaroundTime3", ClassDistrib, DistributionSize, true, 0},
	{ToTurnaroundTime4, "ToTurnaroundTime4", ClassDistrib, DistributionSize, true, 0},
	{FromTurnaroundTime4, "FromTurnaroundTime4", ClassDistrib, DistributionSize, true, 0},
	{FlowTime, "FlowTime", ClassDistrib, DistributionSize, true, 0},
	{ToFlowOctets, "ToFlowOctets", ClassDistrib, DistributionSize, true, 0},
	{FromFlowOctets, "FromFlowOctets", ClassDistrib, DistributionSize, true, 0},
	{ToFlowPDUs, "ToFlowPDUs", ClassDistrib, DistributionSize, true, 0},
	{FromFlowPDUs, "FromFlowPDUs", ClassDistrib, DistributionSize, true, 0},
	{ToTCPSize, "ToTCPSize", ClassDistrib, DistributionSize, true, 0},
	{FromTCPSize, "FromTCPSize", ClassDistrib, DistributionSize, true, 0},
	{ToTCPTime, "ToTCPTime", ClassDistrib, DistributionSize, true, 0},
	{FromTCPTime, "FromTCPTime", ClassDistrib, DistributionSize, true, 0},
	{ToTCPRate, "ToTCPRate", ClassDistrib, DistributionSize, true, 0},
	{FromTCPRate, "FromTCPRate", ClassDistrib, DistributionSize, true, 0},
	{ToLostPDUs, "ToLostPDUs", ClassDistrib, DistributionSize, true, 0},
	{FromLostPDUs, "FromLostPDUs", ClassDistrib, DistributionSize, true, 0},
	{MeterID, "MeterID", ClassAddress, 4, false, offMeterID},
	{SourceASN, "SourceASN", ClassInteger, 4, false, offASN},
	{SourcePrefix, "SourcePrefix", ClassInteger, 1, false, offPrefix},
	{DestASN, "DestASN", ClassInteger, 4, false, endSize + offASN},
	{DestPrefix, "DestPrefix", ClassInteger, 1, false, offPrefix + 1},
	{DSCodePoint, "DSCodePoint", ClassInteger, 1, false, offDSCodePoint},
	{VLANid, "VLANid", ClassInteger, 2, false, offVLANid},
	{Priority, "Priority", ClassInteger, 1, false, offPriority},
	{ECNCodeBits, "ECNCodeBits", ClassInteger, 1, false, offECN},
	{FirstTimeNs, "FirstTimeNs", ClassMeasured, 8, false, 0},
	{LastActiveTimeNs, "LastActiveTimeNs", ClassMeasured, 8, false, 0},
	{SavedAttributes, "SavedAttributes", ClassMeasured, SavedSize, true, 0},
	{Duplicate, "Duplicate", ClassInteger, 1, false, offDuplicate},
	{HopLimit, "HopLimit", ClassInteger, 1, false, offHopLimit},
	{TunnelID, "TunnelID", ClassInteger, 4, false, offTunnelID},
	{TunnelKind, "TunnelKind", ClassInteger, 1, false, offTunnelKind},
	{MPLSLabel, "MPLSLabel", ClassInteger, 4, false, offMPLS},
	{MPLSBottomLabel, "MPLSBottomLabel", ClassInteger, 4, false, offMPLS + 4},
	{InnerVLANid, "InnerVLANid", ClassInteger, 2, false, offInnerVLANid},
	{VLANTags, "VLANTags", ClassInteger, 1, false, offVLANTags},
	{InnerSourcePeerType, "InnerSourcePeerType", ClassInteger, 1, false, offInner + innerPeerType},
	{InnerSourcePeerAddress, "InnerSourcePeerAddress", ClassAddress, MaxInnerPeer, true, offInner + innerPeer},
	{InnerSourcePeerMask, "InnerSourcePeerMask", ClassMask, MaxInnerPeer, true, 0},
	{InnerSourceTransType, "InnerSourceTransType", ClassInteger, 1, false, offInner + innerTransType},
	{InnerSourceTransAddress, "InnerSourceTransAddress", ClassAddress, 2, false, offInner + innerTrans},
	{InnerSourceTransMask, "InnerSourceTransMask", ClassMask, 2, false, 0},
	{InnerDestPeerType, "InnerDestPeerType", ClassInteger, 1, false, offInner + InnerEndSize + innerPeerType},
	{InnerDestPeerAddress, "InnerDestPeerAddress", ClassAddress, MaxInnerPeer, true, offInner + InnerEndSize + innerPeer},
	{InnerDestPeerMask, "InnerDestPeerMask", ClassMask, MaxInnerPeer, true, 0},
	{InnerDestTransType, "InnerDestTransType", ClassInteger, 1, false, offInner + InnerEndSize + innerTransType},
	{InnerDestTransAddress, "InnerDestTransAddress", ClassAddress, 2, false, offInner + InnerEndSize + innerTrans},
	{InnerDestTransMask, "InnerDestTransMask", ClassMask, 2, false, 0},
	{FlowID, "FlowID", ClassStatistic, DistributionSize, true, 0},
	{CommunityID, "CommunityID", ClassStatistic, DistributionSize, true, 0},
	{ToSizeStats, "ToSizeStats", ClassStatistic, DistributionSize, true, 0},
	{FromSizeStats, "FromSizeStats", ClassStatistic, DistributionSize, true, 0},
	{ToGapStats, "ToGapStats", ClassStatistic, DistributionSize, true, 0},
	{FromGapStats, "FromGapStats", ClassStatistic, DistributionSize, true, 0},
	{ToPayloadStats, "ToPayloadStats", ClassStatistic, DistributionSize, true, 0},
	{FromPayloadStats, "FromPayloadStats", ClassStatistic, DistributionSize, true, 0},
	{ToTurnaroundStats, "ToTurnaroundStats", ClassStatistic, DistributionSize, true, 0},
	{FromTurnaroundStats, "FromTurnaroundStats", ClassStatistic, DistributionSize, true, 0},
	{ToWindowStats, "ToWindowStats", ClassStatistic, DistributionSize, true, 0},
	{FromWindowStats, "FromWindowStats", ClassStatistic, DistributionSize, true, 0},
	{ToHopLimitRange, "ToHopLimitRange", ClassStatistic, DistributionSize, true, 0},
	{FromHopLimitRange, "FromHopLimitRange", ClassStatistic, DistributionSize, true, 0},
	{ToIPIDRange, "ToIPIDRange", ClassStatistic, DistributionSize, true, 0},
	{FromIPIDRange, "FromIPIDRange", ClassStatistic, DistributionSize, true, 0},
	{ToTCPFlags, "ToTCPFlags", ClassStatistic, DistributionSize, true, 0},
	{FromTCPFlags, "FromTCPFlags", ClassStatistic, DistributionSize, true, 0},
	{ToRetransmittedPDUs, "ToRetransmittedPDUs", ClassStatistic, DistributionSize, true, 0},
	{FromRetransmittedPDUs, "FromRetransmittedPDUs", ClassStatistic, DistributionSize, true, 0},
	{ToRetransmittedOctets, "ToRetransmittedOctets", ClassStatistic, DistributionSize, true, 0},
	{FromRetransmittedOctets, "FromRetransmittedOctets", ClassStatistic, DistributionSize, true, 0},
	{ToOutOfOrderPDUs, "ToOutOfOrderPDUs", ClassStatistic, DistributionSize, true, 0},
	{FromOutOfOrderPDUs, "FromOutOfOrderPDUs", ClassStatistic, DistributionSize, true, 0},
	{ToSequenceGaps, "ToSequenceGaps", ClassStatistic, DistributionSize, true, 0},
	{FromSequenceGaps, "FromSequenceGaps", ClassStatistic, DistributionSize, true, 0},
	{ToMissingOctets, "ToMissingOctets", ClassStatistic, DistributionSize, true, 0},
	{FromMissingOctets, "FromMissingOctets", ClassStatistic, DistributionSize, true, 0},
	{ToZeroWindows, "ToZeroWindows", ClassStatistic, DistributionSize, true, 0},
	{FromZeroWindows, "FromZeroWindows", ClassStatistic, DistributionSize, true, 0},
	{ToResets, "ToResets", ClassStatistic, DistributionSize, true, 0},
	{FromResets, "FromResets", ClassStatistic, DistributionSize, true, 0},
	{FirstPackets, "FirstPackets", ClassStatistic, DistributionSize, true, 0},
	{FirstPayloads, "FirstPayloads", ClassStatistic, DistributionSize, true, 0},
	{Censored, "Censored", ClassStatistic, DistributionSize, true, 0},
	{DeltaToPDUs, "DeltaToPDUs", ClassInterval, 8, false, 0},
	{DeltaFromPDUs, "DeltaFromPDUs", ClassInterval, 8, false, 0},
	{DeltaToOctets, "DeltaToOctets", ClassInterval, 8, false, 0},
	{DeltaFromOctets, "DeltaFromOctets", ClassInterval, 8, false, 0},
	{DeltaToPDURate, "DeltaToPDURate", ClassInterval, 8, false, 0},
	{DeltaFromPDURate, "DeltaFromPDURate", ClassInterval, 8, false, 0},
	{DeltaToBitRate, "DeltaToBitRate", ClassInterval, 8, false, 0},
	{DeltaFromBitRate, "DeltaFromBitRate", ClassInterval, 8, false, 0},
}

// aliases are further names under which attributes are found.
var aliases = map[string]Attr{
	"ruleset":          FlowRuleSet,
	"flowrulesetindex": FlowRuleSet,
	"ecn":              ECNCodeBits,
	"timemark":         FlowTimeMark,
	"tcptime":          ToTCPTime,
	"tcprate":          ToTCPRate,
}

// slots maps a number below numSlots, or a private one less Private, to
// its place in the table plus one.
var slots, byName = index()

// Private is the first private attribute; their numbers follow each other.
const Private Attr = 1024

const (
	numPublic = 128
	// As many as a reader can name in a package (RFC 2720, flowReaderTable) with one
	// octet, where 192 stands for the first.
	numPrivate = 64
	numDeltas  = 8
)

func index() (s [numPublic + numPrivate + numDeltas]uint8, names map[string]Attr) {
	names = make(map[string]Attr, len(attributes)+len(aliases))
	for i := range attributes {
		in := &attributes[i]
		s[slot(in.Attr)] = uint8(i + 1)
		names[strings.ToLower(in.Name)] = in.Attr
	}
	for n, a := range aliases {
		names[n] = a
	}
	return s, names
}

// slot returns a's place in slots, or -1.
func slot(a Attr) int {
	switch {
	case a < numPublic:
		return int(a)
	case a >= Private && a < Private+numPrivate:
		return numPublic + int(a-Private)
	case a >= DeltaToPDUs && a < DeltaToPDUs+numDeltas:
		return numPublic + numPrivate + int(a-DeltaToPDUs)
	}
	return -1
}

// SavedBit returns which bit of SavedAttributes stands for the attribute, -1 if none
// does.
func (a Attr) SavedBit() int {
	if a >= DeltaToPDUs {
		return -1
	}
	return slot(a)
}

// Info returns a's entry of the attribute table; its Class is ClassNone when
// there is no such attribute.
func (a Attr) Info() Info {
	if in := a.info(); in.Class != ClassNone {
		return *in
	}
	return Info{Attr: a}
}

// info returns a's entry of the attribute table, or an empty one.
func (a Attr) info() *Info {
	if s := slot(a); s >= 0 && slots[s] != 0 {
		return &attributes[slots[s]-1]
	}
	return &noInfo
}

var noInfo Info

// String returns a's name, or its number as `attribute(77)`.
func (a Attr) String() string {
	if in := a.Info(); in.Class != ClassNone {
		return in.Name
	}
	return "attribute(" + utoa(uint(a)) + ")"
}

// Testable reports whether a rule may test or save a: attributes read from the
// packet, computed ones, Null, MatchingStoD and the meter variables
// (RuleAttributeNumber, RFC 2720), and distributions, which are only saved.
func (a Attr) Testable() bool {
	switch a.info().Class {
	case ClassNone, ClassMask, ClassMeasured, ClassInterval:
		return false
	}
	return true
}

// Bits returns how many bits the values of integer attribute a have: fewer than
// its octets hold where the packet's field is smaller.
func (a Attr) Bits() int {
	switch a {
	case MPLSLabel, MPLSBottomLabel:
		return 20
	case VLANid, InnerVLANid:
		return 12
	case Priority:
		return 3
	case DSCodePoint:
		return 6
	case ECNCodeBits:
		return 2
	}
	return 8 * a.info().Size
}

// ByName finds an attribute by its name, whatever the case of its letters.
func ByName(name string) (Attr, bool) {
	a, ok := byName[strings.ToLower(name)]
	return a, ok
}

// All returns the attribute table, in order of number. The caller owns it.
func All() []Info { return append([]Info(nil), attributes[:]...) }

func utoa(u uint) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + u%10)
		if u /= 10; u == 0 {
			return string(b[i:])
		}
	}
}

// Readable reports whether a meter's flow record has a: all attributes but Null,
// MatchingStoD, the meter variables, and what is of an interval.
func (a Attr) Readable() bool {
	switch a.info().Class {
	case ClassNone, ClassNull, ClassMatching, ClassVariable, ClassInterval:
		return false
	}
	return true
}

// IsColumn reports whether flow data has a, so that a FORMAT may name it: what can
// be read, and what is of an interval.
func (a Attr) IsColumn() bool { return a.Readable() || a.info().Class == ClassInterval }
