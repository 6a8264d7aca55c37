package format

import (
	"encoding/binary"
	"fmt"
	"math"

	"rtfm/traces"
)

// hpcapRecorder writes RAW files of HPCAP, little-endian. A trace longer than
// such a file is several, one after the other, each of 2 GiB with its padding.
type hpcapRecorder struct {
	size    int64 // octets of a file
	used    int64 // octets of the file so far
	moved   bool  // a packet was not of interface 1
	later   uint64
	clipped uint64
	missing uint64 // packets that were lost
}

// hpcapMost is the most octets of a packet that are written. Padding, whose
// length has 16 bits, takes the place of a packet that does not fit into a file
// any more, and of eleven octets.
const hpcapMost = math.MaxUint16 - hpcapHeader + 1

// hpcapBlock is what the last file's length is a multiple of: pages, as they
// are read and written past caches.
const hpcapBlock = 4096

func (f *hpcapRecorder) name() string { return "hpcap" }

func (f *hpcapRecorder) record(b []byte, p *traces.Packet) ([]byte, error) {
	sec, nsec := p.Time/1e9, p.Time%1e9
	switch {
	case p.Link != traces.LinkEthernet:
		return b, unfit("link type %v, where RAW files have no other than %v", p.Link, traces.LinkEthernet)
	case sec > math.MaxUint32:
		return b, unfit("its time is beyond the year 2106")
	case p.Time == 0:
		nsec = 1
		f.later++
	}
	f.moved = f.moved || p.Interface != 1
	wire := min(p.Wire, math.MaxUint16)
	data := p.Data[:min(len(p.Data), int(wire), hpcapMost)]
	if wire < p.Wire || len(data) < min(len(p.Data), int(p.Wire)) {
		f.clipped++
	}
	if f.used+int64(len(data))+2*hpcapHeader > f.size {
		b = f.pad(b, int(f.size-f.used-hpcapHeader))
		f.used = 0
	}
	f.used += int64(hpcapHeader + len(data))
	b = hpcapAppend(b, uint32(sec), uint32(nsec), len(data), int(wire))
	return append(b, data...), nil
}

// hpcapAppend appends a record's header to b.
func hpcapAppend(b []byte, sec, nsec uint32, captured, wire int) []byte {
	b = binary.LittleEndian.AppendUint32(b, sec)
	b = binary.LittleEndian.AppendUint32(b, nsec)
	b = binary.LittleEndian.AppendUint16(b, uint16(captured))
	return binary.LittleEndian.AppendUint16(b, uint16(wire))
}

// pad appends padding of n octets after its header.
func (f *hpcapRecorder) pad(b []byte, n int) []byte {
	return append(hpcapAppend(b, 0, 0, n, n), make([]byte, n)...)
}

func (f *hpcapRecorder) finish(b []byte) []byte {
	return f.pad(b, int(-(f.used+hpcapHeader)&(hpcapBlock-1)))
}

func (f *hpcapRecorder) lost(_ uint32, n uint64) { f.missing += n }

func (f *hpcapRecorder) notes() (n []string) {
	if f.moved {
		n = append(n, "RAW files do not tell interfaces apart: all packets are of interface 1 now")
	}
	if f.later > 0 {
		n = append(n, fmt.Sprintf("RAW files have padding at the time 0: %d packets of that time are a nanosecond later now", f.later))
	}
	if f.clipped > 0 {
		n = append(n, fmt.Sprintf("RAW files have packets of %d octets, %d of them captured, at most: %d packets were cut to that", math.MaxUint16, hpcapMost, f.clipped))
	}
	if f.missing > 0 {
		n = append(n, fmt.Sprintf("RAW files do not tell losses: %d packets were lost", f.missing))
	}
	return n
}
