package packet

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"rtfm/ruleset/match"
	"rtfm/traces"
)

// Parts of envelopes in hexadecimal.
const (
	innerFrame = "040000000002 040000000001 0800 " + innerV4
	innerV4    = "4500 001e 0001 0000 4011 0000 0a020001 0a020002 1111 0035 000a 0000 6162 "
	innerV6    = "60000000 000a 1140 20010db8000000000000000000000011 20010db8000000000000000000000012 1111 0035 000a 0000 6162 "
)

// tunnelTests are what stands in an IPv4 datagram, and what Open says of it. A
// UDP datagram is written as "udp SOURCE DEST payload".
var tunnelTests = []struct{ name, proto, data, want string }{
	{"VXLAN", "udp 1234 4789", "08000000 00002a00" + innerFrame, "vxlan 42 ETHERNET 44"},
	{"VXLAN on Linux's port of old", "udp 1234 8472", "08000000 ffffff00" + innerFrame, "vxlan 16777215 ETHERNET 44"},
	{"VXLAN with a policy", "udp 1234 4789", "88000001 00002a00" + innerFrame, "vxlan 42 ETHERNET 44"},
	{"VXLAN without VNI", "udp 1234 4789", "00000000 00002a00" + innerFrame, "unknown"},
	{"VXLAN, empty", "udp 1234 4789", "08000000 00002a00", "unknown"},
	{"VXLAN, header too short", "udp 1234 4789", "08000000 0000", "unknown"},
	{"from VXLAN's port", "udp 4789 53", "08000000 00002a00" + innerFrame, "no"},
	{"VXLAN-GPE", "udp 1 4790", "0c000001 00002a00" + innerV4, "vxlan-gpe 42 IPV4 30"},
	{"VXLAN-GPE, IPv6", "udp 1 4790", "0c000002 00002a00" + innerV6, "vxlan-gpe 42 IPV6 50"},
	{"VXLAN-GPE, Ethernet", "udp 1 4790", "0c000003 00002a00" + innerFrame, "vxlan-gpe 42 ETHERNET 44"},
	{"VXLAN-GPE, as VXLAN", "udp 1 4790", "08000000 00002a00" + innerFrame, "vxlan-gpe 42 ETHERNET 44"},
	{"VXLAN-GPE, service header", "udp 1 4790", "0c000004 00002a00 0002 02 03 00000101" + innerFrame, "vxlan-gpe 42 ETHERNET 44"},
	{"VXLAN-GPE, MPLS", "udp 1 4790", "0c000005 00002a00 00002140" + innerV4, "vxlan-gpe 42 MPLS 34"},
	{"VXLAN-GPE, another version", "udp 1 4790", "1c000001 00002a00" + innerV4, "unknown"},
	{"VXLAN-GPE, another protocol", "udp 1 4790", "0c000009 00002a00" + innerV4, "unknown"},
	{"GENEVE", "udp 1 6081", "00006558 00002a00" + innerFrame, "geneve 42 ETHERNET 44"},
	{"GENEVE with options", "udp 1 6081", "03400800 00002a00 0108 0101 00000000 00000001" + innerV4, "geneve 42 IPV4 30"},
	{"GENEVE, IPv6", "udp 1 6081", "000086dd 00002a00" + innerV6, "geneve 42 IPV6 50"},
	{"GENEVE, options too long", "udp 1 6081", "3f006558 00002a00" + innerFrame, "unknown"},
	{"GENEVE, another version", "udp 1 6081", "40006558 00002a00" + innerFrame, "unknown"},
	{"GRE", "47", "0000 0800" + innerV4, "gre 0 IPV4 30"},
	{"GRE, IPv6", "47", "0000 86dd" + innerV6, "gre 0 IPV6 50"},
	{"GRE, Ethernet with key", "47", "2000 6558 00002a01" + innerFrame, "gre 10753 ETHERNET 44"},
	{"GRE, all of it", "47", "b000 0800 12340000 0000002a 00000001" + innerV4, "gre 42 IPV4 30"},
	{"GRE with routes", "47", "4000 0800 12340000" + innerV4, "unknown"},
	{"GRE, another version of IP", "47", "0000 0800" + innerV6, "unknown"},
	{"GRE, keepalive", "47", "0000 0000", "unknown"},
	{"GRE, header too short", "47", "2000 0800 0000", "unknown"},
	{"PPTP", "47", "3081 880b 0022 002a 00000001 00000002 ff030021" + innerV4, "gre 42 PPP 34"},
	{"ERSPAN I", "47", "0000 88be" + innerFrame, "erspan 0 ETHERNET 44"},
	{"ERSPAN II", "47", "1000 88be 00000001 1001002a00000000" + innerFrame, "erspan 42 ETHERNET 44"},
	{"ERSPAN III", "47", "1000 22eb 00000001 2001002a 00000000 0000 0000" + innerFrame, "erspan 42 ETHERNET 44"},
	{"ERSPAN III with what a platform adds", "47", "1000 22eb 00000001 2001002a 00000000 0000 0001 0000000000000000" + innerFrame, "erspan 42 ETHERNET 44"},
	{"ERSPAN III, IP", "47", "1000 22eb 00000001 2001002a 00000000 0000 0800" + innerV6, "erspan 42 IPV6 50"},
	{"ERSPAN III, another frame", "47", "1000 22eb 00000001 2001002a 00000000 0000 1c00" + innerFrame, "unknown"},
	{"ERSPAN, another version", "47", "1000 88be 00000001 3001002a00000000" + innerFrame, "unknown"},
	{"TZSP", "udp 1 37008", "01 00 0001 01" + innerFrame, "tzsp 0 ETHERNET 44"},
	{"TZSP with tags", "udp 1 37008", "01 00 0001 00 0a 01 c4 29 02 05dc 01" + innerFrame, "tzsp 0 ETHERNET 1500"},
	{"TZSP, 802.11", "udp 1 37008", "01 00 0012 01 0800", "tzsp 0 IEEE802_11 2"},
	{"TZSP, no end of tags", "udp 1 37008", "01 00 0001 00 00 00 00", "unknown"},
	{"TZSP, keepalive", "udp 1 37008", "01 04 0001 01", "unknown"},
	{"IPv4 in IPv4", "4", innerV4, "ipip 0 IPV4 30"},
	{"IPv6 in IPv4", "41", innerV6, "ipip 0 IPV6 50"},
	{"IPv6 in IPv4, it says", "41", innerV4, "unknown"},
	{"GTP-U", "udp 1 2152", "30ff 001e 0000002a" + innerV4, "gtp-u 42 IPV4 30"},
	{"GTP-U with numbers", "udp 1 2152", "32ff 0036 8000002a 00010000" + innerV6, "gtp-u 2147483690 IPV6 50"},
	{"GTP-U with extensions", "udp 1 2152", "34ff 002e 0000002a 00000085 01 1001 c0 02 000000000000 00" + innerV4, "gtp-u 42 IPV4 30"},
	{"GTP-U, empty extension", "udp 1 2152", "34ff 002e 0000002a 00000085 00 1001 c0" + innerV4, "unknown"},
	{"GTP-U, echo request", "udp 1 2152", "3201 0004 00000000 00010000", "no"},
	{"GTP', not GTP", "udp 1 2152", "20ff 001e 0000002a" + innerV4, "unknown"},
	{"L2TP", "udp 1701 1701", "0002 0001 002a ff030021" + innerV4, "l2tp 42 PPP 34"},
	{"L2TP, all of it", "udp 1701 5000", "4a02 0032 0001 002a 00000001 0002 0000 ff030021" + innerV4, "l2tp 42 PPP 34"},
	{"L2TP, control", "udp 1701 1701", "c802 000c 0001 0000 0001 0001", "no"},
	{"L2TPv3", "udp 1701 1701", "0003 0000 0000002a" + innerFrame, "unknown"},
	{"Teredo", "udp 3544 1234", innerV6, "teredo 0 IPV6 50"},
	{"Teredo with origin", "udp 3544 1234", "0000 1234 0a000001" + innerV6, "teredo 0 IPV6 50"},
	{"Teredo with authentication", "udp 1234 3544", "0001 0000 0000000000000000 00" + innerV6, "teredo 0 IPV6 50"},
	{"Teredo with a trailer", "udp 1234 3544", innerV6 + "01020304", "teredo 0 IPV6 50"},
	{"Teredo, longer than it is", "udp 1234 3544", innerV6[:len(innerV6)-3], "unknown"},
	{"AYIYA", "udp 1234 5072", "4152 1129 00000000 20010db8000000000000000000000001 0000000000000000000000000000000000000000" + innerV6, "ayiya 0 IPV6 50"},
	{"AYIYA, no operation", "udp 1234 5072", "4152 103b 00000000", "no"},
	{"TCP", "6", "1111 2222 00000000", "no"},
	{"UDP", "udp 53 1234", "0000", "no"},
}

