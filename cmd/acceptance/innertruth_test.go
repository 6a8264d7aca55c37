package acceptance

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// tunnelTraces are shared traces with tunnels, first one of each kind that they have.
var tunnelTraces = []string{
	"suricata-verify/vxlan-decoder-03/vxlan.pcap", "zeek/tunnels/geneve-many-options.pcap", "suricata-verify/bug-5633-gre-02/gre-sample.pcap",
	"tcpdump/erspan-type-ii-2.pcap", "ndpi/6in4tunnel.pcap", "ndpi/zoom.pcap",

	"libtrace/vxlan.pcap", "zeek/tunnels/vxlan-triple-v2.pcap",
	"suricata-verify/geneve-decoder/input.pcap", "zeek/tunnels/geneve-vxlan-dns-truncated.pcap",
	"zeek/tunnels/tunnel-direct-bypass.pcap", "tcpdump/pptp.pcap",
	"tcpdump/erspan-type-i-4.pcap", "tcpdump/erspan-type-iii-ft-0.pcap",
	"ndpi/4in6tunnel.pcap", "ndpi/6in6tunnel.pcap", "zeek/tunnels/6in6in6.pcap", "tcpdump/ipv6-srh-ext-header.pcap",
	"pcapplusplus/Packet++Test/PacketExamples/gtp-u.pcap", "zeek/tunnels/gtp/gtp_ext_header.pcap",
}

// tagTraces are shared traces with VLAN tags and MPLS labels.
var tagTraces = []string{
	"libtrace/qinq.pcap", "zeek/mixed-vlan-mpls.pcap", "zeek/mpls-in-vlan.pcap",

	"libtrace/10_mpls_ip.pcap", "libtrace/mpls.pcap", "libtrace/vlan.pcap", "tcpdump/mpls-traceroute.pcap",
	"zeek/vlan-pcp-dei.pcapng", "zeek/vntag_vlan_sandwich_clean.pcap",
}

// some returns the first n of these traces, all of them in long tests.
func some(traces []string, n int) []string {
	if tracetest.Long() {
		return traces
	}
	return traces[:n]
}

// TestInnerTruth compares what flows tell of tunnels and of the packets in them, beside
// the packets' own addresses, with what tshark finds in each packet.
func TestInnerTruth(t *testing.T) {
	t.Parallel()
	compareLayers(t, some(tunnelTraces, 6), []string{
		"TunnelKind", "TunnelID", "SourcePeerAddress", "DestPeerAddress",
		"InnerSourcePeerAddress", "InnerDestPeerAddress", "InnerSourceTransAddress", "InnerDestTransAddress",
	}, "if TunnelKind == 0 ignore;", inTunnel)
}

// TestTagsTruth does so for VLAN tags and labels.
func TestTagsTruth(t *testing.T) {
	t.Parallel()
	compareLayers(t, some(tagTraces, 3), []string{"VLANTags", "VLANid", "InnerVLANid", "MPLSLabel", "MPLSBottomLabel"}, "", tagsOf)
}

// compareLayers counts packets of traces by these attributes, and by what of returns of
// the layers that tshark finds, "" for packets that are not counted.
func compareLayers(t *testing.T, traces, attributes []string, only string, of func(l *layers) string) {
	tshark := tracetest.Require(t, "tshark")
	folder := filepath.Join(tracetest.Require(t, "traces"), "traces")
	for _, trace := range traces {
		t.Run(trace, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(folder, trace)
			want := make(map[string]int)
			for _, l := range layersBy(t, tshark, name) {
				if k := of(l); k != "" {
					want[k]++
				}
			}
			program := only + "save " + strings.Join(attributes, ", ") + "; count;"
			if got := countsBy(t, name, program, attributes); !maps.Equal(got, want) || len(want) == 0 {
				t.Errorf("by %v\nhave %v\nwant %v", attributes, got, want)
			}
		})
	}
}

// countsBy counts the packets of a trace by the values of attributes, of flows of both
// directions each by itself.
func countsBy(t *testing.T, trace, program string, attributes []string) map[string]int {
	var out, errs bytes.Buffer
	if status := runMain([]string{"run", "-q", "--json", "-e", program, trace}, nil, &out, &errs); status != 0 {
		t.Fatalf("status %d: %s", status, &errs)
	}
	counts := make(map[string]int)
	for line := range strings.Lines(out.String()) {
		var flow map[string]any
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&flow); err != nil {
			t.Fatal(err)
		}
		if flow["FlowIndex"] == nil {
			continue
		}
		for i, pdus := range []string{"ToPDUs", "FromPDUs"} {
			var k []any
			for _, a := range attributes {
				if i == 1 {
					a = reversed.Replace(a)
				}
				v := flow[a]
				if v == nil {
					v = 0
				}
				k = append(k, v)
			}
			number, _ := flow[pdus].(json.Number)
			if n, _ := number.Int64(); n > 0 {
				counts[key(k...)] += int(n)
			}
		}
	}
	return counts
}

