package tracetest

import (
	"encoding/binary"

	"rtfm/traces"
)

// The numbers of the protocols that Relink carries over: of Ethernet, and of
// PPP.
var pppNumbers = map[uint16]int{0x0800: 0x0021, 0x86dd: 0x0057, 0x8847: 0x0281}

// Relink returns the IP packets among those of Ethernet as they would be on a
// link of another type: PPP, Cisco HDLC, AAL5 with LLC, or none, IPv4 or IPv6,
// where only packets of that version remain. They stay cut where they were.
func Relink(link traces.LinkType, packets ...traces.Packet) []traces.Packet {
	var out []traces.Packet
	for _, p := range packets {
		if p.Link != traces.LinkEthernet || len(p.Data) < 14 {
			continue
		}
		typ := binary.BigEndian.Uint16(p.Data[12:])
		number, isIP := pppNumbers[typ]
		if !isIP {
			continue
		}
		var head []byte
		switch link {
		case traces.LinkPPPHDLC:
			head = be16([]byte{0xff, 0x03}, number)
		case traces.LinkCiscoHDLC:
			head = be16([]byte{0x0f, 0}, int(typ))
		case traces.LinkATM:
			head = be16([]byte{0xaa, 0xaa, 3, 0, 0, 0}, int(typ))
		case traces.LinkIPv4, traces.LinkIPv6:
			if (link == traces.LinkIPv4) != (typ == 0x0800) {
				continue
			}
		default:
			panic("tracetest: relink to " + link.String())
		}
		p.Link = link
		p.Wire += uint32(len(head)) - 14
		p.Data = join(head, p.Data[14:]...)
		out = append(out, p)
	}
	return out
}
