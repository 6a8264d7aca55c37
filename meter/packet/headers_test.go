package packet

import (
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

func TestHeaders(t *testing.T) {
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	v4 := eth.IPv4("10.0.0.1", "10.0.0.2")
	for _, tt := range []struct {
		name  string
		frame tracetest.Frame
		link  traces.LinkType
		want  int
	}{
		{"tcp", v4.TCP(1, 2, tracetest.ACK).Payload(100), traces.LinkEthernet, 14 + 20 + 20},
		{"udp", eth.VLAN(5).MPLS(16).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(100), traces.LinkEthernet, 14 + 4 + 4 + 20 + 8},
		{"udp, padded", v4.UDP(1, 2).Payload(2), traces.LinkEthernet, 14 + 20 + 8},
		{"icmp", v4.ICMP(3, 1).Payload(50), traces.LinkEthernet, 14 + 20 + 8},
		{"short icmp", v4.Raw(1, []byte{8, 0, 1}), traces.LinkEthernet, 14 + 20 + 3},
		{"sctp", v4.Raw(132, make([]byte, 50)), traces.LinkEthernet, 14 + 20 + 12},
		{"ospf", v4.Raw(89, make([]byte, 50)), traces.LinkEthernet, 14 + 20},
		{"tcp with options", v4.Raw(6, []byte{0, 1, 0, 2, 12: 0x80, 60: 1}), traces.LinkEthernet, 14 + 20 + 32},
		{"cut tcp", v4.Raw(6, []byte{0, 1, 0, 2, 0}), traces.LinkEthernet, 14 + 20 + 5},
		{"ip options", eth.IPv4("10.0.0.1", "10.0.0.2", tracetest.IP{Options: []byte{1, 1, 1, 0}}).UDP(1, 2).Payload(9), traces.LinkEthernet, 14 + 24 + 8},
		{"fragment", eth.IPv4("10.0.0.1", "10.0.0.2", tracetest.IP{Offset: 8}).Raw(17, make([]byte, 50)), traces.LinkEthernet, 14 + 20},
		{"extensions", eth.IPv6("::1", "::2").Ext(tracetest.HopByHop, 1, 4, 0, 0, 0, 0).UDP(1, 2).Payload(30), traces.LinkEthernet, 14 + 40 + 8 + 8},
		{"raw", tracetest.Frame{}.IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(30), traces.LinkRaw, 28},
		{"arp", eth.Raw(0x0806, make([]byte, 46)), traces.LinkEthernet, 14},
		{"unknown link", v4.UDP(1, 2).Payload(30), 147, 0},
	} {
		data := tt.frame.Bytes()
		if got := Headers(tt.link, data, uint32(len(data))); got != tt.want {
			t.Errorf("%s: %d octets, want %d", tt.name, got, tt.want)
		}
	}
}
