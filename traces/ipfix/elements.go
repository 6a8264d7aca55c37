package ipfix

// Information elements of IANA's IPFIX registry. NetFlow 9 has those below 128 too
// (RFC 3954 section 8).
const (
	OctetDeltaCount              = 1
	PacketDeltaCount             = 2
	ProtocolIdentifier           = 4
	IPClassOfService             = 5
	TCPControlBits               = 6
	SourceTransportPort          = 7
	SourceIPv4Address            = 8
	SourceIPv4PrefixLength       = 9
	IngressInterface             = 10
	DestinationTransportPort     = 11
	DestinationIPv4Address       = 12
	DestinationIPv4PrefixLength  = 13
	EgressInterface              = 14
	BGPSourceASNumber            = 16
	BGPDestinationASNumber       = 17
	SourceIPv6Address            = 27
	DestinationIPv6Address       = 28
	SourceIPv6PrefixLength       = 29
	DestinationIPv6PrefixLength  = 30
	ICMPTypeCodeIPv4             = 32
	SamplingInterval             = 34
	ExportedMessageTotalCount    = 41
	ExportedFlowRecordTotalCount = 42
	SourceIPv4Prefix             = 44
	DestinationIPv4Prefix        = 45
	SamplerID                    = 48
	SamplerRandomInterval        = 50
	SourceMACAddress             = 56
	PostDestinationMACAddress    = 57
	VLANID                       = 58
	IPVersion                    = 60
	FlowDirection                = 61
	DestinationMACAddress        = 80
	PostSourceMACAddress         = 81
	OctetTotalCount              = 85
	PacketTotalCount             = 86
	ExporterIPv4Address          = 130
	DroppedPacketTotalCount      = 135
	FlowEndReason                = 136
	ICMPTypeCodeIPv6             = 139
	MeteringProcessID            = 143
	ExportingProcessID           = 144
	TemplateID                   = 145
	FlowID                       = 148
	ObservationDomainID          = 149
	FlowStartMilliseconds        = 152
	FlowEndMilliseconds          = 153
	FlowStartNanoseconds         = 156
	FlowEndNanoseconds           = 157
	ObservedFlowTotalCount       = 163
	IgnoredPacketTotalCount      = 164
	NotSentFlowTotalCount        = 166
	NotSentPacketTotalCount      = 167
	NotSentOctetTotalCount       = 168
	DestinationIPv6Prefix        = 169
	SourceIPv6Prefix             = 170
	ICMPTypeIPv4                 = 176
	ICMPCodeIPv4                 = 177
	ICMPTypeIPv6                 = 178
	ICMPCodeIPv6                 = 179
	UDPSourcePort                = 180
	UDPDestinationPort           = 181
	TCPSourcePort                = 182
	TCPDestinationPort           = 183
	IPTTL                        = 192
	IPDiffServCodePoint          = 195
	IPTotalLength                = 224
	InitiatorOctets              = 231
	ResponderOctets              = 232
	Dot1qVLANID                  = 243
	Dot1qPriority                = 244
	EthernetType                 = 256
	InitiatorPackets             = 298
	ResponderPackets             = 299
	SelectorID                   = 302
	SamplingPacketInterval       = 305
	SamplingPacketSpace          = 306
	ObservationTimeNanoseconds   = 325
	DigestHashValue              = 326
	SelectorName                 = 335
	Layer2OctetDeltaCount        = 352
	MonitoringIntervalStart      = 359
	MonitoringIntervalEnd        = 360
)

// ReversePEN is the enterprise number of elements that are of the other direction
// (RFC 5103 section 6.1).
const ReversePEN = 29305
