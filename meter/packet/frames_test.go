package packet

import (
	"strings"

	"rtfm/traces"
)

// Parts of frames in hexadecimal, and what they are to give.
const (
	macs     = "020000000002 020000000001 "
	wantMACs = "adjacent 7 020000000001>020000000002"

	dns    = "8001 0035 000c 0000 61626364 " // UDP, 12 octets
	v4     = "45b9 0020 0001 4000 4011 0000 0a000001 c0a80102 " + dns
	wantV4 = "peer 1 0a000001>c0a80102, trans 17 8001>0035, class 46 ecn 1, ip 32, IsIP HasTransport"

	v6addresses = "20010db8000000000000000000000001 20010db8000000000000000000000002 "
	v6          = "6b912345 000c 1140 " + v6addresses + dns
	wantPeer6   = "peer 2 20010db8000000000000000000000001>20010db8000000000000000000000002"
	wantV6      = wantPeer6 + ", trans 17 8001>0035, class 46 ecn 1, ip 52, IsIP HasTransport"

	ipxPacket = "ffff 0022 00 11 00000002 000000000002 0451 00000001 000000000001 4003 01020304 "
	wantIPX   = "peer 11 00000001000000000001>00000002000000000002, trans 17 4003>0451"

	ddpPacket = "000f 0000 0002 0001 22 11 04 80 06 0102 "
	wantDDP   = "peer 12 000111>000222, trans 6 0080>0004"

	clnpPacket = "81 15 01 40 9c 0015 0000 06 490001020304 05 4900010203 "
	wantCLNP   = "peer 3 490001020300>490001020304"

	want80211 = "adjacent 71 020000000001>020000000002"
	toStation = " 0000 020000000002 060000000003 020000000001 0000 "
	toAP      = " 0000 060000000003 020000000001 020000000002 0000 "
	snapIPv4  = "aaaa03 000000 0800 " + v4

	pktapHeader   = "6c000000 01000000 "
	wpanShortEnds = "4188 01 cdab 0200 0100 "
	wpanLongEnds  = "41cc 01 cdab 0807060504030201 1807060504030211 "
	wpanUDP       = "7e33 f3 12 0000 61626364"
	wantWPAN      = "peer 2 fe80000000000000000000fffe000001>fe80000000000000000000fffe000002"
	wantWPANLong  = "peer 2 fe800000000000001302030405060718>fe800000000000000302030405060708"
)

