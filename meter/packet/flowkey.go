package packet

import (
	"bytes"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// MaxFlowKey is the most octets that AppendFlowKey appends.
const MaxFlowKey = 2 + 2*flowEnd

// flowEnd is the most octets of an end: both of its addresses.
const flowEnd = attr.MaxAddress + 2

// AppendFlowKey appends what the packets of a flow have in common, for those who look
// packets up by it: PeerType, SourceTransType, and of either end the peer address, as
// long as it is, and the transport address. The lesser end is first, so it is the same
// for both directions. Packets without peer addresses have a key without them.
func AppendFlowKey(b []byte, p *match.Packet) []byte {
	n := int(p.PeerLen)
	var ends [2][flowEnd]byte
	for e := range ends {
		copy(ends[e][:], p.Key.Peer(e)[:n])
		copy(ends[e][n:], p.Key.Trans(e)[:])
	}
	first := 0
	if bytes.Compare(ends[0][:n+2], ends[1][:n+2]) > 0 {
		first = 1
	}
	b = append(b, p.Key.PeerType(), p.Key.TransType())
	b = append(b, ends[first][:n+2]...)
	return append(b, ends[1-first][:n+2]...)
}
