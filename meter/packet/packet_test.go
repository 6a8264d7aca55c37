package packet

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
	"rtfm/traces"
)

// unhex returns the octets of a frame written in hexadecimal with spaces.
func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

// value reads an integer attribute of a packet's key.
func value(p *match.Packet, a attr.Attr) uint16 {
	return uint16(number(p, a))
}

// number is value for attributes of up to four octets.
func number(p *match.Packet, a attr.Attr) (n uint32) {
	info := a.Info()
	for _, b := range p.Key[info.Offset:][:info.Size] {
		n = n<<8 | uint32(b)
	}
	return n
}

// describe says what p holds but for what is zero.
func describe(p *match.Packet) string {
	const src, dst = attr.Source, attr.Dest
	k, s := &p.Key, ""
	if t := value(p, attr.SourceAdjacentType); t != 0 || p.AdjacentLen != 0 {
		s += fmt.Sprintf(", adjacent %d", t)
	}
	if n := p.AdjacentLen; n != 0 {
		s += fmt.Sprintf(" %x>%x", k.Adjacent(src)[:n], k.Adjacent(dst)[:n])
	}
	if k.PeerType() != 0 || p.PeerLen != 0 {
		s += fmt.Sprintf(", peer %d", k.PeerType())
	}
	if n := p.PeerLen; n != 0 {
		s += fmt.Sprintf(" %x>%x", k.Peer(src)[:n], k.Peer(dst)[:n])
	}
	ports := *k.Trans(src) != [2]byte{} || *k.Trans(dst) != [2]byte{}
	if k.TransType() != 0 || ports {
		s += fmt.Sprintf(", trans %d", k.TransType())
	}
	if ports {
		s += fmt.Sprintf(" %x>%x", *k.Trans(src), *k.Trans(dst))
	}
	if class, ecn := value(p, attr.DSCodePoint), value(p, attr.ECNCodeBits); class|ecn != 0 {
		s += fmt.Sprintf(", class %d ecn %d", class, ecn)
	}
	if p.IPOctets != p.FrameOctets || p.Flags&match.IsIP != 0 {
		s += fmt.Sprintf(", ip %d", p.IPOctets)
	}
	before := ", "
	for _, flag := range []struct {
		bit  match.PacketFlags
		name string
	}{
		{match.Fragment, "Fragment"}, {match.Cut, "Cut"}, {match.Malformed, "Malformed"},
		{match.UnknownLink, "UnknownLink"}, {match.IsIP, "IsIP"}, {match.HasTransport, "HasTransport"},
	} {
		if p.Flags&flag.bit != 0 {
			s += before + flag.name
			before = " "
		}
	}
	usualTags := uint16(0)
	if vlan, priority := value(p, attr.VLANid), value(p, attr.Priority); vlan|priority != 0 {
		s += fmt.Sprintf(", vlan %d priority %d", vlan, priority)
		usualTags = 1
	}
	if tags, inner := value(p, attr.VLANTags), value(p, attr.InnerVLANid); tags != usualTags || inner != 0 {
		s += fmt.Sprintf(", %d tags, then vlan %d", tags, inner)
	}
	if top, bottom := number(p, attr.MPLSLabel), number(p, attr.MPLSBottomLabel); top|bottom != 0 {
		s += fmt.Sprintf(", labels %d..%d", top, bottom)
	}
	if p.Transport != 0 {
		s += fmt.Sprintf(" @%d", p.Transport)
	}
	return strings.TrimPrefix(s, ", ")
}

// dirty returns a packet with no value that Decode should leave.
func dirty() match.Packet {
	p := match.Packet{FrameOctets: 1, IPOctets: 2, PeerLen: 3, AdjacentLen: 4, IPHeader: 7, IPID: 8, Flags: 0xff, Transport: 5, Data: []byte{6}}
	for i := range p.Key {
		p.Key[i] = 0xa5
	}
	return p
}

