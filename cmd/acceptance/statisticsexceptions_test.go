package acceptance

// statisticExceptions holds the traces whose flows have other statistics than
// tshark's packets, and why.
var statisticExceptions = map[string]string{
	"ndpi/fuzz-2021-06-07-c6c72a0a56.pcap":                       "tshark caps a wire length of 4,093,509,168 octets at 2^31-1",
	"pcapplusplus/Packet++Test/PacketExamples/ipv4-options.pcap": "two echo requests have a source route option: tshark shows its last address as the destination",
	"suricata-verify/bug-7414-decoder-event-01/ip_secopt.pcap":   "tshark gives up at a malformed security option",
	"tcpdump/arista_ether.pcap":                                  "behind a vendor's own Ethernet type (0xd28b) with a time stamp, which the meter does not know",
	"tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap":                        "payload length 0 with 80,000 octets following: tshark sees no UDP header there",
	"tcpdump/bigtcp-ipv6.pcap":                                   "payload length 0 with 80,000 octets following: tshark sees no TCP header there",
	"zeek/cisco-fabric-path.pcap":                                "behind FabricPath headers tshark takes the last four octets for a frame check sequence",
	"zeek/ipv6-mobility-dst-opts.pcap":                           "tshark gives up at a malformed destination option",
	"zeek/trunc/ipv4-internally-truncated-header.pcap":           "the options of the IP header are cut, and with them tshark's addresses",
	"zeek/trunc/mpls-6in6-broken.pcap.gz":                        "two IPv4 headers longer than their datagrams, which tshark does not take to the destination address",
	"tcpdump/ipv4_invalid_length.pcap":                           "the IP header is cut within the destination address",
	"tcpdump/ipv6_39_byte_header.pcap":                           "the IP header is cut within the destination address",
	"tcpdump/quic_32_bit_pointer_overflow.pcap":                  "a jumbo payload option of 201,311,154 octets in a frame of 58,451: the meter counts what the frame holds",
	"tcpdump/timestamp_invalid_nano.pcap":                        "2^31 nanoseconds past a second: tshark reads them as negative",
}

// sequenceVerdicts is how many segments of all traces have which verdict by their
// sequence numbers, which remark of tshark's, and by which rule these differ.
var sequenceVerdicts = map[string]int{}
