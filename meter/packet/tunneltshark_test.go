package packet

import (
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// shortTunnels is how many of tunnelTraces short tests compare.
const shortTunnels = 3

// tunnelTraces are the shared traces with tunnels, by what Decapsulate or tshark says:
// how many packets are opened, and in how many the two differ, and why. All but the
// first are for long tests.
var tunnelTraces = []struct {
	name           string
	opened, differ int
	why            string
}{
	{"zeek/tunnels/vxlan-triple-v2.pcap", 1, 0, ""},
	{"zeek/tunnels/geneve-many-options.pcap", 10, 0, ""},
	{"tcpdump/erspan-type-ii-1.pcap", 1, 0, ""},
	{"zeek/tunnels/gtp/gtp_ext_header.pcap", 1, 0, ""},
	{"zeek/tunnels/Teredo.pcap", 4, 0, ""},
	{"libtrace/vxlan.pcap", 10, 0, ""},
	{"ndpi/4in6tunnel.pcap", 4, 0, ""},
	{"ndpi/6in4tunnel.pcap", 127, 0, ""},
	{"ndpi/6in6tunnel.pcap", 2, 0, ""},
	{"ndpi/dns_fragmented.pcap", 0, 0, ""},
	{"ndpi/dnscrypt-v1-and-resolver-pings.pcap", 0, 0, ""},
	{"ndpi/false_positives.pcapng", 54, 0, ""},
	{"ndpi/http_origin_different_than_host.pcap", 4, 0, ""},
	{"ndpi/ipv6_in_gtp.pcap", 2, 0, ""},
	{"ndpi/ja3_lots_of_cipher_suites_2_anon.pcap", 27, 0, ""},
	{"ndpi/rtmp.pcap", 34, 0, ""},
	{"ndpi/syslog.pcap", 6, 0, ""},
	{"ndpi/teredo.pcap", 24, 0, ""},
	{"ndpi/tls_change_cipher.pcap", 14, 0, ""},
	{"ndpi/zoom.pcap", 81, 0, ""},
	{"pcapplusplus/ExamplesTest/pcap_examples/ip-frag.pcap", 0, 0, ""},
	{"pcapplusplus/ExamplesTest/pcap_examples/ipv6-frag.pcap", 0, 0, ""},
	{"pcapplusplus/Packet++Test/PacketExamples/Ftp.pcap", 2, 0, ""},
	{"pcapplusplus/Packet++Test/PacketExamples/IPv4-encapsulated-IPv6.pcap", 1, 0, ""},
	{"pcapplusplus/Packet++Test/PacketExamples/Vxlan1.pcap", 1, 0, ""},
	{"pcapplusplus/Packet++Test/PacketExamples/gtp-u.pcap", 102, 0, ""},
	{"pcapplusplus/Packet++Test/PacketExamples/ipv6_opt_fragments.pcap", 0, 0, ""},
	{"pcapplusplus/Pcap++Test/PcapExamples/ip4_fragments.pcap", 0, 0, ""},
	{"suricata-verify/bug-4571-03/ipv6_over_ipv6.pcap", 1, 0, ""},
	{"suricata-verify/bug-4571-04/ipv6_over_ipv4.pcap", 1, 0, ""},
	{"suricata-verify/bug-5633-gre-02/gre-sample.pcap", 40, 0, ""},
	{"suricata-verify/bug-7964-01/wrong-version-ipv4-ipv6.pcap", 0, 1, "tshark shows IPv4 whose version is 6, without addresses"},
	{"suricata-verify/bug-7964-02/wrong-version-ipv6-ipv6.pcap", 0, 0, ""},
	{"suricata-verify/decode-arp-3/arp-encap.pcap", 0, 0, ""},
	{"suricata-verify/decode-erspan-typeII-01/input.pcap", 6, 0, ""},
	{"suricata-verify/decode-teredo-01/input.pcap", 4, 0, ""},
	{"suricata-verify/decode-too-small/test.pcap", 0, 0, ""},
	{"suricata-verify/geneve-decoder/input.pcap", 10, 0, ""},
	{"suricata-verify/vxlan-decoder-01/input.pcap", 1, 0, ""},
	{"suricata-verify/vxlan-decoder-03/vxlan.pcap", 100, 0, ""},
	{"tcpdump/NHRP-responder-address.pcap", 0, 0, ""},
	{"tcpdump/afs.pcap", 0, 0, ""},
	{"tcpdump/bigtcp-ipv4-geneve-ipv4.pcap", 1, 1, "the outer lengths are 0, as segmentation offload leaves them: tshark stops there"},
	{"tcpdump/bigtcp-ipv4-geneve-ipv6.pcap", 1, 1, "the same"},
	{"tcpdump/bigtcp-ipv4-vxlan-ipv6.pcap", 1, 1, "the same"},
	{"tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap", 1, 1, "the same"},
	{"tcpdump/erspan-type-i-4.pcap", 96, 0, ""},
	{"tcpdump/erspan-type-ii-2.pcap", 16, 0, ""},
	{"tcpdump/erspan-type-iii-ft-0.pcap", 9, 0, ""},
	{"tcpdump/erspan-type-iii-ft-7.pcap", 0, 0, ""},
	{"tcpdump/erspan-type-iii-pb-1.pcap", 0, 0, ""},
	{"tcpdump/geneve-gcp.pcap", 1, 0, ""},
	{"tcpdump/gso-ipv4-geneve-ipv6.pcap", 1, 0, ""},
	{"tcpdump/gso-ipv4-vxlan-ipv4.pcap", 1, 0, ""},
	{"tcpdump/gso-ipv4-vxlan-ipv6.pcap", 1, 0, ""},
	{"tcpdump/gso-ipv6-geneve-ipv4.pcap", 1, 0, ""},
	{"tcpdump/gso-ipv6-geneve-ipv6.pcap", 1, 0, ""},
	{"tcpdump/gso-ipv6-vxlan-ipv6.pcap", 1, 0, ""},
	{"tcpdump/ipv6-srh-ext-header.pcap", 1, 0, ""},
	{"tcpdump/isis-infinite-loop.pcap", 0, 0, ""},
	{"tcpdump/nhrp.pcapng", 0, 0, ""},
	{"tcpdump/pptp.pcap", 1, 0, ""},
	{"tcpdump/various_gre.pcap", 0, 0, ""},
	{"tcpdump/wccp_redirect_gre.pcap", 0, 1, "tshark guesses whether WCCP has a header of its own"},
	{"zeek/ipv4/fragmented-2.pcap", 0, 0, ""},
	{"zeek/ipv6-fragmented-dns.pcap", 0, 0, ""},
	{"zeek/trunc/mpls-6in6-broken.pcap.gz", 0, 0, ""},
	{"zeek/tunnels/6in4.pcap", 1, 0, ""},
	{"zeek/tunnels/6in6-tunnel-change.pcap", 2, 0, ""},
	{"zeek/tunnels/6in6in6.pcap", 1, 0, ""},
	{"zeek/tunnels/ayiya-large-identity.pcap", 1, 0, ""},
	{"zeek/tunnels/geneve-arp.pcap", 0, 0, ""},
	{"zeek/tunnels/geneve-ipv6.pcap", 2, 0, ""},
	{"zeek/tunnels/geneve-truncated.pcapng", 0, 1, "nothing stands behind the options: tshark shows Ethernet that is malformed"},
	{"zeek/tunnels/geneve-vxlan-dns-truncated.pcap", 2, 0, ""},
	{"zeek/tunnels/gre-aruba-ccmp.pcap", 0, 2, "IEEE 802.11 under protocol numbers that Aruba has chosen"},
	{"zeek/tunnels/gtp/gtp1_gn_normal_incl_fragmentation.pcap", 72, 0, ""},
	{"zeek/tunnels/ping6-in-ipv4.pcap", 10, 0, ""},
	{"zeek/tunnels/tunnel-direct-bypass.pcap", 10, 0, ""},
	{"zeek/tunnels/vxlan-encapsulated-http.pcap", 12, 0, ""},
}

// TestTunnelsTshark compares the innermost packets, and the number of the tunnel
// around them, with the last layers that tshark shows.
func TestTunnelsTshark(t *testing.T) {
	tshark, folder := tracetest.Require(t, "tshark"), tracetest.Require(t, "traces")
	for i, test := range tunnelTraces {
		if !tracetest.Long() && i >= shortTunnels {
			break
		}
		name := filepath.Join(folder, "traces", test.name)
		src, err := format.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		packets, _ := tracetest.ReadAll(t, src)
		src.Close()
		want := tsharkTunnels(t, tshark, name)
		if len(want) != len(packets) {
			t.Errorf("%s: tshark has %d packets of %d", test.name, len(want), len(packets))
			continue
		}
		opened, differ, first := 0, 0, ""
		for i := range packets {
			got := decapsulated(&packets[i])
			if got != "" {
				opened++
			}
			if got != want[i] {
				differ++
				if first == "" {
					first = fmt.Sprintf("packet %d: %q, tshark has %q", i+1, got, want[i])
				}
			}
		}
		if opened != test.opened || differ != test.differ {
			t.Errorf("%s: %d are opened, want %d; %d differ, want %d (%s)\n%s", test.name, opened, test.opened, differ, test.differ, test.why, first)
		}
	}
}

// decapsulated returns what Decapsulate says of a packet: kind and number of the
// innermost tunnel and the packet in it, or nothing if there is no tunnel.
func decapsulated(from *traces.Packet) string {
	var p match.Packet
	Decode(&p, from.Link, from.Data, from.Wire)
	if AllTunnels.Decapsulate(&p, 16)&Opened == 0 {
		return ""
	}
	s := fmt.Sprintf("%v %d", TunnelKind(p.Key.TunnelKind()), be32(p.Key[attr.TunnelID.Info().Offset:]))
	if p.Flags&match.IsIP == 0 {
		return s
	}
	for _, end := range []int{attr.Source, attr.Dest} {
		addr, _ := netip.AddrFromSlice(p.Key.Peer(end)[:p.PeerLen])
		s += " " + addr.String()
	}
	s += fmt.Sprintf(" %d octets", p.IPOctets)
	switch number := p.Key.TransType(); number {
	case protoTCP, protoUDP, protoICMP, protoICMPv6:
		if p.Flags&match.Fragment == 0 {
			s += fmt.Sprintf(" %d %d %d", number, be16(p.Key.Trans(attr.Source)[:]), be16(p.Key.Trans(attr.Dest)[:]))
		}
	}
	return s
}

// layerFields are what is asked of tshark: of each layer by its name, the fields that
// name kind or ends, all occurrences of them.
var layerFields = []string{
	"frame.protocols",
	"ip.src", "ip.dst", "ip.len", "ipv6.src", "ipv6.dst", "ipv6.plen",
	"tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code",
	"vxlan.vni", "geneve.vni", "gre.key", "erspan.spanid", "gtp.teid", "l2tp.session", "gre.key.call_id",
}

// tsharkTunnels returns of each packet what decapsulated is to say.
func tsharkTunnels(t *testing.T, tshark, name string) (all []string) {
	t.Helper()
	args := []string{"-n", "-r", name, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"}
	for _, f := range layerFields {
		args = append(args, "-e", f)
	}
	out, _ := exec.Command(tshark, args...).Output() // which fails at the end of a trace that is cut
	for line := range strings.Lines(string(out)) {
		fields := make(map[string][]string)
		for i, f := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			if f != "" {
				fields[layerFields[i]] = strings.Split(f, ",")
			}
		}
		all = append(all, lastLayers(strings.Split(fields["frame.protocols"][0], ":"), fields))
	}
	return all
}

// tunnelLayers are tshark's names of layers that are tunnels.
var tunnelLayers = map[string]TunnelKind{
	"vxlan": VXLAN, "geneve": GENEVE, "gre": GRE, "erspan": ERSPAN, "tzsp": TZSP, "gtp": GTPU, "l2tp": L2TP, "teredo": Teredo, "ayiya": AYIYA,
}

// lastLayers puts together what a packet's last tunnel holds, of its layers and their
// fields.
func lastLayers(layers []string, fields map[string][]string) string {
	seen := make(map[string]int) // how often each layer came
	field := func(name string) string {
		layer, _, _ := strings.Cut(name, ".")
		if n := seen[layer]; n > 0 && n <= len(fields[name]) {
			return fields[name][n-1]
		}
		return ""
	}
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(field(name), 0, 64)
		return n
	}
	tunnel, ip, ends := "", "", ""
	for i, layer := range layers {
		seen[layer]++
		before := ""
		if i > 0 {
			before = layers[i-1]
		}
		isIP := layer == "ip" || layer == "ipv6"
		if kind := tunnelLayers[before]; kind != 0 && (isIP || slices.Contains([]string{"eth", "eth_maybefcs", "eth_withoutfcs", "ppp", "mpls", "wlan"}, layer)) {
			id := number(map[TunnelKind]string{
				VXLAN: "vxlan.vni", GENEVE: "geneve.vni", GRE: "gre.key", ERSPAN: "erspan.spanid", GTPU: "gtp.teid", L2TP: "l2tp.session",
			}[kind])
			tunnel, ip, ends = fmt.Sprintf("%v %d", kind, id), "", ""
		} else if isIP && (before == "ip" || strings.HasPrefix(before, "ipv6")) {
			tunnel, ip, ends = "ipip 0", "", ""
		}
		switch layer {
		case "ip":
			ip = fmt.Sprintf(" %s %s %s octets", field("ip.src"), field("ip.dst"), field("ip.len"))
		case "ipv6":
			ip = fmt.Sprintf(" %s %s %d octets", field("ipv6.src"), field("ipv6.dst"), number("ipv6.plen")+40)
		case "tcp":
			ends = fmt.Sprintf(" 6 %s %s", field("tcp.srcport"), field("tcp.dstport"))
		case "udp":
			ends = fmt.Sprintf(" 17 %s %s", field("udp.srcport"), field("udp.dstport"))
		case "icmp":
			ends = fmt.Sprintf(" 1 %s %s", field("icmp.type"), field("icmp.code"))
		case "icmpv6":
			ends = fmt.Sprintf(" 58 %s %s", field("icmpv6.type"), field("icmpv6.code"))
		}
		if strings.HasPrefix(layer, "icmp") {
			break // what follows is quoted
		}
	}
	if tunnel == "" {
		return ""
	}
	return tunnel + ip + ends
}
