package traces

import "encoding/binary"

// What makes packets alike.
const (
	sameOctets = 70 // of the packet
	sameKeyLen = 8 + sameOctets

	routedOctets = 64 // of IP's payload
	routedTCP    = 16 // of TCP's header: ports, sequence numbers, flags, window
	routedKeyLen = 8 + 2*16 + routedOctets
	routedLooks  = 8 // packets alike that one may be a copy of

	mostTags = 4 // VLAN tags that are passed over
)

// appendSameKey appends what makes packets alike that are the same.
func appendSameKey(key []byte, p *Packet) []byte {
	key = binary.LittleEndian.AppendUint32(key, p.Wire)
	key = binary.LittleEndian.AppendUint32(key, uint32(p.Link))
	return append(key, p.Data[:min(len(p.Data), sameOctets)]...)
}

// appendRoutedKey appends what makes packets alike that a router passes on, and
// sets what of r it changes. Nothing is appended if r cannot be such a packet.
func (r *remembered) appendRoutedKey(key []byte, p *Packet) []byte {
	r.canRoute = false
	if p.Link != LinkEthernet || len(p.Data) < 14 {
		return key
	}
	copy(r.stations[:], p.Data)
	ether, data := binary.BigEndian.Uint16(p.Data[12:]), p.Data[14:]
	for tags := 0; (ether == 0x8100 || ether == 0x88a8) && tags < mostTags && len(data) >= 4; tags++ {
		ether, data = binary.BigEndian.Uint16(data[2:]), data[4:]
	}
	var protocol uint8
	var payload []byte // as far as captured
	var length int     // of it all
	switch {
	case ether == 0x0800 && len(data) >= 20 && data[0]>>4 == 4 && data[0]&15 >= 5:
		header := int(data[0]&15) * 4
		length = int(binary.BigEndian.Uint16(data[2:])) - header
		if length < 0 || len(data) < header {
			return key
		}
		protocol, r.hopLimit, payload = data[9], data[8], data[header:]
		key = append(key, 4, protocol, byte(length>>8), byte(length))
		key = append(key, data[4:8]...) // identification and fragment offset
		key = append(key, data[12:20]...)
		if binary.BigEndian.Uint16(data[6:])&0x1fff != 0 {
			protocol = 0 // a later fragment has no header of TCP
		}
	case ether == 0x86dd && len(data) >= 40 && data[0]>>4 == 6:
		length = int(binary.BigEndian.Uint16(data[4:]))
		protocol, r.hopLimit, payload = data[6], data[7], data[40:]
		key = append(key, 6, protocol, byte(length>>8), byte(length))
		key = append(key, data[8:40]...)
	default:
		return key
	}
	n := min(length, routedOctets)
	if protocol == 6 && length >= routedTCP {
		n = routedTCP
	}
	if len(payload) < min(n, routedTCP) {
		return key[:0] // too little to tell one from another
	}
	r.canRoute = true
	return append(key, payload[:min(n, len(payload))]...)
}
