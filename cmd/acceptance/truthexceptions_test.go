package acceptance

// unsupportedFormats are the trace formats, as the truth names them, that the
// meter does not read. It says so; nothing else is expected of it.
var unsupportedFormats = []string{
	"DAG DUCK clock records",
	"WAG 802.11 (wtf)",
}

// truthExceptions holds every trace in which the meter disagrees with the truth,
// in what, and why.
var truthExceptions = []exception{
	{"libtrace/legacyeth.gz", []string{aspectTotals},
		"libtrace adds 4 to wire lengths that have the check sequence already: they are from 64 to 1518, and 18 more than the IP header tells"},
	{"libtrace/provenance.erf", []string{aspectTotals},
		"its 100 records are metadata (ERF type 27), which capinfos counts as packets"},
	{"ndpi/fuzz-2021-06-07-c6c72a0a56.pcap", []string{aspectFlows, aspectTimes},
		"tshark caps a wire length of 4,093,509,168 octets at 2^31-1, and reads seconds beyond 2^31 as negative"},
	{"pcapplusplus/Packet++Test/PacketExamples/ipv4-options.pcap", []string{aspectFlows, aspectIP, aspectTimes},
		"two echo requests have a source route option: tshark shows its last address as the destination, the header has another"},
	{"suricata-verify/bug-7414-decoder-event-01/ip_secopt.pcap", []string{aspectFlows, aspectIP, aspectTimes},
		"tshark gives up at a malformed security option; the header's length still tells where UDP begins"},
	{"suricata-verify/ipv6-evasion/ipv6-malformed-fragments-11/frag-11.pcap", []string{aspectFlows, aspectIP},
		"a datagram of more than a hundred fragment headers: the truth stops at one of them, the meter at ICMPv6 behind the last"},
	{"suricata-verify/ipv6-evasion/ipv6-malformed-fragments-12/frag-12.pcap", []string{aspectFlows, aspectIP},
		"a datagram of more than a hundred fragment headers: the truth stops at one of them, the meter at ICMPv6 behind the last"},
	{"tcpdump/arista_ether.pcap", []string{aspectFlows},
		"behind a vendor's own Ethernet type (0xd28b) with a time stamp, which the meter does not know"},
	{"tcpdump/bigtcp-ipv6.pcap", []string{aspectFlows},
		"payload length 0 with 80,000 octets following: tshark sees no TCP header there"},
	{"tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap", []string{aspectFlows},
		"payload length 0 with 80,000 octets following: tshark sees no UDP header there"},
	{"tcpdump/ipv6_jumbogram_invalid_length.pcap", []string{aspectIP},
		"payload length 0 with more than 65,535 octets following: the truth counts the header only"},
	{"tcpdump/kday3.pcap", []string{aspectFlows},
		"an Ethernet type of IPv4 with an IP version of 6: tshark reads IPv6, the meter nothing"},
	{"tcpdump/olsr-oobr-2.pcap", []string{aspectTimes},
		"packets dated 2106, 1970 and 2018 in this order, which the truth calls chronological"},
	{"tcpdump/quic_32_bit_pointer_overflow.pcap", []string{aspectIP},
		"payload length 0 and a jumbo payload option of 201,311,154 octets in a frame of 58,451: the truth counts the header only, the meter what the frame holds"},
	{"tcpdump/timestamp_invalid_nano.pcap", []string{aspectTimes},
		"2^31 nanoseconds past a second: tshark reads them as negative"},
	{"zeek/cisco-fabric-path.pcap", []string{aspectFlows, aspectIP, aspectTimes},
		"behind FabricPath headers tshark takes the last four octets for a frame check sequence, of IPv6 headers without payload too"},
	{"zeek/ipv6-mobility-dst-opts.pcap", []string{aspectFlows, aspectIP, aspectTimes},
		"tshark gives up at a malformed destination option; the header's length still tells where UDP begins"},
	{"zeek/trunc/mpls-6in6-broken.pcap.gz", []string{aspectFlows},
		"two IPv4 headers longer than their datagrams, which tshark does not take to the destination address"},
}