var reversed = strings.NewReplacer("Source", "Dest", "Dest", "Source")

// layers are the protocols that tshark finds in a packet, and the values of each field,
// from the outside.
type layers struct {
	protocols []string
	values    map[string][]string
}

// layerFields are the fields that layersBy asks for.
var layerFields = []string{
	"frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
	"icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code", "vxlan.vni", "geneve.vni", "gre.key", "erspan.spanid", "gtp.teid",
	"vlan.id", "mpls.label",
}

func layersBy(t *testing.T, tshark, trace string) (all []*layers) {
	args := []string{"-n", "-r", trace, "-T", "fields", "-E", "aggregator=;", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"}
	for _, f := range layerFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil && len(out) == 0 { // some of the traces end too early
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		l := &layers{values: make(map[string][]string)}
		for i, v := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			if v != "" {
				l.values[layerFields[i]] = strings.Split(v, ";")
			}
		}
		if p := l.values["frame.protocols"]; p != nil {
			l.protocols = strings.Split(p[0], ":")
		}
		all = append(all, l)
	}
	return all
}

// take returns the next value of a field, "0" if there is none.
func (l *layers) take(field string) string {
	v := l.values[field]
	if len(v) == 0 {
		return "0"
	}
	l.values[field] = v[1:]
	return v[0]
}

// number returns the next value of a field as a number, whatever its base.
func (l *layers) number(field string) int64 {
	n, _ := strconv.ParseInt(l.take(field), 0, 64)
	return n
}

// addresses takes off what stands before the next IP header and that itself, and
// returns its addresses.
func (l *layers) addresses() (source, dest string) {
	i := slices.IndexFunc(l.protocols, func(p string) bool { return p == "ip" || p == "ipv6" })
	if i < 0 {
		return "0", "0"
	}
	p := l.protocols[i]
	l.protocols = l.protocols[i+1:]
	for len(l.protocols) > 0 && strings.HasPrefix(l.protocols[0], "ipv6.") {
		l.protocols = l.protocols[1:]
	}
	return l.take(p + ".src"), l.take(p + ".dst")
}

// inTunnel returns what the first tunnel of a packet is and carries, "" if it has none.
func inTunnel(l *layers) string {
	source, dest := l.addresses()
	if len(l.protocols) > 0 && l.protocols[0] == "udp" {
		l.protocols = l.protocols[1:]
		l.take("udp.srcport")
		l.take("udp.dstport")
	}
	if len(l.protocols) == 0 {
		return ""
	}
	kind, id := 0, int64(0)
	switch l.protocols[0] {
	case "vxlan":
		kind, id = 1, l.number("vxlan.vni")
	case "geneve":
		kind, id = 3, l.number("geneve.vni")
	case "gre":
		if kind, id = 4, l.number("gre.key"); len(l.protocols) > 1 && l.protocols[1] == "erspan" {
			kind, id = 5, l.number("erspan.spanid")
		}
	case "ip", "ipv6":
		kind = 7
	case "gtp":
		kind, id = 8, l.number("gtp.teid")
	default:
		return ""
	}
	innerSource, innerDest := l.addresses()
	ports := [2]string{"0", "0"}
	if len(l.protocols) > 0 {
		switch p := l.protocols[0]; p {
		case "tcp", "udp":
			ports = [2]string{l.take(p + ".srcport"), l.take(p + ".dstport")}
		case "icmp", "icmpv6":
			ports = [2]string{l.take(p + ".type"), l.take(p + ".code")}
		}
	}
	return key(kind, id, source, dest, innerSource, innerDest, ports[0], ports[1])
}

// tagsOf returns how many VLAN tags a packet has, the first and the second, and the
// first and the last label.
func tagsOf(l *layers) string {
	tags, labels := l.values["vlan.id"], l.values["mpls.label"]
	bottom := "0"
	if len(labels) > 0 {
		bottom = labels[len(labels)-1]
	}
	return key(len(tags), l.take("vlan.id"), l.take("vlan.id"), l.take("mpls.label"), bottom)
}
