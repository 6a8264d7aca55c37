package tracetest

import (
	"encoding/binary"

	"rtfm/traces"
)

// legacyRecord begins a record as DAG cards wrote them before ERF: a time stamp.
func legacyRecord(p *traces.Packet) []byte {
	return binary.LittleEndian.AppendUint64(nil, erfStamp(p.Time))
}

// legacyRest returns such a record with data, cut or filled up to 64 octets.
func legacyRest(rec, data []byte) []byte {
	room := 64 - len(rec)
	data = data[:min(len(data), room)]
	return append(append(rec, data...), make([]byte, room-len(data))...)
}

// LegacyEthernet returns a legacy trace of Ethernet packets. Wire lengths get
// four octets more for the frame check sequence.
func LegacyEthernet(packets ...traces.Packet) (b []byte) {
	for i := range packets {
		p := &packets[i]
		rec := binary.LittleEndian.AppendUint16(legacyRecord(p), uint16(p.Wire+4))
		b = append(b, legacyRest(rec, p.Data)...)
	}
	return b
}

// LegacyPOS returns a legacy trace of PPP or Cisco HDLC packets.
func LegacyPOS(packets ...traces.Packet) (b []byte) {
	for i := range packets {
		p := &packets[i]
		rec := binary.BigEndian.AppendUint32(legacyRecord(p), 64)
		rec = binary.BigEndian.AppendUint32(rec, p.Wire)
		b = append(b, legacyRest(rec, p.Data)...)
	}
	return b
}

// LegacyATM returns a legacy trace of the cells of AAL5 packets, all at one
// channel: all cells of each packet, or its first one only.
func LegacyATM(all bool, packets ...traces.Packet) (b []byte) {
	for i := range packets {
		p := &packets[i]
		cells := Cells(103, *p)
		if !all {
			cells = cells[:1]
		}
		for _, cell := range cells {
			b = append(b, legacyRest(append(legacyRecord(p), 0, 0, 0, 0), cell)...)
		}
	}
	return b
}