func TestDecode(t *testing.T) {
	for _, test := range decodeTests {
		t.Run(test.name, func(t *testing.T) {
			data := unhex(t, test.data)
			wire := test.wire
			if wire == 0 {
				wire = uint32(len(data))
			}
			p := dirty()
			Decode(&p, test.link, data, wire)
			if got := describe(&p); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if p.FrameOctets != wire || len(p.Data) != len(data) {
				t.Errorf("FrameOctets %d, %d octets of Data, want %d and %d", p.FrameOctets, len(p.Data), wire, len(data))
			}
			var clean match.Packet
			if Decode(&clean, test.link, data, wire); clean.IPHeader != p.IPHeader || clean.IPID != p.IPID {
				t.Errorf("%d octets of the IP header, identification %d, want %d and %d", p.IPHeader, p.IPID, clean.IPHeader, clean.IPID)
			}
			for n := range data {
				checkCut(t, &p, test.link, data[:n])
			}
			if n := testing.AllocsPerRun(10, func() { Decode(&p, test.link, data, wire) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// fields are the attributes that Decode sets, those of one end once.
var fields = [...]attr.Attr{
	attr.SourceAdjacentType, attr.SourceAdjacentAddress, attr.DestAdjacentAddress,
	attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress,
	attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress,
	attr.DSCodePoint, attr.ECNCodeBits, attr.VLANid, attr.Priority, attr.HopLimit,
	attr.VLANTags, attr.InnerVLANid, attr.MPLSLabel, attr.MPLSBottomLabel,
}

// checkCut decodes data, the beginning of a frame that gave whole, and checks
// that each value is that of the whole frame or zero.
func checkCut(t *testing.T, whole *match.Packet, link traces.LinkType, data []byte) {
	t.Helper()
	var p match.Packet
	Decode(&p, link, data, whole.FrameOctets)
	for _, a := range fields {
		info := a.Info()
		got, want := p.Key[info.Offset:][:info.Size], whole.Key[info.Offset:][:info.Size]
		if !bytes.Equal(got, want) && !bytes.Equal(got, make([]byte, info.Size)) {
			t.Errorf("cut after %d octets: %v %x, want %x or zero", len(data), a, got, want)
		}
	}
	if p.PeerLen > whole.PeerLen || p.AdjacentLen > whole.AdjacentLen {
		t.Errorf("cut after %d octets: addresses of %d and %d octets, want %d and %d at most",
			len(data), p.PeerLen, p.AdjacentLen, whole.PeerLen, whole.AdjacentLen)
	}
}

// TestLongHeaders decodes a transport header that stands too far behind for
// Transport to tell.
func TestLongHeaders(t *testing.T) {
	data := unhex(t, macs)
	for range 20000 {
		data = append(data, 0x81, 0x00, 0x00, 0x01)
	}
	data = append(data, unhex(t, "0800"+v4)...)
	var p match.Packet
	Decode(&p, traces.LinkEthernet, data, uint32(len(data)))
	const want = wantMACs + ", peer 1 0a000001>c0a80102, trans 17 8001>0035, class 46 ecn 1, ip 32, IsIP, vlan 1 priority 0, 255 tags, then vlan 1"
	if got := describe(&p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSupported(t *testing.T) {
	supported := map[traces.LinkType]bool{}
	for _, test := range decodeTests {
		supported[test.link] = true
	}
	supported[147] = false              // a number for private use
	supported[traces.LinkUser2] = false // another one, but Apple's tools write taps under it
	supported[traces.LinkIPv6] = true
	for link := range traces.LinkType(1000) {
		if got := Supported(link); got != supported[link] {
			t.Errorf("Supported(%d) = %v", link, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, test := range decodeTests {
		data := unhex(f, test.data)
		f.Add(uint32(test.link), data, uint32(max(len(data), int(test.wire))), uint(len(data)/2))
	}
	f.Fuzz(func(t *testing.T, number uint32, data []byte, wire uint32, cut uint) {
		link := traces.LinkType(number)
		var p match.Packet
		again := dirty()
		Decode(&p, link, data, wire)
		Decode(&again, link, data, wire)
		if describe(&p) != describe(&again) || p.Key != again.Key || p.IPOctets != again.IPOctets {
			t.Errorf("decoded into a used packet:\n%s\ninto a new one:\n%s", describe(&again), describe(&p))
		}
		if p.PeerLen > attr.MaxAddress || p.AdjacentLen > attr.MaxAdjacent {
			t.Errorf("addresses of %d and %d octets", p.PeerLen, p.AdjacentLen)
		}
		if p.Flags&match.HasTransport != 0 {
			if int(p.Transport) >= len(data) || p.Flags&match.IsIP == 0 || p.Flags&match.Fragment != 0 {
				t.Errorf("transport header at %d of %d: %s", p.Transport, len(data), describe(&p))
			}
		} else if p.Flags&(match.IsIP|match.Fragment) == match.IsIP && p.Transport != 0 {
			t.Errorf("no transport header, but at %d", p.Transport)
		}
		checkCut(t, &p, link, data[:min(cut, uint(len(data)))])
		checkUsual(t, data, wire)
		Decode(&again, link, data[:Headers(link, data, wire)], wire)
		if again.Key != p.Key || again.IPOctets != p.IPOctets || (again.Flags^p.Flags)&^match.HasTransport != 0 {
			t.Errorf("of the headers:\n%s\nof the whole:\n%s", describe(&again), describe(&p))
		}
	})
}

// checkUsual checks that usual does with an Ethernet frame what ethernet does, or
// nothing.
func checkUsual(t *testing.T, data []byte, wire uint32) {
	start := match.Packet{Data: data, FrameOctets: wire, IPOctets: wire}
	p, want := start, start
	if !usual(&p) {
		want = start
	} else if ethernet(&want, 0); describe(&p) != describe(&want) {
		t.Errorf("usual gives\n%s\nwant\n%s", describe(&p), describe(&want))
	}
	if p.Key != want.Key || p.IPOctets != want.IPOctets || p.Flags != want.Flags || p.PeerLen != want.PeerLen ||
		p.IPHeader != want.IPHeader || p.IPID != want.IPID || p.AdjacentLen != want.AdjacentLen || p.Transport != want.Transport || p.TransportOctets != want.TransportOctets {
		t.Errorf("usual gives %+v, want %+v", p, want)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, test := range decodeTests {
		switch test.name {
		case "IPv4", "IPv6", "VLAN", "MPLS", "IPv4, TCP", "PPP", "Linux cooked", "802.11, QoS", "extension headers":
			b.Run(strings.ReplaceAll(test.name, ", ", "/"), func(b *testing.B) {
				data := unhex(b, test.data)
				var p match.Packet
				for b.Loop() {
					Decode(&p, test.link, data, uint32(len(data)))
				}
			})
		}
	}
}
