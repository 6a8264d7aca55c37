package ident

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Protocols whose transport addresses are ports, or message types.
const (
	icmp   = 1
	tcp    = 6
	udp    = 17
	icmpv6 = 58
	sctp   = 132
)

// counterparts are the types of ICMP messages that ask or answer, and those of the
// answers or questions.
var counterparts = map[uint8][]pair{
	icmp:   {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}},
	icmpv6: {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}},
}

type pair struct{ question, answer uint8 }

// counterpart returns the type of the message that answers one of this type, or that
// it answers.
func counterpart(proto, kind uint8) (uint8, bool) {
	for _, p := range counterparts[proto] {
		switch kind {
		case p.question:
			return p.answer, true
		case p.answer:
			return p.question, true
		}
	}
	return 0, false
}

// maxTuple is the most octets that tuple returns.
const maxTuple = 2 + 2*16 + 2 + 2*2

// A Community is a Community ID without its version.
type Community [sha1.Size]byte

// CommunityOf returns the Community ID of the flow with this key, false if it has none.
// It is backward if its first packet went from its dest to its source.
func CommunityOf(k *match.FlowKey, backward bool) (Community, bool) {
	var room [maxTuple]byte
	b, ok := tuple(room[:0], k, backward)
	if !ok {
		return Community{}, false
	}
	return sha1.Sum(b), true
}

// tuple appends to b what the Community ID of the flow with this key is the SHA-1 of.
func tuple(b []byte, k *match.FlowKey, backward bool) ([]byte, bool) {
	n := int(k.Shape.PeerLen)
	if !k.Shape.SavesEnds() || n != 4 && n != 16 {
		return b, false
	}
	ends := [2]int{attr.Source, attr.Dest}
	if backward {
		ends = [2]int{attr.Dest, attr.Source}
	}
	from, to := k.Key.Peer(ends[0])[:n], k.Key.Peer(ends[1])[:n]
	port, toPort := *k.Key.Trans(ends[0]), *k.Key.Trans(ends[1])
	proto := transType(k)
	ordered, ports := false, true
	switch proto {
	case icmp, icmpv6:
		// The type stands at the end that sent the message, the code at the other.
		if other, two := counterpart(proto, port[1]); two && port[0] == 0 {
			toPort = [2]byte{0, other}
		} else {
			ordered = true
		}
	case tcp, udp, sctp:
		if port == toPort && port == [2]byte{} {
			return b, false
		}
	default:
		// The decoder has no upper-layer protocol of an IPv6 datagram that is cut short.
		if ports = false; proto == 0 && n == 16 {
			return b, false
		}
	}
	if order := bytes.Compare(from, to); !ordered && (order > 0 || order == 0 && ports && bytes.Compare(port[:], toPort[:]) > 0) {
		from, to, port, toPort = to, from, toPort, port
	}
	b = append(append(append(b, 0, 0), from...), to...)
	b = append(b, proto, 0)
	if ports {
		b = append(append(b, port[:]...), toPort[:]...)
	}
	return b, true
}

// transType returns the protocol, which may be saved of either end.
func transType(k *match.FlowKey) uint8 {
	return k.Value(attr.SourceTransType)[0] | k.Value(attr.DestTransType)[0]
}

// isTuple reports whether the flow's key is the 5-tuple, or that with the types of the
// addresses, and the flow's Community ID no other flow's.
func isTuple(k *match.FlowKey) bool {
	if !k.Shape.SavesEnds() {
		return false
	}
	for i := range k.Shape.Saved {
		s := &k.Shape.Saved[i]
		switch s.Attr {
		case attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress, attr.DestTransAddress:
		case attr.SourcePeerType, attr.DestPeerType, attr.SourceTransType, attr.DestTransType:
			if s.Mask != attr.Ones(1) {
				return false
			}
		default:
			return false
		}
	}
	switch transType(k) {
	case tcp, udp, sctp:
		return true
	case icmp, icmpv6:
		return false
	}
	return *k.Key.Trans(attr.Source) == [2]byte{} && *k.Key.Trans(attr.Dest) == [2]byte{}
}

// former makes what FlowIDs are the SHA-1 of.
type former struct{ room, reverse []byte }

// form returns it for the flow with this key; it begins with a salt of 0. It is valid
// until the next call.
func (f *former) form(k *match.FlowKey) []byte {
	if isTuple(k) {
		if b, ok := tuple(f.room[:0], k, false); ok {
			f.room = b
			return b
		}
	}
	reverse := k.Reverse()
	f.room, f.reverse = appendKey(f.room[:0], k), appendKey(f.reverse[:0], &reverse)
	if bytes.Compare(f.reverse, f.room) < 0 {
		return f.reverse
	}
	return f.room
}

// appendKey appends a salt of 0 and the attributes of a key.
func appendKey(b []byte, k *match.FlowKey) []byte {
	b = append(b, 0, 0)
	for i := range k.Shape.Saved {
		s := &k.Shape.Saved[i]
		b = append(binary.BigEndian.AppendUint16(b, uint16(s.Attr)), uint8(s.Mask.Len()))
		b = append(s.Mask.Append(b), k.Value(s.Attr)...)
	}
	return b
}
