package format

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"rtfm/traces"
)

// The magic numbers of pcap files (draft-ietf-opsawg-pcap section 4, and the
// one of Alexey Kuznetzov's patched libpcap, whose records have longer
// headers).
const (
	pcapMicro    = 0xa1b2c3d4
	pcapNano     = 0xa1b23c4d
	pcapModified = 0xa1b2cd34
)

const (
	pcapHeader         = 24 // octets of the file header
	pcapRecord         = 16 // octets of a record header
	pcapModifiedRecord = 24 // the same, in Kuznetzov's variant
)

// The field of the link type also holds, above 16 bits, flags: bit 26 says
// that packets end with a frame check sequence, whose length in units of two
// octets is in the highest four bits. The other bits are reserved; some
// writers leave rubbish there.
const (
	pcapLinkMask = 0xffff
	pcapHasFCS   = 1 << 26
	pcapFCSShift = 28
)

// How the two lengths of a record stand. Files before version 2.3 have the
// wire length first, and writers of 2.3 were of two minds.
const (
	pcapCapturedFirst = iota
	pcapWireFirst
	pcapSmallerIsCaptured
)

// pcap reads the records of a pcap file.
type pcap struct {
	big     bool  // numbers are big-endian
	unit    int64 // nanoseconds in a unit of the time's second field
	record  int   // length of a record header
	lengths int
	frame   frame
	snap    uint32 // the most octets that are captured of a packet, as the header says
}

// isPcap reports whether head begins a pcap file.
func isPcap(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	for _, m := range [...]uint32{binary.LittleEndian.Uint32(head), binary.BigEndian.Uint32(head)} {
		if m == pcapMicro || m == pcapNano || m == pcapModified {
			return true
		}
	}
	return false
}

// openPcap reads a pcap file's header.
func openPcap(in *input) (format, error) {
	head, err := in.header("pcap", pcapHeader)
	if err != nil {
		return nil, err
	}
	p := &pcap{unit: 1000, record: pcapRecord}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == pcapMicro>>24 {
		order, p.big = binary.BigEndian, true
	}
	switch order.Uint32(head) {
	case pcapNano:
		p.unit = 1
	case pcapModified:
		p.record = pcapModifiedRecord
	}
	major, minor := order.Uint16(head[4:]), order.Uint16(head[6:])
	switch {
	case major == 2 && minor < 3, major == 543: // 543.0 was written by DG/UX's tcpdump
		p.lengths = pcapWireFirst
	case major == 2 && minor == 3:
		p.lengths = pcapSmallerIsCaptured
	case major != 2:
		return nil, fmt.Errorf("version %d.%d: %w", major, minor, ErrFormat)
	}
	p.snap = order.Uint32(head[16:])
	link := order.Uint32(head[20:])
	var fcs uint8
	if link&pcapHasFCS != 0 {
		fcs = uint8(2 * (link >> pcapFCSShift))
	}
	p.frame = newFrame(traces.LinkType(link&pcapLinkMask), fcs)
	return p, nil
}

func (p *pcap) name() string { return "pcap" }

func (*pcap) again() {} // the state is that of the header

func (p *pcap) tell(d *traces.Description) {
	d.Detail = byteOrderName(p.big)
	if p.record == pcapModifiedRecord {
		d.Detail = "modified, " + d.Detail
	}
	unit := "1 µs"
	if p.unit == 1 {
		unit = "1 ns"
	}
	d.Interfaces = []traces.Interface{{Number: 1, Link: p.frame.link, Snap: p.snap, Unit: unit}}
}

// scan implements format.
func (p *pcap) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	n, pos, cut := 0, 0, 0
	plain := p.frame.plain()
	free := b.Packets[len(b.Packets):cap(b.Packets)]
	for n < len(free) {
		rest := win[pos:]
		if len(rest) < p.record {
			need = p.record
			break
		}
		sec := binary.LittleEndian.Uint32(rest)
		frac := binary.LittleEndian.Uint32(rest[4:])
		captured := binary.LittleEndian.Uint32(rest[8:])
		wire := binary.LittleEndian.Uint32(rest[12:])
		if p.big {
			sec, frac = bits.ReverseBytes32(sec), bits.ReverseBytes32(frac)
			captured, wire = bits.ReverseBytes32(captured), bits.ReverseBytes32(wire)
		}
		if p.lengths == pcapWireFirst || p.lengths == pcapSmallerIsCaptured && captured > wire {
			captured, wire = wire, captured
		}
		if captured > p.frame.limit {
			err = corrupt("captured length %d is more than %d", captured, p.frame.limit)
			break
		}
		end := p.record + int(captured)
		if len(rest) < end {
			need = end
			break
		}
		k := &free[n]
		k.Time = int64(sec)*1e9 + int64(frac)*p.unit
		k.Data = rest[p.record:end:end]
		k.Wire = wire
		k.FCS = 0
		k.Link = p.frame.link
		k.Interface = 1
		if captured < wire {
			cut++
		}
		if !plain {
			p.frame.strip(k)
		}
		n++
		pos += end
	}
	b.Packets = b.Packets[:len(b.Packets)+n]
	st.Records += uint64(n)
	st.Cut += uint64(cut)
	return pos, need, err
}