// decodeTests are frames and what they give: link type, octets, and what
// describe says of them. wire is 0 when all of the frame was captured.
var decodeTests = []struct {
	name string
	link traces.LinkType
	data string
	wire uint32
	want string
}{
	// Ethernet, and what stands between it and the network header.
	{"IPv4", 1, macs + "0800" + v4, 0, wantMACs + ", " + wantV4 + " @34"},
	{"IPv6", 1, macs + "86dd" + v6, 0, wantMACs + ", " + wantV6 + " @54"},
	{"ARP", 1, macs + "0806 0001 0800 06 04 0001", 0, wantMACs},
	{"VLAN", 1, macs + "8100 a123 0800" + v4, 0, wantMACs + ", " + wantV4 + ", vlan 291 priority 5 @38"},
	{"QinQ", 1, macs + "88a8 2fff 8100 a123 86dd" + v6, 0, wantMACs + ", " + wantV6 + ", vlan 4095 priority 1, 2 tags, then vlan 291 @62"},
	{"QinQ of old", 1, macs + "9100 6001 8100 a123 8100 0005 0800" + v4, 0, wantMACs + ", " + wantV4 + ", vlan 1 priority 3, 3 tags, then vlan 291 @46"},
	{"MPLS", 1, macs + "8847 00010040 00020140" + v4, 0, wantMACs + ", " + wantV4 + ", labels 16..32 @42"},
	{"MPLS multicast", 1, macs + "8848 00020140" + v6, 0, wantMACs + ", " + wantV6 + ", labels 32..32 @58"},
	{"pseudowire with control word", 1, macs + "8847 00020140 00000007 060000000002 060000000001 0800" + v4, 0, wantMACs + ", " + wantV4 + ", labels 32..32 @56"},
	{"pseudowire without", 1, macs + "8847 00020140 060000000002 060000000001 86dd" + v6, 0, wantMACs + ", " + wantV6 + ", labels 32..32 @72"},
	{"MPLS, of what?", 1, macs + "8847 00020140 10000007 060000000002", 0, wantMACs + ", labels 32..32"},
	{"PPPoE", 1, macs + "8864 1100 0001 0022 0021" + v4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"PPPoE, LCP", 1, macs + "8864 1100 0001 0006 c021 0901 0004", 0, wantMACs},
	{"PPPoE of another version", 1, macs + "8864 2100 0001 0022 0021" + v4, 0, wantMACs + ", Malformed"},
	{"backbone", 1, macs + "88e7 00000001 060000000002 060000000001 0800" + v4, 0, wantMACs + ", " + wantV4 + " @52"},
	{"FabricPath", 1, macs + "8903 0001 060000000002 060000000001 0800" + v4, 0, wantMACs + ", " + wantV4 + " @50"},
	{"VNTag", 1, macs + "8926 00000001 0800" + v4, 0, wantMACs + ", " + wantV4 + " @40"},
	{"E-tag", 1, macs + "893f 000000000001 0800" + v4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"MACsec", 1, macs + "88e5 00 00 00000001 0800" + v4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"MACsec with channel", 1, macs + "88e5 20 00 00000001 0200000000010001 0800" + v4, 0, wantMACs + ", " + wantV4 + " @50"},
	{"MACsec, encrypted", 1, macs + "88e5 0c 00 00000001 0800" + v4, 0, wantMACs},
	{"NSH", 1, macs + "894f 0002 02 01 00000101" + v4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"NSH, IPv6", 1, macs + "894f 0002 02 02 00000101" + v6, 0, wantMACs + ", " + wantV6 + " @62"},
	{"NSH, MPLS", 1, macs + "894f 0002 02 05 00000101 00020140" + v4, 0, wantMACs + ", " + wantV4 + ", labels 32..32 @46"},
	{"NSH, Ethernet", 1, macs + "894f 0003 02 03 00000101 00000000 060000000002 060000000001 86dd" + v6, 0, wantMACs + ", " + wantV6 + " @80"},
	{"NSH, no header", 1, macs + "894f 0001 02 01 00000101" + v4, 0, wantMACs + ", Malformed"},

	// IEEE 802.3 and LLC.
	{"LLC, IP", 1, macs + "0023 060603" + v4, 0, wantMACs + ", " + wantV4 + " @37"},
	{"LLC, numbered", 1, macs + "0024 06060204" + v4, 0, wantMACs + ", " + wantV4 + " @38"},
	{"LLC, supervisory", 1, macs + "0024 06060104" + v4, 0, wantMACs},
	{"LLC, XID", 1, macs + "0023 0606af" + v4, 0, wantMACs},
	{"LLC, access points differ", 1, macs + "0023 060403" + v4, 0, wantMACs},
	{"SNAP", 1, macs + "0028 " + snapIPv4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"SNAP of a bridge", 1, macs + "0028 aaaa03 0000f8 8137" + ipxPacket, 0, wantMACs + ", " + wantIPX},
	{"SNAP of another organisation", 1, macs + "0028 aaaa03 00000c 0800" + v4, 0, wantMACs},
	{"SNAP, length for type", 1, macs + "0028 aaaa03 000000 0020 060603" + v4, 0, wantMACs},
	{"LLC after a tag", 1, macs + "8100 0007 0028 " + snapIPv4, 0, wantMACs + ", " + wantV4 + ", vlan 7 priority 0 @46"},
	{"LLC in jumbo frames", 1, macs + "8870 " + snapIPv4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"neither length nor type", 1, macs + "05dd 060603" + v4, 0, wantMACs},
	{"spanning tree", 1, macs + "0026 424203 0000 00 00", 0, wantMACs},
	{"IPX, Ethernet", 1, macs + "8137" + ipxPacket, 0, wantMACs + ", " + wantIPX},
	{"IPX, 802.3", 1, macs + "0022" + ipxPacket, 0, wantMACs + ", " + wantIPX},
	{"IPX, LLC", 1, macs + "0025 e0e003" + ipxPacket, 0, wantMACs + ", " + wantIPX},
	{"AppleTalk", 1, macs + "0017 aaaa03 080007 809b" + ddpPacket, 0, wantMACs + ", " + wantDDP},
	{"AppleTalk's ARP", 1, macs + "0024 aaaa03 000000 80f3 0001", 0, wantMACs},
	{"CLNP", 1, macs + "0018 fefe03" + clnpPacket, 0, wantMACs + ", " + wantCLNP},
	{"CLNP, address too long", 1, macs + "0018 fefe03 81 15 01 40 9c 0015 0000 15 " + v6addresses, 0, wantMACs + ", peer 3, Malformed"},
	{"IS-IS", 1, macs + "0040 fefe03 83 1b 01 00 11 01 00 00", 0, wantMACs},
	{"DECnet, short", 1, macs + "6003 0600 02 020c 0104 00", 0, wantMACs + ", peer 13 010001>030002"},
	{"DECnet, long and padded", 1, macs + "6003 1700 82 00 26 0000 aa000400020f 0000 aa000400ffff 00 00 00 00", 0, wantMACs + ", peer 13 3f03ff>030302"},
	{"DECnet, hello", 1, macs + "6003 2200 0d 020000 aa0004000104", 0, wantMACs + ", peer 13"},

	// IP.
	{"IPv4 with options", 101, "4600 0020 0001 0000 4006 0000 0a000001 0a000002 94040000 0017 0400 00000000", 0,
		"peer 1 0a000001>0a000002, trans 6 0017>0400, ip 32, IsIP HasTransport @24"},
	{"IPv4, padded", 1, macs + "0800 4500 0014 0001 0000 4011 0000 0a000001 0a000002 00350036 00000000", 0,
		wantMACs + ", peer 1 0a000001>0a000002, trans 17, ip 20, Malformed IsIP"},
	{"IPv4, ports in part", 101, "4500 0016 0001 0000 4011 0000 0a000001 0a000002 0035 0036", 0,
		"peer 1 0a000001>0a000002, trans 17 0035>0000, ip 22, Malformed IsIP HasTransport @20"},
	{"IPv4 offloaded", 101, "4500 0000 0001 0000 4006 0000 0a000001 0a000002 0035 0036", 70020,
		"peer 1 0a000001>0a000002, trans 6 0035>0036, ip 70020, IsIP HasTransport @20"},
	{"IPv4, first fragment", 101, "4500 0018 0001 2000 4084 0000 0a000001 0a000002 0035 0036", 0,
		"peer 1 0a000001>0a000002, trans 132 0035>0036, ip 24, IsIP HasTransport @20"},
	{"IPv4, later fragment", 101, "4500 0018 0001 0001 4011 0000 0a000001 0a000002 0035 0036", 0,
		"peer 1 0a000001>0a000002, trans 17, ip 24, Fragment IsIP @20"},
	{"IPv4 in IPv4", 101, "4500 0034 0001 0000 4004 0000 0a000003 0a000004" + v4, 0,
		"peer 1 0a000003>0a000004, trans 4, ip 52, IsIP HasTransport @20"},
	{"IPv4, authentication header", 101, "4500 0030 0001 0000 4033 0000 0a000003 0a000004 1104 0000 00000001 00000001 000000000000000000000000 00350036", 0,
		"peer 1 0a000003>0a000004, trans 51, ip 48, IsIP HasTransport @20"},
	{"IPv4, header longer than datagram", 101, "4f00 0020 0001 4000 4011 0000 0a000001 c0a80102" + dns, 0,
		"peer 1 0a000001>c0a80102, trans 17, ip 32, Malformed IsIP"},
	{"IPv4, header longer than datagram, no ports", 101, "4700 0018 0001 4000 4032 0000 0a000001 c0a80102" + dns, 0,
		"peer 1 0a000001>c0a80102, trans 50, ip 24, Malformed IsIP"},
	{"IPv4, header too short", 101, "4400 0020 0001 4000 4011 0000 0a000001 c0a80102" + dns, 0, "Malformed"},
	{"IPv4, datagram too short", 101, "4500 0013 0001 4000 4011 0000 0a000001 c0a80102" + dns, 0, "Malformed"},
	{"IPv4 by the link, not by itself", 1, macs + "0800" + v6, 0, wantMACs + ", Malformed"},
	{"IPv6 by the link, not by itself", 1, macs + "86dd" + v4 + dns, 0, wantMACs + ", Malformed"},
	{"IPv4, longer than frame", 101, "4500 0100 0001 0000 4011 0000 0a000001 0a000002", 0,
		"peer 1 0a000001>0a000002, trans 17, ip 256, Malformed IsIP"},
	{"neither IPv4 nor IPv6", 101, "50", 0, "Malformed"},
	{"IPv4, TCP", 228, "4500 0018 0001 0000 4006 0000 0a000001 0a000002 0035 0036", 0,
		"peer 1 0a000001>0a000002, trans 6 0035>0036, ip 24, IsIP HasTransport @20"},
	{"IPv4, DCCP", 101, "4500 0018 0001 0000 4021 0000 0a000001 0a000002 0035 0036", 0,
		"peer 1 0a000001>0a000002, trans 33 0035>0036, ip 24, IsIP HasTransport @20"},
	{"IPv4, UDP-Lite", 101, "4500 0018 0001 0000 4088 0000 0a000001 0a000002 0035 0036", 0,
		"peer 1 0a000001>0a000002, trans 136 0035>0036, ip 24, IsIP HasTransport @20"},
	{"ICMP", 101, "4500 0018 0001 0000 4001 0000 0a000001 0a000002 0301 0036", 0,
		"peer 1 0a000001>0a000002, trans 1 0003>0001, ip 24, IsIP HasTransport @20"},
	{"ICMPv6", 229, "60000000 0004 3a40" + v6addresses + "8700 0000", 0,
		wantPeer6 + ", trans 58 0087>0000, ip 44, IsIP HasTransport @40"},
	{"extension headers", 101, "60000000 0064 0040" + v6addresses +
		"2b00 0000 00000000 3c00 0000 00000000 2c01 0000 00000000 0000000000000000 8700 0001 00000001 3301 0000 00000000 0000000000000000 " +
		"8b02 0000 00000001 00000001 00000000 8c01 0000 00000000 3b00 0000 00000000 1100 0000 00000000 8001 0035", 0,
		wantPeer6 + ", trans 17 8001>0035, ip 140, IsIP HasTransport @136"},
	{"IPv6, later fragment", 101, "60000000 000c 2c40" + v6addresses + "1100 0009 00000001 0035 0036", 0,
		wantPeer6 + ", trans 17, ip 52, Fragment IsIP @40"},
	{"IPv6, ESP", 101, "60000000 0008 3240" + v6addresses + "00000001 00000001", 0,
		wantPeer6 + ", trans 50, ip 48, IsIP HasTransport @40"},
	{"IPv6, no next header", 101, "60000000 0000 3b40" + v6addresses, 0, wantPeer6 + ", trans 59, ip 40, IsIP"},
	{"IPv6, chain longer than datagram", 101, "60000000 0008 0040" + v6addresses + "2b00 0000 00000000 1100 0000 00000000 8001 0035", 0,
		wantPeer6 + ", trans 43, ip 48, Malformed IsIP"},
	{"IPv6, chain longer than capture", 101, "60000000 0100 0040" + v6addresses + "2b00 0000 00000000", 296,
		wantPeer6 + ", ip 296, Cut IsIP"},
	{"jumbogram", 101, "60000000 0000 0040" + v6addresses + "1100 c204 00011170 8001 0035", 70040,
		wantPeer6 + ", trans 17 8001>0035, ip 70040, IsIP HasTransport @48"},
	{"jumbogram, padding before", 101, "60000000 0000 0040" + v6addresses + "1101 010400000000 c20400011170 0100 8001 0035", 90000,
		wantPeer6 + ", trans 17 8001>0035, ip 70040, IsIP HasTransport @56"},
	{"jumbogram longer than its frame", 101, "60000000 0000 0040" + v6addresses + "1100 c204 0c000000 8001 0035", 0,
		wantPeer6 + ", trans 17 8001>0035, ip 52, Malformed IsIP HasTransport @48"},
	{"jumbogram of less than 65,536 octets", 101, "60000000 0000 0040" + v6addresses + "1100 c204 0000ffff 8001 0035", 0,
		wantPeer6 + ", ip 40, Malformed IsIP"},
	{"jumbo option, but a payload length", 101, "60000000 000c 0040" + v6addresses + "1100 c204 00011170 8001 0035", 0,
		wantPeer6 + ", trans 17 8001>0035, ip 52, IsIP HasTransport @48"},
	{"jumbo option that ends early", 101, "60000000 0000 0040" + v6addresses + "1100 0000 0000 c204 8001 0035", 0,
		wantPeer6 + ", ip 40, Malformed IsIP"},
	{"options, repeated", 101, "60000000 001c 3c40" + v6addresses + "3c00 0000 00000000 0000 0000 00000000 1100 0000 00000000 8001 0035", 0,
		wantPeer6 + ", trans 17 8001>0035, ip 68, IsIP HasTransport @64"},
	{"extension header of which one octet was captured", 101, "60000000 0100 2b40" + v6addresses + "11", 296,
		wantPeer6 + ", trans 17, ip 296, Cut IsIP"},
	{"and that names another one", 101, "60000000 0100 2b40" + v6addresses + "3c", 296,
		wantPeer6 + ", ip 296, Cut IsIP"},

	// Frames cut short.
	{"nothing", 1, "", 60, "adjacent 7, Cut"},
	{"destination only", 1, "020000000002 0200", 60, "adjacent 7 000000000000>020000000002, Cut"},
	{"a short frame", 1, "020000000002 0200", 0, "adjacent 7 000000000000>020000000002, Malformed"},
	{"no EtherType", 1, macs + "08", 60, wantMACs + ", Cut"},
	{"IPv4, no total length", 101, "45b9 00", 60, "Cut"},
	{"IPv4, source cut", 101, "45b9 0020 0001 4000 4011 0000 0a0000", 32, "peer 1 00000000>00000000, trans 17, class 46 ecn 1, ip 32, Cut IsIP"},
	{"IPv4, dest cut", 101, "45b9 0020 0001 4000 4011 0000 0a000001 c0a801", 32, "peer 1 0a000001>00000000, trans 17, class 46 ecn 1, ip 32, Cut IsIP"},
	{"IPv4, ports cut", 101, "45b9 0020 0001 4000 4011 0000 0a000001 c0a80102 8001 00", 32, "peer 1 0a000001>c0a80102, trans 17 8001>0000, class 46 ecn 1, ip 32, Cut IsIP HasTransport @20"},
	{"IPv6, no length", 101, "6b900000 00", 52, "peer 2 00000000000000000000000000000000>00000000000000000000000000000000, class 46 ecn 1, ip 52, Cut IsIP"},
	{"IPv6, dest cut", 101, "6b900000 000c 1140 20010db8000000000000000000000001 2001", 52,
		"peer 2 20010db8000000000000000000000001>00000000000000000000000000000000, trans 17, class 46 ecn 1, ip 52, Cut IsIP"},

	// Other links.
	{"BSD loopback, little-endian", 0, "02000000" + v4, 0, "adjacent 24, " + wantV4 + " @24"},
	{"BSD loopback, big-endian", 0, "0000001c" + v6, 0, "adjacent 24, " + wantV6 + " @44"},
	{"BSD loopback, Darwin", 0, "1e000000" + v6, 0, "adjacent 24, " + wantV6 + " @44"},
	{"BSD loopback, EtherType", 0, "0f000800" + v4, 0, "adjacent 24, " + wantV4 + " @24"},
	{"BSD loopback, ISO", 0, "07000000" + clnpPacket, 0, "adjacent 24, " + wantCLNP},
	{"BSD loopback, AppleTalk", 0, "10000000" + ddpPacket, 0, "adjacent 24, " + wantDDP},
	{"BSD loopback, DLI", 0, "0d000000" + v4, 0, "adjacent 24"},
	{"OpenBSD loopback", 108, "00000018" + v6, 0, "adjacent 24, " + wantV6 + " @44"},
	{"raw, DLT 12", 12, v4, 0, wantV4 + " @20"},
	{"raw, DLT 14", 14, v6, 0, wantV6 + " @40"},
	{"PPP", 9, "ff03 0021" + v4, 0, "adjacent 23, " + wantV4 + " @24"},
	{"PPP, compressed", 9, "57" + v6, 0, "adjacent 23, " + wantV6 + " @41"},
	{"PPP in HDLC framing", 50, "ff03 0281 00020140" + v4, 0, "adjacent 23, " + wantV4 + ", labels 32..32 @28"},
	{"PPP, MPLS multicast", 9, "0283 00020140" + v4, 0, "adjacent 23, " + wantV4 + ", labels 32..32 @26"},
	{"PPP, IPX", 9, "002b" + ipxPacket, 0, "adjacent 23, " + wantIPX},
	{"PPP, AppleTalk", 9, "0029" + ddpPacket, 0, "adjacent 23, " + wantDDP},
	{"PPP, ISO", 9, "0023" + clnpPacket, 0, "adjacent 23, " + wantCLNP},
	{"PPP, DECnet", 9, "0027 0600 02 020c 0104 00", 0, "adjacent 23, peer 13 010001>030002"},
	{"PPP, LCP", 9, "ff03 c021 0101 0004", 0, "adjacent 23"},
	{"PPP with direction", 204, "00 ff03 0021" + v4, 0, "adjacent 23, " + wantV4 + " @25"},
	{"Cisco HDLC with direction", 205, "01 0f00 0800" + v4, 0, "adjacent 118, " + wantV4 + " @25"},
	{"frame relay with direction", 206, "01 1841 03 cc" + v4, 0, "adjacent 32, " + wantV4 + " @25"},
	{"MPLS alone", 219, "00020140" + v4, 0, wantV4 + ", labels 32..32 @24"},
	{"PPPoE alone", 51, "1100 0001 0022 0021" + v4, 0, "adjacent 23, " + wantV4 + " @28"},
	{"Cisco HDLC", 104, "0f00 0800" + v4, 0, "adjacent 118, " + wantV4 + " @24"},
	{"Cisco HDLC, multicast", 50, "8f00 86dd" + v6, 0, "adjacent 118, " + wantV6 + " @44"},
	{"Cisco HDLC, ISO", 104, "0f00 fefe 00" + clnpPacket, 0, "adjacent 118, " + wantCLNP},
	{"Cisco HDLC, ISO unpadded", 104, "0f00 fefe" + clnpPacket, 0, "adjacent 118, " + wantCLNP},
	{"Cisco HDLC, SLARP", 104, "8f00 8035 00000002", 0, "adjacent 118"},
	{"PPP of pppd", 166, "01 03 0021" + v4, 0, "adjacent 23, " + wantV4 + " @24"},
	{"PPP of pppd, compressed", 166, "00 0281 00020140" + v6, 0, "adjacent 23, " + wantV6 + ", labels 32..32 @47"},
	{"PPP of pppd, cut", 166, "00", 40, "adjacent 23, Cut"},
	{"Cisco HDLC, MPLS", 104, "0f00 8847 00010040 00020140" + v4, 0, "adjacent 118, " + wantV4 + ", labels 16..32 @32"},
	{"frame relay, MPLS", 107, "1841 03 00 80 000000 8847 00020140" + v4, 0, "adjacent 32, " + wantV4 + ", labels 32..32 @34"},
	{"ATM, MPLS", 100, "aaaa03 000000 8847 00020140" + v6, 0, "adjacent 37, " + wantV6 + ", labels 32..32 @52"},
	{"PPPoE, MPLS", 1, macs + "8864 1100 0001 0026 0281 00020140" + v4, 0, wantMACs + ", " + wantV4 + ", labels 32..32 @46"},
	{"Solaris ipnet", 226, "0102000000000020 0000000200000000 ffffffff00000000" + v4, 0, wantV4 + " @44"},
	{"Solaris ipnet, IPv6", 226, "011a000000000034 0000000200000000 ffffffff00000000" + v6, 0, wantV6 + " @64"},
	{"Solaris ipnet, cut", 226, "0102000000000020", 60, "Cut"},
	{"ARCnet, RFC 1051", 7, "be50 f0" + v4, 0, "adjacent 35 be>50, " + wantV4 + " @23"},
	{"ARCnet, RFC 1201", 7, "be50 d4 00 0001" + v4, 0, "adjacent 35 be>50, " + wantV4 + " @26"},
	{"ARCnet, first fragment", 7, "be50 d4 03 0001" + v4, 0, "adjacent 35 be>50, " + wantV4 + " @26"},
	{"ARCnet, later fragment", 7, "be50 d4 02 0001" + v4, 0, "adjacent 35 be>50"},
	{"ARCnet, exception", 7, "be50 d4 ff ffff d4 00 0001" + v4, 0, "adjacent 35 be>50, " + wantV4 + " @30"},
	{"ARCnet, ARP", 7, "be50 f1 0007", 0, "adjacent 35 be>50"},
	{"ARCnet, cut", 7, "be50 d4", 60, "adjacent 35 be>50, Cut"},
	{"ARCnet of Linux", 129, "be50 ab08 f0" + v4, 0, "adjacent 35 be>50, " + wantV4 + " @25"},
	{"ARCnet of Linux, cut", 129, "be50 ab08", 60, "adjacent 35, Cut"},
	{"frame relay", 107, "1841 03 cc" + v4, 0, "adjacent 32, " + wantV4 + " @24"},
	{"frame relay, long address", 107, "18404041 03 00 8e" + v6, 0, "adjacent 32, " + wantV6 + " @47"},
	{"frame relay, SNAP", 107, "1841 03 00 80 000000 8137" + ipxPacket, 0, "adjacent 32, " + wantIPX},
	{"frame relay, bridged", 107, "1841 03 00 80 0080c2 0007" + macs + "0800" + v4, 0, "adjacent 32 020000000001>020000000002, " + wantV4 + " @44"},
	{"frame relay, PPP", 107, "1841 03 cf 0021" + v4, 0, "adjacent 32, " + wantV4 + " @26"},
	{"frame relay, ISO", 107, "1841 03" + clnpPacket, 0, "adjacent 32, " + wantCLNP},
	{"frame relay after Cisco", 107, "1841 0800" + v4, 0, "adjacent 32, " + wantV4 + " @24"},
	{"frame relay, no address", 107, "01 03 cc" + v4, 0, "adjacent 32, Malformed"},
	{"ATM, routed", 100, snapIPv4, 0, "adjacent 37, " + wantV4 + " @28"},
	{"ATM, bridged", 100, "aaaa03 0080c2 0007 0000" + macs + "0800" + v4, 0, "adjacent 37 020000000001>020000000002, " + wantV4 + " @44"},
	{"ATM, PPP", 100, "fefe03 cf 0021" + v4, 0, "adjacent 37, " + wantV4 + " @26"},
	{"SunATM", 123, "82 01 0020 " + snapIPv4, 0, "adjacent 37, " + wantV4 + " @32"},
	{"SunATM, LAN emulation", 123, "01 01 0020 0001" + macs + "0800" + v4, 0, "adjacent 37 020000000001>020000000002, " + wantV4 + " @40"},
	{"SunATM, signalling", 123, "86 00 0005 09", 0, "adjacent 37"},
	{"Linux cooked", 113, "0000 0001 0006 0200000000010000 0800" + v4, 0, "adjacent 7 020000000001>000000000000, " + wantV4 + " @36"},
	{"Linux cooked, VLAN", 113, "0000 0001 0006 0200000000010000 8100 a123 0800" + v4, 0, "adjacent 7 020000000001>000000000000, " + wantV4 + ", vlan 291 priority 5 @40"},
	{"Linux cooked, LLC", 113, "0000 0304 0006 0000000000000000 0004 " + snapIPv4, 0, "adjacent 24 000000000000>000000000000, " + wantV4 + " @44"},
	{"Linux cooked, IPX", 113, "0000 0001 0006 0200000000010000 0001" + ipxPacket, 0, "adjacent 7 020000000001>000000000000, " + wantIPX},
	{"Linux cooked, PPP", 113, "0000 0200 0000 0000000000000000 86dd" + v6, 0, "adjacent 23, " + wantV6 + " @56"},
	{"Linux cooked, long address", 113, "0000 0020 0014 0102030405060708 0800" + v4, 0, "adjacent 0 0102030405060708>0000000000000000, " + wantV4 + " @36"},
	{"Linux cooked, frame relay", 113, "0000 0302 0000 0000000000000000 0000 1841 03 cc" + v4, 0, "adjacent 32, " + wantV4 + " @40"},
	{"Linux cooked, radiotap", 113, "0000 0323 0000 0000000000000000 0019 00 00 0800 00000000 0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @76"},
	{"Linux cooked, CAN", 113, "0000 0118 0000 0000000000000000 000c 0800" + v4, 0, ""},
	{"Linux cooked 2", 276, "0800 0000 00000002 0001 00 06 0200000000010000" + v4, 0, "adjacent 7 020000000001>000000000000, " + wantV4 + " @40"},
	{"NFLOG", 239, "02 00 0001 0800 0100 08000103 0500 0a00 00000000 0600 0f00 0001 0000 1000 0800 0006 0000 0200000000010000 2400 0900" + v4, 0,
		"adjacent 7 020000000001>000000000000, " + wantV4 + " @68"},
	{"NFLOG, big-endian", 239, "0a 00 0001 0008 0001 86dd0300 0038 0009" + v6, 0, wantV6 + " @56"},
	{"NFLOG, ARP", 239, "03 00 0001 0800 0900 00010800", 0, ""},
	{"NFLOG, without packet", 239, "02 00 0001 0800 0100 08000103", 0, "Malformed"},
	{"NFLOG, bad length", 239, "02 00 0001 0300 0900 08000103", 0, "Malformed"},
	{"token ring", 6, "10 40 400000000080 400000000040 " + snapIPv4, 0, "adjacent 9 020000000002>020000000001, " + wantV4 + " @42"},
	{"token ring, routed", 6, "10 40 400000000080 c00000000040 0670 0011 0020 " + snapIPv4, 0, "adjacent 9 020000000002>020000000001, " + wantV4 + " @48"},
	{"token ring, bad routing", 6, "10 40 400000000080 c00000000040 0370 0011 0020 " + snapIPv4, 0, "adjacent 9 020000000002>020000000001, Malformed"},
	{"token ring, MAC frame", 6, "10 00 400000000080 400000000040 060603" + v4, 0, "adjacent 9 020000000002>020000000001"},
	{"FDDI", 10, "50 400000000080 400000000040 " + snapIPv4, 0, "adjacent 15 020000000002>020000000001, " + wantV4 + " @41"},
	{"FDDI, synchronous", 10, "d0 400000000080 400000000040 " + snapIPv4, 0, "adjacent 15 020000000002>020000000001, " + wantV4 + " @41"},
	{"FDDI, SMT", 10, "41 400000000080 400000000040 060603" + v4, 0, "adjacent 15 020000000002>020000000001"},

	// IEEE 802.11.
	{"802.11 between stations", 105, "0800 0000 020000000002 020000000001 060000000003 0000 " + snapIPv4, 0, want80211 + ", " + wantV4 + " @52"},
	{"802.11 to the access point", 105, "0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @52"},
	{"802.11 from the access point", 105, "0802" + toStation + "aaaa03 000000 86dd" + v6, 0, want80211 + ", " + wantV6 + " @72"},
	{"802.11 between access points", 105, "0803 0000 060000000003 060000000004 020000000002 0000 020000000001 " + snapIPv4, 0, want80211 + ", " + wantV4 + " @58"},
	{"802.11, QoS", 105, "8802" + toStation + "0000 " + snapIPv4, 0, want80211 + ", " + wantV4 + " @54"},
	{"802.11, HT control", 105, "8882" + toStation + "0000 00000000 " + snapIPv4, 0, want80211 + ", " + wantV4 + " @58"},
	{"802.11, A-MSDU", 105, "8802" + toStation + "8000" + macs + "0028 " + snapIPv4, 0, want80211 + ", " + wantV4 + " @68"},
	{"802.11, protected", 105, "0842" + toStation + snapIPv4, 0, want80211},
	{"802.11, protected, cut", 105, "0842 0000 020000000002 060000000003 0200", 200, "adjacent 71 000000000000>020000000002, Cut"},
	{"802.11, null", 105, "4801" + toAP, 0, want80211},
	{"802.11, beacon", 105, "8000 0000 020000000002 020000000001 060000000003 0000 0102", 0, want80211},
	{"802.11, RTS", 105, "b400 0000 020000000002 020000000001", 0, want80211},
	{"802.11, acknowledgement", 105, "d400 0000 020000000002 12345678 1234", 0, "adjacent 71 000000000000>020000000002"},
	{"802.11, extension", 105, "0c00 0000 020000000002 020000000001 060000000003 0000", 0, "adjacent 71"},
	{"radiotap", 127, "00 00 0800 00000000 0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @60"},
	{"radiotap, padded", 127, "00 00 1900 03000080 00000000 00000000 0000000000000000 20 8802" + toStation + "0000 0000 " + snapIPv4, 0,
		want80211 + ", " + wantV4 + " @81"},
	{"radiotap, not padded", 127, "00 00 0900 02000000 10 8802" + toStation + "0000 " + snapIPv4, 0, want80211 + ", " + wantV4 + " @63"},
	{"radiotap, another version", 127, "01 00 0800 00000000 0801", 0, "adjacent 71, Malformed"},
	{"AVS", 163, "80211001 00000008 0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @60"},
	{"AVS as prism", 119, "80211002 0000000c 00000000 0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @64"},
	{"AVS, not", 163, "80221001 00000008 0801", 0, "adjacent 71, Malformed"},
	{"prism", 119, "44000000 90000000" + strings.Repeat("00", 136) + "0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @196"},
	{"PPI", 192, "00 00 0c00 69000000 00000000 0801" + toAP + snapIPv4, 0, want80211 + ", " + wantV4 + " @64"},
	{"PPI, Ethernet", 192, "00 00 0800 01000000" + macs + "0800" + v4, 0, wantMACs + ", " + wantV4 + " @42"},
	{"PPI in PPI", 192, "00 00 0800 c0000000 00 00 0800 01000000", 0, "Malformed"},
	{"PPI of an unknown link", 192, "00 00 0800 93000000 00", 0, "UnknownLink"},
	{"unknown link", 147, macs + "0800" + v4, 0, "UnknownLink"},
	// Taps of Apple's systems.
	{"PKTAP, Ethernet", 258, pktapHeader + "01000000" + strings.Repeat("00", 96) + macs + "0800" + v4, 0, wantMACs + ", " + wantV4 + " @142"},
	{"PKTAP, raw", 258, pktapHeader + "0c000000" + strings.Repeat("00", 96) + v6, 0, wantV6 + " @148"},
	{"PKTAP as USER2", 149, pktapHeader + "01000000" + strings.Repeat("00", 96) + macs + "0800" + v4, 0, wantMACs + ", " + wantV4 + " @142"},
	{"PKTAP, no packet", 258, "6c000000 00000000 01000000" + strings.Repeat("00", 96) + macs + "0800" + v4, 0, ""},
	{"PKTAP within itself", 258, pktapHeader + "02010000" + strings.Repeat("00", 96) + macs, 0, "Malformed"},
	{"PKTAP, header too short", 258, "6b000000 01000000 01000000" + strings.Repeat("00", 96) + macs, 0, "Malformed"},
	{"USER2 of others", 149, strings.Repeat("01", 200), 0, "UnknownLink"},

	// InfiniBand.
	{"IPoIB", 242, strings.Repeat("00", 40) + "0800 0000" + v4, 0, "adjacent 199, " + wantV4 + " @64"},
	{"IPoIB, IPv6", 242, strings.Repeat("00", 40) + "86dd 0000" + v6, 0, "adjacent 199, " + wantV6 + " @84"},
	{"IPoIB, ARP", 242, strings.Repeat("00", 40) + "0806 0000 0020", 0, "adjacent 199"},

	// IEEE 802.15.4 and 6LoWPAN.
	{"6LoWPAN, plain", 230, wpanShortEnds + "41" + v6, 0, wantV6 + " @50"},
	{"6LoWPAN, ports of four bits", 230, wpanShortEnds + wpanUDP, 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, check sequence", 195, wpanShortEnds + wpanUDP + "f2ab", 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, long addresses", 230, wpanLongEnds + wpanUDP, 0, wantWPANLong + ", trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, tap", 283, "0000 0c00 0000 0100 00000000" + wpanShortEnds + wpanUDP, 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, tap with check sequence", 283, "0000 0c00 0000 0100 01000000" + wpanShortEnds + wpanUDP + "f2ab", 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, addresses in line", 230, wpanShortEnds + "7a00 11" + v6addresses + dns, 0, wantPeer6 + ", trans 17 8001>0035, ip 52, IsIP HasTransport @44"},
	{"6LoWPAN, traffic class", 230, wpanShortEnds + "6200 6e000000 11" + v6addresses + dns, 0, wantPeer6 + ", trans 17 8001>0035, class 46 ecn 1, ip 52, IsIP HasTransport @48"},
	{"6LoWPAN, traffic class alone", 230, wpanShortEnds + "7200 6e 11" + v6addresses + dns, 0, wantPeer6 + ", trans 17 8001>0035, class 46 ecn 1, ip 52, IsIP HasTransport @45"},
	{"6LoWPAN, flow label", 230, wpanShortEnds + "6a00 400000 11" + v6addresses + dns, 0, wantPeer6 + ", trans 17 8001>0035, class 0 ecn 1, ip 52, IsIP HasTransport @47"},
	{"6LoWPAN, hop limit, identifiers in line", 230, wpanShortEnds + "7812 11 07 1122334455667788 0007" + dns, 0,
		"peer 2 fe800000000000001122334455667788>fe80000000000000000000fffe000007, trans 17 8001>0035, ip 52, IsIP HasTransport @23"},
	{"6LoWPAN, multicast", 230, wpanShortEnds + "7a3b 3a 01 8001 0000 00000000", 0,
		"peer 2 fe80000000000000000000fffe000001>ff020000000000000000000000000001, trans 58 0080>0001, ip 48, IsIP HasTransport @13"},
	{"6LoWPAN, multicast of four octets", 230, wpanShortEnds + "7a3a 3a 05 010203 8001 0000 00000000", 0,
		"peer 2 fe80000000000000000000fffe000001>ff050000000000000000000000010203, trans 58 0080>0001, ip 48, IsIP HasTransport @16"},
	{"6LoWPAN, multicast of six octets", 230, wpanShortEnds + "7a39 3a 05 0102030405 8001 0000 00000000", 0,
		"peer 2 fe80000000000000000000fffe000001>ff050000000000000000000102030405, trans 58 0080>0001, ip 48, IsIP HasTransport @18"},
	{"6LoWPAN, unspecified source", 230, wpanShortEnds + "7a4b 3a 01 8001 0000 00000000", 0,
		"peer 2 00000000000000000000000000000000>ff020000000000000000000000000001, trans 58 0080>0001, ip 48, IsIP HasTransport @13"},
	{"6LoWPAN, context", 230, wpanShortEnds + "7e77 f3 12 0000 61626364", 0, ""},
	{"6LoWPAN, ports of eight bits", 230, wpanShortEnds + "7e33 f1 8001 35 0000 61626364", 0, wantWPAN + ", trans 17 8001>f035, ip 52, IsIP"},
	{"6LoWPAN, port of eight bits", 230, wpanShortEnds + "7e33 f2 35 8001 0000 61626364", 0, wantWPAN + ", trans 17 f035>8001, ip 52, IsIP"},
	{"6LoWPAN, ports in line", 230, wpanShortEnds + "7e33 f0 8001 0035 0000 61626364", 0, wantWPAN + ", trans 17 8001>0035, ip 52, IsIP"},
	{"6LoWPAN, no checksum", 230, wpanShortEnds + "7e33 f7 12 61626364", 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, compressed options", 230, wpanShortEnds + "7e33 e1 06 010400000000 f3 12 0000 61626364", 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 60, IsIP"},
	{"6LoWPAN, compressed options, plain UDP", 230, wpanShortEnds + "7e33 e0 11 06 010400000000" + dns, 0, wantWPAN + ", trans 17 8001>0035, ip 60, IsIP HasTransport @20"},
	{"6LoWPAN, mesh", 230, wpanShortEnds + "b5 0003 0004" + wpanUDP, 0,
		"peer 2 fe80000000000000000000fffe000003>fe80000000000000000000fffe000004, trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, broadcast", 230, wpanShortEnds + "b5 0003 0004 5001" + wpanUDP, 0,
		"peer 2 fe80000000000000000000fffe000003>fe80000000000000000000fffe000004, trans 17 f0b1>f0b2, ip 52, IsIP"},
	{"6LoWPAN, first fragment", 230, wpanShortEnds + "c100 0001" + wpanUDP, 0, wantWPAN + ", trans 17 f0b1>f0b2, ip 256, IsIP"},
	{"6LoWPAN, later fragment", 230, wpanShortEnds + "e100 0001 06 61626364", 0, ""},
	{"6LoWPAN, unknown", 230, wpanShortEnds + "42 00", 0, ""},
	{"802.15.4, ciphered", 230, "4988 01 cdab 0200 0100 7e33", 0, ""},
	{"802.15.4, acknowledgement", 230, "0200 01", 0, ""},
	{"802.15.4, reserved address", 230, "4184 01 cdab 0200 0100 7e33", 0, "Malformed"},
}
