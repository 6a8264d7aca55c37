package packet

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Protocol numbers of ARCnet.
const (
	arcnetIPOld = 240 // RFC 1051
	arcnetIP    = 212 // RFC 1201
)

// arcnet decodes an ARCnet frame: addresses of source and destination, of one
// octet, as many other octets as gap, which Linux has there, and a protocol. IP
// stands after it at once (RFC 1051), or after a flag that tells of fragments
// and a number (RFC 1201 section 3).
func arcnet(p *match.Packet, off, gap int) {
	p.Key.SetAdjacentType(ifARCnet)
	typ := off + 2 + gap
	if typ >= len(p.Data) {
		short(p, typ+1)
		return
	}
	p.Key.Adjacent(attr.Source)[0] = p.Data[off]
	p.Key.Adjacent(attr.Dest)[0] = p.Data[off+1]
	p.AdjacentLen = 1
	off = typ + 1
	switch p.Data[typ] {
	case arcnetIPOld:
		ipv4(p, off)
	case arcnetIP:
		if off >= len(p.Data) {
			short(p, off+1)
			return
		}
		switch flag := p.Data[off]; {
		case flag == 0xff: // one of the sizes that do not exist: the header comes once more
			ipv4(p, off+7)
		case flag == 0, flag&1 != 0: // whole, or the first fragment
			ipv4(p, off+3)
		}
	}
}
