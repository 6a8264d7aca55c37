package ident

import (
	"crypto/sha1"
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Tuples tells the FlowIDs of packets' flows, where flows are what the 5-tuple tells apart:
// peer addresses, protocol, and transport addresses. Salt, which a meter would give one of
// two flows that share a FlowID, is left out. The zero value is ready for use.
type Tuples struct {
	shapes match.Shapes
	known  [attr.MaxAddress + 1]*match.Shape // by the length of peer addresses
	former former
}

// FlowID returns the FlowID of a packet's flow, the same in both directions. It takes no
// memory once there were packets with addresses of the same length.
func (x *Tuples) FlowID(p *match.Packet) uint64 {
	n := min(int(p.PeerLen), attr.MaxAddress)
	if x.known[n] == nil {
		x.known[n] = x.shape(uint8(n))
	}
	k := match.FlowKey{Shape: x.known[n], Key: p.Key}
	sum := sha1.Sum(x.former.form(&k))
	return binary.BigEndian.Uint64(sum[:])
}

// shape returns that of flows with peer addresses of a length.
func (x *Tuples) shape(peerLen uint8) *match.Shape {
	var saved []match.Saved
	for _, a := range []attr.Attr{
		attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress,
	} {
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(attr.MaxAddress)})
	}
	return x.shapes.Intern(1, peerLen, 0, saved)
}
