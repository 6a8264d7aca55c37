package format

import (
	"encoding/binary"
	"fmt"

	"rtfm/traces"
)

// The layout of snoop files (RFC 1761): a header of a magic number, a version
// and a datalink type, and records of 24 octets, a packet and padding. All
// numbers are big-endian.
const (
	snoopMagic   = "snoop\x00\x00\x00"
	snoopVersion = 2
	snoopHeader  = 16
	snoopRecord  = 24
	snoopMaxPad  = 256 // far more than any writer has between packets
)

// snoopLinks are the datalink types of RFC 1761 section 4, and of Solaris, with
// how their packets begin where that is known.
var snoopLinks = map[uint32]traces.LinkType{
	0:         traces.LinkEthernet, // IEEE 802.3
	2:         traces.LinkTokenRing,
	4:         traces.LinkEthernet,
	5:         traces.LinkPPPHDLC, // HDLC of any kind
	8:         traces.LinkFDDI,
	9:         traces.LinkNull, // other
	14:        traces.LinkNull, // software loopback
	18:        traces.LinkSunATM,
	1<<31 | 5: traces.LinkIPNET,
}

// snoop reads the records of a snoop file.
type snoop struct {
	frame frame
	drops uint32 // packets that were lost since the capture began, until the last record
}

func isSnoop(head []byte) bool {
	return len(head) >= len(snoopMagic) && string(head[:len(snoopMagic)]) == snoopMagic
}

// openSnoop reads a snoop file's header.
func openSnoop(in *input) (format, error) {
	head, err := in.header("snoop", snoopHeader)
	if err != nil {
		return nil, err
	}
	if v := binary.BigEndian.Uint32(head[8:]); v != snoopVersion {
		return nil, fmt.Errorf("snoop version %d: %w", v, ErrFormat)
	}
	datalink := binary.BigEndian.Uint32(head[12:])
	link, known := snoopLinks[datalink]
	if !known {
		return nil, fmt.Errorf("snoop datalink type %d: %w", datalink, ErrFormat)
	}
	return &snoop{frame: newFrame(link, 0)}, nil
}

func (s *snoop) name() string { return "snoop" }

func (s *snoop) tell(d *traces.Description) {
	d.Interfaces = []traces.Interface{{Number: 1, Link: s.frame.link, Unit: "1 µs"}}
}

// scan implements format.
func (s *snoop) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	for len(b.Packets) < cap(b.Packets) {
		rest := win[used:]
		if len(rest) < snoopRecord {
			return used, snoopRecord, nil
		}
		e := binary.BigEndian
		wire, captured, size := e.Uint32(rest), e.Uint32(rest[4:]), e.Uint32(rest[8:])
		switch {
		case captured > s.frame.limit:
			return used, 0, corrupt("captured length %d is more than %d", captured, s.frame.limit)
		case size < snoopRecord+captured:
			return used, 0, corrupt("record length %d is less than %d and the captured length, %d", size, snoopRecord, captured)
		case size > snoopRecord+captured+snoopMaxPad:
			return used, 0, corrupt("record length %d is far more than %d and the captured length, %d", size, snoopRecord, captured)
		case len(rest) < int(size):
			return used, int(size), nil
		}
		p := traces.Packet{
			Time: int64(e.Uint32(rest[16:]))*1e9 + int64(e.Uint32(rest[20:]))*1000,
			Data: rest[snoopRecord : snoopRecord+captured : snoopRecord+captured],
			Wire: wire, Link: s.frame.link, Interface: 1,
		}
		if p.Link == traces.LinkPPPHDLC {
			p.Link = hdlcLink(p.Data)
		}
		if captured < wire {
			st.Cut++
		}
		if !s.frame.plain() {
			s.frame.strip(&p)
		}
		// The counter starts over when two captures are joined.
		drops := e.Uint32(rest[12:])
		if drops > s.drops {
			st.Lose(1, uint64(drops-s.drops))
		}
		s.drops = drops
		b.Packets = append(b.Packets, p)
		st.Records++
		used += int(size)
	}
	return used, 0, nil
}
