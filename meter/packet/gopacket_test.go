package packet_test

import (
	"io/fs"
	"net/netip"
	"path/filepath"
	"testing"

	"rtfm/traces/format"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// outermost is what gopacket says of a frame's outermost IP datagram.
type outermost struct {
	src, dst   netip.Addr
	proto      uint8
	sport      uint16 // ICMP: type
	dport      uint16 // ICMP: code
	dscp, hops uint8
	known      bool // it is an IP datagram, and these are its values
	unfinished bool // but for proto, sport and dport
}

// askGopacket decodes a frame by gopacket alone.
func askGopacket(data []byte) (o outermost) {
	p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true, DecodeStreamsAsDatagrams: true})
	fragment, failed := false, p.ErrorLayer() != nil
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.Ethernet, *layers.Dot1Q, *layers.MPLS, *layers.PPPoE, *layers.PPP, *layers.LLC, *layers.SNAP:
			continue
		case *layers.IPv4:
			if o.known || failed && l.SrcIP == nil {
				return o // it leaves a header empty that it refuses
			}
			o.src, _ = netip.AddrFromSlice(l.SrcIP)
			o.dst, _ = netip.AddrFromSlice(l.DstIP)
			o.proto, o.dscp, o.hops, o.known = uint8(l.Protocol), l.TOS>>2, l.TTL, true
			fragment = l.FragOffset != 0
		case *layers.IPv6:
			if o.known {
				return o
			}
			o.src, _ = netip.AddrFromSlice(l.SrcIP)
			o.dst, _ = netip.AddrFromSlice(l.DstIP)
			o.proto, o.dscp, o.hops, o.known = uint8(l.NextHeader), l.TrafficClass>>2, l.HopLimit, true
		case *layers.IPv6HopByHop:
			o.proto = uint8(l.NextHeader)
		case *layers.IPv6Destination:
			o.proto = uint8(l.NextHeader)
		case *layers.IPv6Routing:
			o.proto = uint8(l.NextHeader)
		case *layers.IPv6Fragment:
			o.proto = uint8(l.NextHeader)
			fragment = l.FragmentOffset != 0
		case *layers.TCP:
			o.sport, o.dport = uint16(l.SrcPort), uint16(l.DstPort)
			o.unfinished = failed
			return o
		case *layers.UDP:
			o.sport, o.dport = uint16(l.SrcPort), uint16(l.DstPort)
			o.unfinished = failed
			return o
		case *layers.ICMPv4:
			o.sport, o.dport = uint16(l.TypeCode.Type()), uint16(l.TypeCode.Code())
			return o
		case *layers.ICMPv6:
			o.sport, o.dport = uint16(l.TypeCode.Type()), uint16(l.TypeCode.Code())
			return o
		default:
			// Whatever it is, what we walk through ends here for gopacket.
			o.unfinished = !fragment
			return o
		}
	}
	o.unfinished = !fragment
	return o
}

// askDecode decodes a frame by Decode.
func askDecode(data []byte, wire uint32) (o outermost, flags match.PacketFlags) {
	var p match.Packet
	packet.Decode(&p, 1, data, wire)
	end := func(i int) netip.Addr {
		a, _ := netip.AddrFromSlice(p.Key.Peer(i)[:p.PeerLen])
		return a
	}
	port := func(i int) uint16 { t := p.Key.Trans(i); return uint16(t[0])<<8 | uint16(t[1]) }
	o = outermost{
		src: end(attr.Source), dst: end(attr.Dest), proto: p.Key.TransType(),
		sport: port(attr.Source), dport: port(attr.Dest),
		dscp: p.Key[attr.DSCodePoint.Info().Offset], hops: p.Key[attr.HopLimit.Info().Offset], known: p.Flags&match.IsIP != 0,
	}
	return o, p.Flags
}

// TestGopacket has gopacket decode every Ethernet frame of the given traces
// beside Decode. gopacket gives up where Decode goes on: at headers that it does
// not know, and at frames cut within a header. Where both have an answer, it is
// the same.
func TestGopacket(t *testing.T) {
	root := tracetest.Require(t, "traces")
	var frames, compared, wrong int
	err := filepath.WalkDir(filepath.Join(root, "traces"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		src, err := format.Open(path)
		if err != nil {
			return nil // not a trace, on purpose
		}
		defer src.Close()
		b := traces.NewBatch(256)
		for src.ReadBatch(b) == nil {
			for i := range b.Packets {
				q := &b.Packets[i]
				if q.Link != 1 {
					continue
				}
				frames++
				want := askGopacket(q.Data)
				got, flags := askDecode(q.Data, q.Wire)
				if flags&(match.Cut|match.Malformed) != 0 || !want.known {
					continue
				}
				compared++
				if want.unfinished {
					got.proto, got.sport, got.dport = want.proto, want.sport, want.dport
					got.unfinished = true
				}
				if got != want {
					if wrong++; wrong <= 40 {
						t.Errorf("%s, packet %d:\nDecode   %+v\ngopacket %+v", path, i+1, got, want)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d Ethernet frames, %d compared, %d different", frames, compared, wrong)
	if compared < 90_000 {
		t.Errorf("only %d frames were compared", compared)
	}
}