// outer returns an IPv4 datagram of a protocol, whose fragment field is given.
func outer(t *testing.T, proto, data string, fragment int) []byte {
	t.Helper()
	payload := unhex(t, data)
	var number, source, dest int
	if n, _ := fmt.Sscanf(proto, "udp %d %d", &source, &dest); n == 2 {
		number = protoUDP
		payload = append(unhex(t, fmt.Sprintf("%04x%04x%04x0000", source, dest, len(payload)+8)), payload...)
	} else {
		fmt.Sscan(proto, &number)
	}
	head := unhex(t, fmt.Sprintf("4500 %04x 0001 %04x 40 %02x 0000 0a000001 0a000002", len(payload)+20, fragment, number))
	return append(head, payload...)
}

func said(o Opening, tn *Tunnel) string {
	switch o {
	case Opened:
		return fmt.Sprint(tn.Kind, " ", tn.ID, " ", tn.Link, " ", tn.Octets)
	case EnvelopeFragment:
		return "fragment"
	case EnvelopeCut:
		return "cut"
	case EnvelopeUnknown:
		return "unknown"
	}
	return "no"
}

func TestOpen(t *testing.T) {
	for _, test := range tunnelTests {
		data := outer(t, test.proto, test.data, 0)
		var p match.Packet
		var tn Tunnel
		Decode(&p, traces.LinkIPv4, data, uint32(len(data)))
		if got := said(AllTunnels.Open(&p, &tn), &tn); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
			continue
		}
		kind, _ := ParseTunnelKind(strings.Fields(test.want)[0])
		if kind == 0 {
			continue
		}
		if inner := hex.EncodeToString(tn.Inner(data)); !strings.HasSuffix(hex.EncodeToString(data), inner) && kind != Teredo {
			t.Errorf("%s: inner %s", test.name, inner)
		}
		if o := (AllTunnels &^ (1 << kind)).Open(&p, &tn); o != NoEnvelope {
			t.Errorf("%s: is opened where its kind is not asked for: %s", test.name, said(o, &tn))
		}
		if o := TunnelKinds(0).With(kind).Open(&p, &tn); o != Opened {
			t.Errorf("%s: is not opened where only its kind is asked for: %s", test.name, said(o, &tn))
		}
		// An envelope that is cut is never anything else than the whole one, or cut.
		at := tn.At
		for n := range data {
			Decode(&p, traces.LinkIPv4, data[:n], uint32(len(data)))
			o := AllTunnels.Open(&p, &tn)
			if n <= at && o == Opened || n > 24 && n <= at && o != EnvelopeCut ||
				n > at && kind != Teredo && said(o, &tn) != test.want {
				t.Errorf("%s, cut after %d octets of %d: %s", test.name, n, at, said(o, &tn))
			}
		}
		later := outer(t, test.proto, test.data, 1)
		Decode(&p, traces.LinkIPv4, later, uint32(len(later)))
		if o := AllTunnels.Open(&p, &tn); o != EnvelopeFragment {
			t.Errorf("%s: a later fragment is %s", test.name, said(o, &tn))
		}
	}
}

