package format

import (
	"encoding/binary"
	"math"

	"rtfm/traces"
)

// The types of records that are written, and the flag that records are as long
// as what was captured.
const (
	erfTypeHDLC = 1
	erfTypeEth  = 2
	erfTypeAAL5 = 4
	erfTypeIB   = 21
	erfTypeIPv4 = 22
	erfTypeIPv6 = 23
	erfVarying  = 0x04
)

// erfRecorder writes an ERF file. Its records are not filled up to multiples of
// eight octets, since nothing would tell the filling from captured octets.
type erfRecorder struct {
	missing uint64 // packets that were lost and no record has told of
}

func (e *erfRecorder) name() string { return "erf" }

func (e *erfRecorder) record(b []byte, p *traces.Packet) ([]byte, error) {
	port := max(p.Interface, 1) - 1
	switch {
	case port > 7:
		return b, unfit("interface %d of 8", p.Interface)
	case p.Time/1e9 > math.MaxUint32:
		return b, unfit("its time is beyond the year 2106")
	}
	if p.Link == traces.LinkERF {
		return e.verbatim(b, p)
	}
	kind, err := erfType(p)
	if err != nil {
		return b, err
	}
	data := p.Data[:min(len(p.Data), int(p.Wire))]
	wire := uint64(p.Wire) // with its check sequence it may be more than 32 bits hold
	front := 0             // octets of zero before the packet
	switch kind {
	case erfTypeEth:
		wire += 4 // frame check sequence
		front = 2
	case erfTypeAAL5:
		front = 4 // the ATM header
	}
	size := erfHeader + front + len(data)
	if wire > math.MaxUint16 || size > math.MaxUint16 {
		return b, unfit("%d octets, of which %d were captured; 65535 with all headers are the most", p.Wire, len(data))
	}
	b = binary.LittleEndian.AppendUint64(b, erfStamp(p.Time))
	b = append(b, kind, erfVarying|erfPortFlags(port))
	for _, v := range [...]uint16{uint16(size), e.counter(), uint16(wire)} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	b = append(b, make([]byte, front)...)
	return append(b, data...), nil
}

// verbatim appends a packet that is a whole record, maybe cut. It must be the
// record of that packet still.
func (e *erfRecorder) verbatim(b []byte, p *traces.Packet) ([]byte, error) {
	from := len(b)
	b = append(b, p.Data...)
	rec := b[from:]
	var again traces.Packet
	if len(rec) >= erfHeader && len(rec) <= int(binary.BigEndian.Uint16(rec[10:])) {
		binary.BigEndian.PutUint16(rec[10:], uint16(len(rec)))
		k := erfKindOf(rec[8])
		if body, err := erfBody(rec, k); err == nil && k.link != erfNone {
			var st traces.Stats
			new(erf).packet(&again, rec, body, k, &st)
			e.missing -= min(e.missing, st.Lost) // the record tells of them
		}
	}
	if again.Link != traces.LinkERF || again.Time != p.Time || again.Wire != p.Wire || again.Interface != p.Interface {
		return b[:from], unfit("an ERF record that does not hold the packet by itself")
	}
	return b, nil
}

// erfType returns the type of the record that holds p.
func erfType(p *traces.Packet) (byte, error) {
	switch link := p.Link; {
	case link == traces.LinkEthernet:
		return erfTypeEth, nil
	case link == traces.LinkPPPHDLC, link == traces.LinkCiscoHDLC, link == traces.LinkFrameRelay:
		if hdlcLink(p.Data[:min(len(p.Data), int(p.Wire))]) == link { // no more is written
			return erfTypeHDLC, nil
		}
		return 0, unfit("a frame that begins with % x, which would not be taken for %v", p.Data[:min(len(p.Data), 4)], link)
	case link == traces.LinkATM:
		if len(p.Data)+4 <= int(p.Wire) {
			if again, _ := aal5Link(p.Data); again != link {
				return 0, unfit("a frame that begins with % x, which would not be taken for %v", p.Data[:4], link)
			}
			return erfTypeAAL5, nil
		}
		return 0, unfit("link type %v, captured whole: ERF counts 4 octets more", link)
	case link == traces.LinkInfiniBand:
		return erfTypeIB, nil
	case link == traces.LinkIPv4:
		return erfTypeIPv4, nil
	case link == traces.LinkIPv6:
		return erfTypeIPv6, nil
	case link == traces.LinkRaw && len(p.Data) > 0 && p.Data[0]>>4 == 4:
		return erfTypeIPv4, nil
	case link == traces.LinkRaw && len(p.Data) > 0 && p.Data[0]>>4 == 6:
		return erfTypeIPv6, nil
	}
	return 0, unfit("link type %v has no ERF record", p.Link)
}

// counter returns the number of losses that the next record tells.
func (e *erfRecorder) counter() uint16 {
	n := min(e.missing, math.MaxUint16)
	e.missing -= n
	return uint16(n)
}

// erfStamp returns a time in nanoseconds as ERF has it; erfTime of it is the
// same time.
func erfStamp(ns int64) uint64 {
	return uint64(ns/1e9)<<32 | (uint64(ns%1e9)<<32+5e8)/1e9
}

// erfPortFlags returns the flags that tell a port, 0 to 7.
func erfPortFlags(port uint32) byte {
	return byte(port)&erfPort | byte(port>>2)*erfPortHigh
}

func (e *erfRecorder) finish(b []byte) []byte { return b }

func (e *erfRecorder) lost(_ uint32, n uint64) { e.missing += n }

func (e *erfRecorder) notes() (n []string) {
	if e.missing > 0 {
		n = append(n, "the last losses have no record to tell them")
	}
	return n
}
