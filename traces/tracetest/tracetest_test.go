package tracetest

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const (
	macA = "02:00:00:00:00:0a"
	macB = "02:00:00:00:00:0b"
)

// TestFrames has gopacket decode the frames: it must find the layers that were
// asked for and no error in them, and the checksums must be its own.
func TestFrames(t *testing.T) {
	v4 := Eth(macA, macB).IPv4("10.0.0.1", "10.0.0.2")
	v6 := Eth(macA, macB).IPv6("2001:db8::1", "2001:db8::2")
	for _, c := range []struct {
		name  string
		frame Frame
		want  []gopacket.LayerType
	}{
		{"tcp", v4.TCP(1, 2, SYN|ACK, 7, 8).Payload(11), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv4, layers.LayerTypeTCP, gopacket.LayerTypePayload}},
		{"udp", v4.UDP(1, 2).Payload(3), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv4, layers.LayerTypeUDP, gopacket.LayerTypePayload}},
		{"icmp", v4.ICMP(8, 0).Payload(4), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv4, layers.LayerTypeICMPv4, gopacket.LayerTypePayload}},
		{"options", Eth(macA, macB).IPv4("10.0.0.1", "10.0.0.2", IP{Options: []byte{1, 1, 1, 0}}).UDP(1, 2), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv4, layers.LayerTypeUDP}},
		{"fragment", Eth(macA, macB).IPv4("10.0.0.1", "10.0.0.2", IP{Offset: 8, More: true}).Raw(17, []byte{1}), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv4, gopacket.LayerTypeFragment}},
		{"ipv6", v6.TCP(1, 2, FIN), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv6, layers.LayerTypeTCP}},
		{"icmpv6", v6.ICMPv6(128, 0), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv6, layers.LayerTypeICMPv6, layers.LayerTypeICMPv6Echo}},
		{"extensions", v6.Ext(HopByHop, 1, 4, 0, 0, 0, 0).Ext(Destination, 1, 4, 0, 0, 0, 0).UDP(1, 2), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv6, layers.LayerTypeIPv6HopByHop, layers.LayerTypeIPv6Destination, layers.LayerTypeUDP}},
		{"vlan", Eth(macA, macB).QinQ(7).VLAN(5|3<<13).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeDot1Q, layers.LayerTypeDot1Q, layers.LayerTypeIPv4, layers.LayerTypeUDP}},
		{"mpls", Eth(macA, macB).MPLS(16).MPLS(17).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeMPLS, layers.LayerTypeMPLS, layers.LayerTypeIPv4, layers.LayerTypeUDP}},
		{"pppoe", Eth(macA, macB).PPPoE(1).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypePPPoE, layers.LayerTypePPP, layers.LayerTypeIPv4, layers.LayerTypeUDP}},
		{"snap", Eth(macA, macB).SNAP().IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2), []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeLLC, layers.LayerTypeSNAP, layers.LayerTypeIPv4, layers.LayerTypeUDP}},
	} {
		b := c.frame.Bytes()
		p := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
		if e := p.ErrorLayer(); e != nil {
			t.Errorf("%s: %v\n%s", c.name, e.Error(), hex.Dump(b))
		}
		var got []gopacket.LayerType
		for _, l := range p.Layers() {
			got = append(got, l.LayerType())
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: layers %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: layers %v, want %v", c.name, got, c.want)
			}
		}
		for _, l := range p.Layers() {
			if l, ok := l.(interface {
				SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
			}); ok {
				l.SetNetworkLayerForChecksum(p.NetworkLayer())
			}
		}
		if err, wrong := p.VerifyChecksums(); err != nil || len(wrong) > 0 {
			t.Errorf("%s: checksums %v %v", c.name, wrong, err)
		}
	}
}

func TestFrameIsImmutable(t *testing.T) {
	base := Eth(macA, macB).IPv4("10.0.0.1", "10.0.0.2")
	a := base.UDP(1, 2)
	before := a.Bytes()
	base.TCP(3, 4, SYN).Payload(5).Bytes()
	if !bytes.Equal(a.Bytes(), before) {
		t.Error("a frame changed when another grew from its beginning")
	}
}

// TestChecksum checks against the example of RFC 1071 section 3.
func TestChecksum(t *testing.T) {
	if got := checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, 0); got != 0xffff^0xddf2 {
		t.Errorf("checksum %#x, want %#x", got, 0xffff^0xddf2)
	}
}
