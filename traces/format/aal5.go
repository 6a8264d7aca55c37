package format

import (
	"encoding/binary"
	"slices"

	"rtfm/traces"
)

// The layout of ATM cells (ITU-T I.361) as capture cards keep them: a header
// without its check octet, and 48 octets. From the highest bit on, the header
// has the path and the channel, 28 bits, of which the last 16 are the channel;
// three bits of payload type; one of loss priority.
const (
	cellHeader  = 4
	cellPayload = 48
)

// aal5 finds the packets in the cells of AAL5 frames (RFC 2684): the first cell
// of each frame, which has the headers of IP and most often of what IP
// carries. Later cells are passed over, so it does not matter whether all cells
// were captured or first ones only.
type aal5 struct {
	circuits map[circuit]bool // whether a frame has begun there and not ended
	changes  []cellChange     // since begin; nil if that was never called
}

// cellChange is what a circuit was before a cell came.
type cellChange struct {
	circuit       circuit
	known, within bool
}

// begin has what follows be such as again undoes.
func (a *aal5) begin() {
	if a.changes == nil {
		a.changes = make([]cellChange, 0, 16)
	}
	a.changes = a.changes[:0]
}

// again undoes what cells have changed since begin.
func (a *aal5) again() {
	for _, c := range slices.Backward(a.changes) {
		if c.known {
			a.circuits[c.circuit] = c.within
		} else {
			delete(a.circuits, c.circuit)
		}
	}
	a.changes = a.changes[:0]
}

// circuit is a virtual circuit of an interface.
type circuit struct {
	number uint32
	port   uint32
}

// maxCircuits bounds how many circuits are told apart. On others a cell is the
// first of a frame if it looks so.
const maxCircuits = 1 << 16

// packet makes p, whose Interface is set, the packet that begins in a cell. It
// returns false when none does.
func (a *aal5) packet(p *traces.Packet, cell []byte) bool {
	if len(cell) <= cellHeader {
		return false
	}
	header := binary.BigEndian.Uint32(cell)
	data := cell[cellHeader:min(len(cell), cellHeader+cellPayload)]
	channel, typ := header>>4&0xffff, header>>1&7
	switch {
	case typ >= 4, channel == 0, channel == 3, channel == 4:
		return false // maintenance (ITU-T I.610), or an idle cell
	}
	c := circuit{header >> 4, p.Interface}
	within, known := a.circuits[c]
	if known || len(a.circuits) < maxCircuits {
		if a.circuits == nil {
			a.circuits = make(map[circuit]bool)
		}
		if a.changes != nil {
			a.changes = append(a.changes, cellChange{c, known, within})
		}
		a.circuits[c] = typ&1 == 0 // type 1 is the last cell of a frame
	}
	link, sure := aal5Link(data)
	switch {
	case sure:
	case !known || within:
		return false
	}
	p.Link, p.Data = link, data
	return true
}

// aal5Link tells how a frame begins whose first octets are data: with LLC, PPP
// (RFC 2364) or IP; and whether it is sure that a frame begins there at all.
func aal5Link(data []byte) (link traces.LinkType, sure bool) {
	switch {
	case beginsSNAP(data):
		return traces.LinkATM, true
	case len(data) < cellPayload:
		return traces.LinkATM, false
	case data[0]>>4 == 4 && data[0]&15 >= 5:
		return traces.LinkIPv4, soundIPv4(data)
	case data[0]>>4 == 6:
		return traces.LinkIPv6, soundIPv6(data)
	}
	switch binary.BigEndian.Uint16(data) {
	case 0x0021:
		return traces.LinkPPPHDLC, soundIPv4(data[2:])
	case 0x0057:
		return traces.LinkPPPHDLC, soundIPv6(data[2:])
	case 0x8021, 0x8057, 0xc021, 0xc023, 0xc223: // of IP, of the link, authentication
		return traces.LinkPPPHDLC, false
	}
	return traces.LinkATM, false
}

// soundIPv4 reports whether data, of 40 octets at least, begins with an IPv4
// header that is right in itself. Its checksum may have been taken out, as it
// is where addresses were changed.
func soundIPv4(data []byte) bool {
	size, total := int(data[0]&15)*4, int(binary.BigEndian.Uint16(data[2:]))
	if data[0]>>4 != 4 || size < 20 || total < size || data[8] == 0 || data[9] == 0 {
		return false
	}
	if size > len(data) || data[10] == 0 && data[11] == 0 {
		return true
	}
	sum := uint32(0)
	for i := 0; i < size; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	return sum%0xffff == 0
}

// soundIPv6 reports whether data, of 40 octets at least, begins with an IPv6
// header with addresses that are in use, and a header that often follows.
func soundIPv6(data []byte) bool {
	inUse := func(octet byte) bool { return octet>>5 == 1 || octet >= 0xfc || octet == 0 }
	switch data[6] {
	case 0, 6, 17, 43, 44, 50, 51, 58, 60, 89, 103, 132:
		return data[0]>>4 == 6 && data[7] > 0 && inUse(data[8]) && inUse(data[24])
	}
	return false
}
