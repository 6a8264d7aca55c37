package attr

import (
	"encoding/binary"
	"math/bits"

	"rtfm/ruleset/keyhash"
)

// KeySize is the length of a match key in octets.
const KeySize = 224

// Places of values in a match key: two ends of five 8-octet words each, then
// what has no direction. Every value stands left-aligned in zeros, so that a
// test of any width is a masked comparison of whole words.
const (
	offPeer         = 0  // 20
	offASN          = 20 // 4
	offAdjacent     = 24 // 8
	offTrans        = 32 // 2
	offPeerType     = 34
	offTransType    = 35
	offInterface    = 36 // 2
	offAdjacentType = 38
	endSize         = 40

	offMatching    = 80
	offDSCodePoint = 81
	offVLANid      = 82 // 2
	offPriority    = 84
	offECN         = 85
	offDuplicate   = 86
	offHopLimit    = 87
	offComputed    = 88  // 6: Source-, Dest-, FlowClass, Source-, Dest-, FlowKind
	offSubscriber  = 96  // 20 for the source, 20 for the dest: only rules set these
	offSession     = 136 // 10
	offMeterID     = 146 // 4
	offPrefix      = 150 // 1 for the source, 1 for the dest

	offTunnelID    = 160 // 4
	offTunnelKind  = 164
	offVLANTags    = 165
	offInnerVLANid = 166 // 2
	offMPLS        = 168 // 4 for the top label, 4 for the bottom one
	offInner       = 176 // the ends of the packet that a tunnel carries
)

// Places within an end of the packet that a tunnel carries. The address stands last,
// so that the eight octets from where any value begins are octets of the key.
const (
	innerTrans     = 0 // 2
	innerPeerType  = 2
	innerTransType = 3
	innerPeer      = 8 // 16
)

// InnerEndSize is what EndSize is for attributes of the packet that a tunnel carries.
const InnerEndSize = 24

// InnerEnds is where the ends of that packet stand.
const InnerEnds = offInner

// CommonWords returns where the words begin that have values of packets which no end has.
func CommonWords() [3]int { return [...]int{offMatching, offTunnelID, offMPLS} }

// MaxInnerPeer is the length in octets of the longest peer address of such a packet.
const MaxInnerPeer = 16

// Sizes of the identifiers that only rules can give a flow (RFC 2720).
const (
	subscriberSize = 20
	sessionSize    = 10
)

// MaxAdjacent is the length of the longest adjacent address in octets.
const MaxAdjacent = 8

// Ends of a packet.
const (
	Source = 0
	Dest   = 1
)

// Key is a packet's match key: its attribute values side by side, those of
// the source end first. Attributes that the packet does not have are zero.
type Key [KeySize]byte

// EndSize is the distance in octets from a Source attribute's value to that of
// the Dest attribute of the same kind.
const EndSize = endSize

// Peer returns the room for the peer address of one end.
func (k *Key) Peer(end int) *[MaxAddress]byte {
	return (*[MaxAddress]byte)(k[end*endSize+offPeer:])
}

// Adjacent returns the room for the adjacent address of one end.
func (k *Key) Adjacent(end int) *[MaxAdjacent]byte {
	return (*[MaxAdjacent]byte)(k[end*endSize+offAdjacent:])
}

// Trans returns the transport address of one end, for IP a port number in
// network order.
func (k *Key) Trans(end int) *[2]byte { return (*[2]byte)(k[end*endSize+offTrans:]) }

// SetPeerType sets the peer type, an address family number, of both ends.
func (k *Key) SetPeerType(t uint8) {
	k[offPeerType], k[endSize+offPeerType] = t, t
}

// PeerType returns the peer type of the source end.
func (k *Key) PeerType() uint8 { return k[offPeerType] }

// SetTransType sets the transport type, for IP a protocol number, of both ends.
func (k *Key) SetTransType(t uint8) {
	k[offTransType], k[endSize+offTransType] = t, t
}

// TransType returns the transport type of the source end.
func (k *Key) TransType() uint8 { return k[offTransType] }

// SetAdjacentType sets the adjacent type, an ifType number, of both ends.
func (k *Key) SetAdjacentType(t uint8) {
	k[offAdjacentType], k[endSize+offAdjacentType] = t, t
}

// End is one end of a packet, in words whose lowest octets stand first in the
// key: a peer address of up to 16 octets, an adjacent address, and the
// transport address in network order with the types as Types packs them.
type End struct {
	Peer            [2]uint64
	Adjacent, Trans uint64
}

// Types returns where in End.Trans these types stand.
func Types(peer, trans, adjacent uint8) uint64 {
	return uint64(peer)<<(8*(offPeerType-offTrans)) | uint64(trans)<<(8*(offTransType-offTrans)) |
		uint64(adjacent)<<(8*(offAdjacentType-offTrans))
}