// FuzzOpen looks for octets that make a walk leave the frame.
func FuzzOpen(f *testing.F) {
	for _, test := range tunnelTests {
		var t testing.T
		f.Add(outer(&t, test.proto, test.data, 0), uint32(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, more uint32) {
		wire := uint32(min(uint64(len(data))+uint64(more), 1<<31-1))
		var p match.Packet
		link := traces.LinkRaw
		for depth := 0; ; depth++ {
			Decode(&p, link, data, wire)
			var tn Tunnel
			o := AllTunnels.Open(&p, &tn)
			if o != Opened {
				return
			}
			if tn.At <= 0 || tn.At >= len(data) || tn.Octets == 0 || tn.Kind == 0 || tn.Kind >= kindsEnd {
				t.Fatalf("%+v in %d octets", tn, len(data))
			}
			inner := tn.Inner(data)
			if len(inner) == 0 || len(inner) >= len(data) {
				t.Fatalf("inner frame of %d octets in %d", len(inner), len(data))
			}
			data, link, wire = inner, tn.Link, tn.Octets
		}
	})
}

// BenchmarkMayBe is what a usual packet costs with tunnels to look for, and without.
func BenchmarkMayBe(b *testing.B) {
	frame := unhex(b, macs+"0800"+v4)
	for _, kinds := range []TunnelKinds{0, PlainTunnels, AllTunnels} {
		b.Run(kinds.String(), func(b *testing.B) {
			var u Usual
			for b.Loop() {
				if !u.Read(frame) || kinds != 0 && u.MayBe(kinds) {
					b.Fatal("a tunnel")
				}
			}
		})
	}
}
