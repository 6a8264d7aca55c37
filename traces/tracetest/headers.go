package tracetest

import (
	"encoding/binary"

	"rtfm/traces"
)

// snoopLinks are the datalink types of snoop files (RFC 1761 section 4).
var snoopLinks = map[traces.LinkType]uint32{
	traces.LinkEthernet:  4,
	traces.LinkPPPHDLC:   5,
	traces.LinkCiscoHDLC: 5,
	traces.LinkIPNET:     1<<31 | 5,
}

// Snoop returns a snoop file of packets, in microseconds. Its datalink type is
// that of the first packet, Ethernet when there are none.
func Snoop(packets ...traces.Packet) []byte {
	link := traces.LinkEthernet
	if len(packets) > 0 {
		link = packets[0].Link
	}
	datalink, ok := snoopLinks[link]
	if !ok {
		panic("tracetest: snoop of " + link.String())
	}
	b := binary.BigEndian.AppendUint32([]byte("snoop\x00\x00\x00\x00\x00\x00\x02"), datalink)
	for _, p := range packets {
		pad := -len(p.Data) & 3
		for _, v := range []uint32{p.Wire, uint32(len(p.Data)), uint32(24 + len(p.Data) + pad), 0,
			uint32(p.Time / 1e9), uint32(p.Time % 1e9 / 1000)} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		b = append(append(b, p.Data...), make([]byte, pad)...)
	}
	return b
}

// TSH returns a TSH file of IPv4 packets without link header, in microseconds:
// of each the header without its options, and sixteen octets of what follows,
// zeros where there is less.
func TSH(packets ...traces.Packet) []byte {
	var b []byte
	for _, p := range packets {
		if p.Link != traces.LinkIPv4 {
			panic("tracetest: TSH of " + p.Link.String())
		}
		b = binary.BigEndian.AppendUint32(b, uint32(p.Time/1e9))
		b = binary.BigEndian.AppendUint32(b, p.Interface<<24|uint32(p.Time%1e9/1000))
		var rec [36]byte
		if copy(rec[:20], p.Data) == 20 {
			copy(rec[20:], p.Data[min(len(p.Data), int(p.Data[0]&15)*4):])
		}
		b = append(b, rec[:]...)
	}
	return b
}
