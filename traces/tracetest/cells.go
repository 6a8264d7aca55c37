package tracetest

import (
	"encoding/binary"

	"rtfm/traces"
)

// Cell returns an ATM cell without its header's check octet: the path 10, a
// channel, whether it is the last of a frame, and up to 48 octets.
func Cell(channel int, last bool, payload []byte) []byte {
	header := uint32(10)<<20 | uint32(channel)<<4
	if last {
		header |= 1 << 1
	}
	b := binary.BigEndian.AppendUint32(nil, header)
	return append(append(b, payload...), make([]byte, 48-len(payload))...)
}

// Cells returns the cells of an AAL5 frame (RFC 2684) at a channel: what was
// captured of a packet, zeros, and a trailer, whose check sequence is zero.
func Cells(channel int, p traces.Packet) (cells [][]byte) {
	frame := join(p.Data, make([]byte, int(p.Wire)-len(p.Data))...)
	frame = append(frame, make([]byte, 47-(len(frame)+7)%48)...)
	frame = append(be16(append(frame, 0, 0), int(p.Wire)), 0, 0, 0, 0)
	for ; len(frame) > 0; frame = frame[48:] {
		cells = append(cells, Cell(channel, len(frame) == 48, frame[:48]))
	}
	return cells
}
