package format

import (
	"encoding/binary"
	"fmt"
	"math"

	"rtfm/traces"
)

// pcapRecorder writes a pcap file, little-endian and with nanoseconds.
type pcapRecorder struct {
	snap    uint32 // 0 is all, or what the trace before said
	begun   bool
	frame   frame
	moved   bool   // a packet was not of interface 1
	missing uint64 // packets that were lost
}

func (p *pcapRecorder) name() string { return "pcap" }

// begin appends the file's header to b.
func (p *pcapRecorder) begin(b []byte, link traces.LinkType) []byte {
	p.begun, p.frame = true, newFrame(link, 0)
	snap := p.snap
	if snap == 0 {
		snap = p.frame.limit
	}
	b = binary.LittleEndian.AppendUint32(b, pcapNano)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	for _, v := range [...]uint32{0, 0, snap, uint32(link)} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// describe takes over the snap length, if all interfaces have one.
func (p *pcapRecorder) describe(b []byte, interfaces []traces.Interface) []byte {
	snap := uint32(0)
	for i := range interfaces {
		if interfaces[i].Snap == 0 {
			return b
		}
		snap = max(snap, interfaces[i].Snap)
	}
	if p.snap == 0 || snap != 0 && snap < p.snap {
		p.snap = snap
	}
	return b
}

func (p *pcapRecorder) record(b []byte, k *traces.Packet) ([]byte, error) {
	if !p.begun {
		b = p.begin(b, k.Link)
	}
	switch {
	case k.Link != p.frame.link:
		return b, unfit("link type %v, where all before are %v; pcapng holds several", k.Link, p.frame.link)
	case k.Time/1e9 > math.MaxUint32:
		return b, unfit("its time is beyond the year 2106")
	}
	p.moved = p.moved || k.Interface != 1
	for _, v := range [...]uint32{uint32(k.Time / 1e9), uint32(k.Time % 1e9), uint32(len(k.Data)), k.Wire + p.frame.extra} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, k.Data...), nil
}

func (p *pcapRecorder) finish(b []byte) []byte {
	if !p.begun {
		b = p.begin(b, traces.LinkEthernet)
	}
	return b
}

func (p *pcapRecorder) lost(_ uint32, n uint64) { p.missing += n }

func (p *pcapRecorder) notes() (n []string) {
	if p.moved {
		n = append(n, "pcap does not tell interfaces apart: all packets are of interface 1 now")
	}
	if p.missing > 0 {
		n = append(n, fmt.Sprintf("pcap does not tell losses: %d packets were lost", p.missing))
	}
	return n
}
