package tracetest

import (
	"encoding/binary"
	"net/netip"
	"time"

	"rtfm/traces"
)

// Exports returns the packets of traces/testdata/netflow.pcap: what a router,
// 192.0.2.254, exports by NetFlow 5 in five minutes, of traffic between four
// autonomous systems. It is the same each time.
func Exports() []traces.Packet {
	const router, collector = "192.0.2.254", "192.0.2.10"
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	var all []traces.Packet
	for i := range 5 {
		records := []exported{
			{"10.1.0.20", "198.51.100.80", 64496, 64500, 41000 + i, 443, 12, 1_900},
			{"198.51.100.80", "10.1.0.20", 64500, 64496, 443, 41000 + i, 20, 21_000 + 500*i},
			{"10.2.5.40", "203.0.113.10", 64497, 64501, 42000 + i, 443, 9 + i, 1_200},
			{"203.0.113.10", "10.2.5.40", 64501, 64497, 443, 42000 + i, 14, 12_800},
			{"203.0.113.25", "10.1.0.25", 64501, 64496, 43000 + i, 25, 30, 36_000},
			{"10.1.0.25", "203.0.113.25", 64496, 64501, 25, 43000 + i, 18, 1_100},
			{"10.2.5.40", "192.168.7.7", 64497, 0, 5353, 5353, 1, 90},
		}
		at := start.Add(time.Duration(i) * time.Minute)
		b := binary.BigEndian.AppendUint16(nil, 5)
		b = binary.BigEndian.AppendUint16(b, uint16(len(records)))
		for _, v := range []uint32{uint32(3_600_000 + 60_000*i), uint32(at.Unix()), 0, uint32(i * len(records)), 0} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		for _, r := range records {
			b = r.append(b, uint32(3_540_000+60_000*i))
		}
		frame := Eth("02:00:00:00:00:fe", "02:00:00:00:00:10").IPv4(router, collector, IP{TTL: 64, ID: uint16(i)}).
			UDP(40000, 2055).Raw(0, b).Bytes()
		all = append(all, traces.Packet{Time: at.UnixNano(), Data: frame, Wire: uint32(len(frame)), Link: traces.LinkEthernet, Interface: 1})
	}
	return all
}

// exported is what a record of NetFlow 5 tells of a flow.
type exported struct {
	source, dest         string
	sourceASN, destASN   uint16
	sourcePort, destPort int
	pdus, octets         int
}

// append appends the record of a flow that has lasted for a minute since a time of
// the router's clock, in milliseconds.
func (r exported) append(b []byte, first uint32) []byte {
	for _, a := range []string{r.source, r.dest, "0.0.0.0"} {
		b = append(b, netip.MustParseAddr(a).AsSlice()...)
	}
	b = append(b, 0, 1, 0, 2) // interfaces
	for _, v := range []uint32{uint32(r.pdus), uint32(r.octets), first, first + 59_000} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(r.sourcePort))
	b = binary.BigEndian.AppendUint16(b, uint16(r.destPort))
	protocol := byte(6)
	if r.sourcePort == r.destPort {
		protocol = 17
	}
	b = append(b, 0, 0x1b, protocol, 0)
	b = binary.BigEndian.AppendUint16(b, r.sourceASN)
	b = binary.BigEndian.AppendUint16(b, r.destASN)
	return append(b, 24, 24, 0, 0)
}