// PeerType and TransType return the types in e.Trans, Port the transport
// address there as a number.
func (e *End) PeerType() uint8  { return uint8(e.Trans >> (8 * (offPeerType - offTrans))) }
func (e *End) TransType() uint8 { return uint8(e.Trans >> (8 * (offTransType - offTrans))) }
func (e *End) Port() uint16     { return bits.ReverseBytes16(uint16(e.Trans)) }

// InterfaceNumber returns where in End.Trans this interface number stands.
func InterfaceNumber(ifIndex uint16) uint64 {
	return uint64(bits.ReverseBytes16(ifIndex)) << (8 * (offInterface - offTrans))
}

// SetEnds sets both ends of a key, and all else to zero.
func (k *Key) SetEnds(source, dest *End) {
	const rest = offPeer + 16 // of an end: the end of an address, and the ASN
	clear(k[2*endSize:])
	clear(k[rest:offAdjacent])
	clear(k[endSize+rest : endSize+offAdjacent])
	binary.LittleEndian.PutUint64(k[offPeer:], source.Peer[0])
	binary.LittleEndian.PutUint64(k[offPeer+8:], source.Peer[1])
	binary.LittleEndian.PutUint64(k[offAdjacent:], source.Adjacent)
	binary.LittleEndian.PutUint64(k[offTrans:], source.Trans)
	binary.LittleEndian.PutUint64(k[endSize+offPeer:], dest.Peer[0])
	binary.LittleEndian.PutUint64(k[endSize+offPeer+8:], dest.Peer[1])
	binary.LittleEndian.PutUint64(k[endSize+offAdjacent:], dest.Adjacent)
	binary.LittleEndian.PutUint64(k[endSize+offTrans:], dest.Trans)
}

// Ends sets source and dest to the two ends of a key whose addresses fit into
// an End.
func (k *Key) Ends(source, dest *End) {
	source.Peer[0], source.Peer[1] = binary.LittleEndian.Uint64(k[offPeer:]), binary.LittleEndian.Uint64(k[offPeer+8:])
	dest.Peer[0], dest.Peer[1] = binary.LittleEndian.Uint64(k[endSize+offPeer:]), binary.LittleEndian.Uint64(k[endSize+offPeer+8:])
	source.Adjacent, dest.Adjacent = binary.LittleEndian.Uint64(k[offAdjacent:]), binary.LittleEndian.Uint64(k[endSize+offAdjacent:])
	source.Trans, dest.Trans = binary.LittleEndian.Uint64(k[offTrans:]), binary.LittleEndian.Uint64(k[endSize+offTrans:])
}

// SetInterface sets the interface number of one end.
func (k *Key) SetInterface(end int, ifIndex uint16) {
	k[end*endSize+offInterface], k[end*endSize+offInterface+1] = byte(ifIndex>>8), byte(ifIndex)
}

// SetInterfaces sets the interface numbers of both ends.
func (k *Key) SetInterfaces(source, dest uint16) {
	// Whole words, so that who reads them next need not wait for the stores.
	const mask = 0xffff << (8 * (offInterface - offTrans))
	s, d := k[offTrans:offTrans+8], k[endSize+offTrans:endSize+offTrans+8]
	binary.LittleEndian.PutUint64(s, binary.LittleEndian.Uint64(s)&^mask|InterfaceNumber(source))
	binary.LittleEndian.PutUint64(d, binary.LittleEndian.Uint64(d)&^mask|InterfaceNumber(dest))
}

// SetDSCodePoint sets the differentiated services code point, six bits
// (RFC 2724 section 4.3), and the two ECN bits beside it.
func (k *Key) SetDSCodePoint(tos uint8) {
	k[offDSCodePoint], k[offECN] = tos>>2, tos&3
}

// SetVLAN sets VLANid and Priority from the tag control information of the
// outermost IEEE 802.1Q tag.
func (k *Key) SetVLAN(tci uint16) {
	k[offVLANid], k[offVLANid+1] = byte(tci>>8&0x0f), byte(tci)
	k[offPriority] = byte(tci >> 13)
}

// SetHopLimit sets the number of routers that may still pass the packet on.
func (k *Key) SetHopLimit(hops uint8) { k[offHopLimit] = hops }

// HopLimit returns what SetHopLimit has set.
func (k *Key) HopLimit() uint8 { return k[offHopLimit] }

// SetDuplicate tells which copy of an earlier packet this is, as traces.Duplicate
// does; 0 for none.
func (k *Key) SetDuplicate(class uint8) { k[offDuplicate] = class }

