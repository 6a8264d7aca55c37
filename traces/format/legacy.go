package format

import (
	"encoding/binary"

	"rtfm/traces"
)

// The layout of the records of DAG cards before ERF: 64 octets, whatever was
// captured, of which the first eight are a time stamp as in ERF. Then come
//
//	Ethernet   the wire length with its check sequence, 2 octets, little-endian
//	PoS        the record's length, 4 octets, and the wire length, 4, big-endian
//	ATM        a check sequence over what came before, 4 octets, not used here
//
// and the packet, or the ATM cell without the check octet of its header.
const (
	legacyRecord   = 64
	legacyEthernet = 10
	legacyPOS      = 16
	legacyATM      = 12
	legacyStamp    = 8
)

// cellOctets are what an ATM cell takes on the wire.
const cellOctets = 53

// legacy reads the records of one of these formats.
type legacy struct {
	format string
	// packet makes p the packet of a record. It returns false when there is
	// none.
	packet func(p *traces.Packet, rec []byte) (bool, error)
}

func openLegacyEthernet(*input) (format, error) {
	return &legacy{"legacy-ethernet", legacyEthernetPacket}, nil
}

func openLegacyPOS(*input) (format, error) {
	return &legacy{"legacy-pos", legacyPOSPacket}, nil
}

func openLegacyATM(*input) (format, error) {
	var cells aal5
	return &legacy{"legacy-atm", func(p *traces.Packet, rec []byte) (bool, error) {
		p.Wire = cellOctets
		return cells.packet(p, rec[legacyATM:]), nil
	}}, nil
}

func (l *legacy) name() string { return l.format }

// scan implements format.
func (l *legacy) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	for len(b.Packets) < cap(b.Packets) {
		rest := win[used:]
		if len(rest) < legacyRecord {
			return used, legacyRecord, nil
		}
		n := len(b.Packets)
		b.Packets = b.Packets[:n+1]
		p := &b.Packets[n]
		*p = traces.Packet{Time: erfTime(binary.LittleEndian.Uint64(rest)), Interface: 1}
		is, err := l.packet(p, rest[:legacyRecord:legacyRecord])
		switch {
		case err != nil:
			b.Packets = b.Packets[:n]
			return used, 0, err
		case !is:
			b.Packets = b.Packets[:n]
			st.Skipped++
		case len(p.Data) < int(p.Wire):
			st.Cut++
		}
		st.Records++
		used += legacyRecord
	}
	return used, 0, nil
}

func legacyEthernetPacket(p *traces.Packet, rec []byte) (bool, error) {
	wire := uint32(binary.LittleEndian.Uint16(rec[legacyStamp:]))
	if wire == 0 {
		return false, corrupt("wire length 0")
	}
	p.Link = traces.LinkEthernet
	p.FCS = uint8(min(4, wire))
	p.Wire = wire - uint32(p.FCS)
	data := rec[legacyEthernet:]
	p.Data = data[:min(len(data), int(p.Wire))]
	return true, nil
}

func legacyPOSPacket(p *traces.Packet, rec []byte) (bool, error) {
	size, wire := binary.BigEndian.Uint32(rec[legacyStamp:]), binary.BigEndian.Uint32(rec[legacyStamp+4:])
	switch {
	case size != legacyRecord:
		return false, corrupt("record length %d, want %d", size, legacyRecord)
	case wire == 0 || wire > maxCaptured:
		return false, corrupt("wire length %d", wire)
	}
	data := rec[legacyPOS:]
	p.Wire = wire
	p.Data = data[:min(len(data), int(wire))]
	p.Link = hdlcLink(p.Data)
	return true, nil
}

// legacyTimes reports whether the times of the first records that head holds may
// be those of a legacy format.
func legacyTimes(head []byte) bool {
	if len(head) < sure*legacyRecord {
		return false
	}
	before := int64(binary.LittleEndian.Uint32(head[4:]))
	for n := 1; n < sure; n++ {
		sec := int64(binary.LittleEndian.Uint32(head[n*legacyRecord+4:]))
		if !follows(sec, before) {
			return false
		}
		before = sec
	}
	return true
}

// isLegacyEthernet reports whether head looks like the beginning of a legacy
// Ethernet trace: lengths that frames have, and types that are in use.
func isLegacyEthernet(head []byte) bool {
	if !legacyTimes(head) {
		return false
	}
	for n := range sure {
		rec := head[n*legacyRecord : (n+1)*legacyRecord]
		if wire := binary.LittleEndian.Uint16(rec[legacyStamp:]); wire < 18 || wire > 9600 {
			return false
		}
		if !beginsEthernet(rec[legacyEthernet:]) {
			return false
		}
	}
	return true
}

// beginsEthernet reports whether data, of 15 octets at least, looks like an
// Ethernet frame of the kinds that are usual.
func beginsEthernet(data []byte) bool {
	switch typ := binary.BigEndian.Uint16(data[12:]); typ {
	case 0x0800:
		return data[14]>>4 == 4
	case 0x86dd:
		return data[14]>>4 == 6
	case 0x0806, 0x8035, 0x8100, 0x88a8, 0x8137, 0x8847, 0x8848, 0x8863, 0x8864, 0x8808, 0x8809, 0x888e, 0x88cc:
		return true
	default:
		return typ > 2 && typ <= 1500 && (data[14] == 0xaa || data[14] == 0x42 || data[14] == 0xe0 || data[14] == 0xf0 || data[14] == 0xfe || data[14] == 0xff)
	}
}

// isLegacyPOS reports whether head looks like the beginning of a legacy PoS
// trace: all records tell that they have 64 octets.
func isLegacyPOS(head []byte) bool {
	if !legacyTimes(head) {
		return false
	}
	for n := range sure {
		var p traces.Packet
		if _, err := legacyPOSPacket(&p, head[n*legacyRecord:(n+1)*legacyRecord]); err != nil {
			return false
		}
	}
	return true
}

// isLegacyATM reports whether head looks like the beginning of a legacy ATM
// trace: at least one of its first cells begins a packet, and none is idle.
func isLegacyATM(head []byte) bool {
	if !legacyTimes(head) {
		return false
	}
	begin := false
	for n := range sure {
		cell := head[n*legacyRecord+legacyATM : (n+1)*legacyRecord]
		_, sure := aal5Link(cell[cellHeader:])
		begin = begin || sure
		if binary.BigEndian.Uint32(cell)>>4&0xffff == 0 {
			return false
		}
	}
	return begin
}
