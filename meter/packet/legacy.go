package packet

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// ipx decodes the IPX packet at off: checksum, length, hops, packet type;
// network, node and socket of the destination; the same of the source.
func ipx(p *match.Packet, off int) {
	p.Key.SetPeerType(peerIPX)
	d := p.Data[min(off, len(p.Data)):]
	if len(d) < 30 {
		short(p, off+30)
	}
	if len(d) >= 6 {
		p.Key.SetTransType(d[5])
	}
	ipxEnd(p, attr.Dest, d, 6)
	ipxEnd(p, attr.Source, d, 18)
}

// ipxEnd sets the addresses of one end from those at d[at:].
func ipxEnd(p *match.Packet, end int, d []byte, at int) {
	if len(d) >= at+10 {
		copy(p.Key.Peer(end)[:], d[at:at+10])
		p.PeerLen = 10
	}
	if len(d) >= at+12 {
		copy(p.Key.Trans(end)[:], d[at+10:])
	}
}

// appleTalk decodes the DDP packet at off in its long form: hops and length,
// checksum, networks of destination and source, their nodes, their sockets,
// type.
func appleTalk(p *match.Packet, off int) {
	p.Key.SetPeerType(peerAppleTalk)
	if off+13 > len(p.Data) {
		short(p, off+13)
		return
	}
	d := p.Data[off:]
	for i, end := range [...]int{attr.Dest, attr.Source} {
		copy(p.Key.Peer(end)[:2], d[4+2*i:])
		p.Key.Peer(end)[2] = d[8+i]
		p.Key.Trans(end)[1] = d[10+i]
	}
	p.PeerLen = 3
	p.Key.SetTransType(d[12])
}

// decnet decodes the DECnet phase IV packet at off: a length, padding, flags,
// and addresses when it is a data packet, in the long form as the last two
// octets of a MAC address. All numbers are little-endian.
func decnet(p *match.Packet, off int) {
	p.Key.SetPeerType(peerDECnet)
	at := off + 2
	if at < len(p.Data) && p.Data[at]&0x80 != 0 {
		at += int(p.Data[at] & 0x7f)
	}
	if at >= len(p.Data) {
		short(p, at+1)
		return
	}
	dst, src := at+1, at+3
	switch p.Data[at] & 7 {
	case 2: // short form
	case 6:
		dst, src = at+7, at+15
	default:
		return // routing
	}
	if src+2 > len(p.Data) {
		short(p, src+2)
		return
	}
	decnetEnd(p, attr.Dest, dst)
	decnetEnd(p, attr.Source, src)
	p.PeerLen = 3
}

// decnetEnd sets the peer address of one end from the address at off: six bits
// of area, ten of node.
func decnetEnd(p *match.Packet, end, off int) {
	address := le16(p.Data[off:])
	copy(p.Key.Peer(end)[:], []byte{byte(address >> 10), byte(address >> 8 & 3), byte(address)})
}

// nlpidCLNP is the protocol identifier of CLNP (ISO/IEC TR 9577).
const nlpidCLNP = 0x81

// maxNSAP is the length of the longest NSAP address.
const maxNSAP = 20

// clns decodes the ISO packet at off. CLNP (ISO/IEC 8473-1 section 7) has
// nine octets, the destination's address after its length, and the source's;
// routing protocols have none.
func clns(p *match.Packet, off int) {
	if off >= len(p.Data) {
		short(p, off+1)
		return
	}
	if p.Data[off] != nlpidCLNP {
		return
	}
	p.Key.SetPeerType(peerNSAP)
	at := off + 9
	for _, end := range [...]int{attr.Dest, attr.Source} {
		if at >= len(p.Data) {
			short(p, at+1)
			return
		}
		size := int(p.Data[at])
		at++
		if size > maxNSAP {
			p.Flags |= match.Malformed
			return
		}
		if at+size > len(p.Data) {
			short(p, at+size)
			return
		}
		copy(p.Key.Peer(end)[:], p.Data[at:at+size])
		p.PeerLen = max(p.PeerLen, uint8(size))
		at += size
	}
}