// SetASN sets the number of the autonomous system of one end, and the width in
// bits of the prefix by which that was found. Only flow records have them.
func (k *Key) SetASN(end int, asn uint32, prefix uint8) {
	binary.BigEndian.PutUint32(k[end*endSize+offASN:], asn)
	k[offPrefix+end] = prefix
}

// SetMeterID sets the identifier of the meter that a flow record comes from.
func (k *Key) SetMeterID(id [4]byte) { copy(k[offMeterID:offPrefix], id[:]) }

// HasRecord reports whether any attribute that only flow records have is set:
// MeterID, Source- and DestASN, Source- and DestPrefix.
func (k *Key) HasRecord() bool {
	const n = offPrefix + 2 - offMeterID
	return binary.BigEndian.Uint32(k[offASN:])|binary.BigEndian.Uint32(k[endSize+offASN:]) != 0 ||
		[n]byte(k[offMeterID:]) != [n]byte{}
}

// SetTunnel sets which kind of tunnel carries the packet's payload, or has carried the
// packet, and which number of that kind it has.
func (k *Key) SetTunnel(kind uint8, id uint32) {
	k[offTunnelKind] = kind
	binary.BigEndian.PutUint32(k[offTunnelID:], id)
}

// TunnelKind returns the kind of tunnel that was set.
func (k *Key) TunnelKind() uint8 { return k[offTunnelKind] }

// SetVLANTags sets how many VLAN tags the packet has.
func (k *Key) SetVLANTags(n uint8) { k[offVLANTags] = n }

// SetInnerVLAN sets InnerVLANid from the tag control information of the second VLAN
// tag from the outside.
func (k *Key) SetInnerVLAN(tci uint16) {
	k[offInnerVLANid], k[offInnerVLANid+1] = byte(tci>>8&0x0f), byte(tci)
}

// SetMPLS sets the labels at the top and at the bottom of the stack, 20 bits each.
func (k *Key) SetMPLS(top, bottom uint32) {
	binary.BigEndian.PutUint32(k[offMPLS:], top)
	binary.BigEndian.PutUint32(k[offMPLS+4:], bottom)
}

// SetInner sets the ends of the packet that a tunnel carries to those of the packet
// whose key is from. Peer addresses are those of IP: others are left out, as their
// transport addresses are.
func (k *Key) SetInner(from *Key) {
	for end := range 2 {
		in, out := k[offInner+end*InnerEndSize:], from[end*endSize:]
		in[innerPeerType] = out[offPeerType]
		if k.InnerPeerLen() == 0 {
			continue
		}
		in[innerTransType] = out[offTransType]
		copy(in[innerTrans:innerTrans+2], out[offTrans:])
		copy(in[innerPeer:innerPeer+MaxInnerPeer], out[offPeer:])
	}
}

// InnerPeerLen returns the length in octets of the peer addresses of the packet that a
// tunnel carries, 0 if there is none or it is no IP.
func (k *Key) InnerPeerLen() uint8 {
	switch k[offInner+innerPeerType] {
	case peerIPv4:
		return 4
	case peerIPv6:
		return 16
	}
	return 0
}

// SeesTunnel reports whether the bits of k are of attributes that only a packet with a
// tunnel has: TunnelKind, TunnelID, and those of the packet within.
func (k *Key) SeesTunnel() bool {
	return [5]byte(k[offTunnelID:offVLANTags]) != [5]byte{} || [2 * InnerEndSize]byte(k[offInner:]) != [2 * InnerEndSize]byte{}
}

// Computed returns the six Class and Kind attributes, which a match sets to
// zero before it begins, and two octets of zero.
func (k *Key) Computed() *[8]byte { return (*[8]byte)(k[offComputed:]) }

// Reverse returns the key with source and destination swapped, including the
// computed attributes of both ends.
func (k *Key) Reverse() Key {
	r := *k
	copy(r[:endSize], k[endSize:])
	copy(r[endSize:2*endSize], k[:endSize])
	r[offComputed], r[offComputed+1] = k[offComputed+1], k[offComputed]
	r[offComputed+3], r[offComputed+4] = k[offComputed+4], k[offComputed+3]
	copy(r[offSubscriber:], k[offSubscriber+subscriberSize:offSession])
	copy(r[offSubscriber+subscriberSize:offSession], k[offSubscriber:])
	r[offPrefix], r[offPrefix+1] = k[offPrefix+1], k[offPrefix]
	copy(r[offInner:offInner+InnerEndSize], k[offInner+InnerEndSize:])
	copy(r[offInner+InnerEndSize:], k[offInner:])
	return r
}

// ReverseFlow is Reverse for the key of a flow, where types stay in place: see
// Attr.Reverse.
func (k *Key) ReverseFlow() Key {
	r := k.Reverse()
	for _, off := range [...]int{offPeerType, offTransType, offAdjacentType} {
		r[off], r[endSize+off] = k[off], k[endSize+off]
	}
	for _, off := range [...]int{offInner + innerPeerType, offInner + innerTransType} {
		r[off], r[InnerEndSize+off] = k[off], k[InnerEndSize+off]
	}
	return r
}

// Hash returns a hash of the key of a flow and of the number of its shape, which is
// the same for the reverse flow. See package keyhash for what it withstands. Only what
// the flow has beyond most is taken, all else must be zero.
func (k *Key) Hash(secret *keyhash.Secret, shape uint32, has Beyond) uint32 {
	const types = 0x00ff0000ffff0000 // of an end's last word: they stay in place
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(k[8*i:]) }
	computed, last := word(offComputed/8), word(offMeterID/8)
	// An end's Class, Kind and prefix take the place of its types. What has no
	// direction is: the types of both ends, FlowClass and FlowKind; the attributes
	// of a packet that no end has; the MeterID and the end of the SessionID.
	s := [5]uint64{word(0), word(1), word(2), word(3),
		word(4)&^types | computed&0xff<<16 | computed>>24&0xff<<24 | last>>48&0xff<<48}
	d := [5]uint64{word(5), word(6), word(7), word(8),
		word(9)&^types | computed>>8&0xff<<16 | computed>>32&0xff<<24 | last>>56<<48}
	both := word(4)&types | word(9)&types>>16 | computed>>16&0xff<<40 | computed>>40&0xff<<56
	// The ends are compared as numbers of so many words, without a branch, and the
	// lower one comes first.
	lower, more := uint64(0), uint64(shape)
	if has != (Beyond{}) {
		w := k.beyond(has)
		more |= w.types << 32
		for i := range w.source {
			_, lower = bits.Sub64(w.dest[i], w.source[i], lower)
		}
	}
	for i := range s {
		_, lower = bits.Sub64(d[i], s[i], lower)
	}
	var sum keyhash.Sum
	for i := range s {
		x := (s[i] ^ d[i]) & -lower
		sum = sum.Add(s[i]^x+secret[2*i], d[i]^x+secret[2*i+1])
	}
	sum = sum.Add(both+secret[10], word(10)+secret[11])
	sum = sum.Add(more+secret[12], last&(1<<48-1)+secret[13])
	if has != (Beyond{}) {
		w := k.beyond(has)
		for i := range w.source {
			x := (w.source[i] ^ w.dest[i]) & -lower
			sum = sum.Add(w.source[i]^x+secret[14+2*i], w.dest[i]^x+secret[15+2*i])
		}
		sum = sum.Add(w.both[0]+secret[26], w.both[1]+secret[27])
		sum = sum.Add(w.both[2]+secret[28], secret[29])
	}
	return uint32(sum.Hash((*[4]uint64)(secret[30:])))
}

// Beyond says what flows of a kind have that few others have.
type Beyond struct {
	Names bool // identifiers that only rules give
	Inner bool // what a tunnel is and carries, tags and labels (Attr.InTail)
}

// beyond is what a key has of that, in words: those of its ends, and what no end has.
type beyond struct {
	source, dest [6]uint64
	both         [3]uint64
	types        uint64 // of the packet in a tunnel, two at each end: they stay in place
}

func (k *Key) beyond(has Beyond) (w beyond) {
	word := func(off int) uint64 { return binary.LittleEndian.Uint64(k[off:]) }
	if has.Names {
		names, namesDest := k.subscriber(Source), k.subscriber(Dest)
		copy(w.source[:3], names[:])
		copy(w.dest[:3], namesDest[:])
		w.both[0] = word(offSession)
	}
	if has.Inner {
		const types = 0xffff0000
		source, dest := word(offInner), word(offInner+InnerEndSize)
		w.types = source&types>>16 | dest&types
		w.source[3], w.dest[3] = source&^types, dest&^types
		for i := 8; i < InnerEndSize; i += 8 {
			w.source[3+i/8], w.dest[3+i/8] = word(offInner+i), word(offInner+InnerEndSize+i)
		}
		w.both[1], w.both[2] = word(offTunnelID), word(offMPLS)
	}
	return w
}

// InTail reports whether a is a value in the last part of a key, that of attributes of
// tunnels, tags and labels.
func (a Attr) InTail() bool { return a >= TunnelID && a <= InnerDestTransMask }

// subscriber returns the SubscriberID of an end in words.
func (k *Key) subscriber(end int) [3]uint64 {
	b := k[offSubscriber+end*subscriberSize:]
	return [3]uint64{
		binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), uint64(binary.LittleEndian.Uint32(b[16:])),
	}
}
