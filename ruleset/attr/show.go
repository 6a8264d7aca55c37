package attr

import (
	"net/netip"
	"strconv"
)

// Beside is what a flow saves beside a value, as far as it changes what people call the
// value. The zero Beside is a flow of which nothing else is known.
type Beside struct {
	// NoPeer is set if the packets have no address family that is known: they are no IP.
	NoPeer bool
	// PeerType is the address family, 0 if it is not known.
	PeerType uint8
	// TransType is the protocol, if HasTrans is set.
	TransType uint8
	HasTrans  bool
	// ICMPType is the type of ICMP or ICMPv6 packets, if HasType is set.
	ICMPType uint8
	HasType  bool
	// Swapped is set if the packets were counted with source and destination changed
	// over, so that the source has the code of ICMP.
	Swapped bool
}

// Show returns what people call the value of attribute a that a flow has saved under a
// mask: `https`, `IPv6`, `10.0.0.0/22`, `00-1B-21-3A-4F-07`; numbers instead of names if
// that is wanted. It returns "" if the packets have no such thing, which the value 0 may
// mean. SRL reads everything that Show returns as the same value.
func Show(a Attr, value []byte, mask Value, b Beside, numeric bool) string {
	in := a.info()
	if len(value) == 0 || b.lacks(a, value) {
		return ""
	}
	text := ""
	switch {
	case a.IsAdjacent():
		text = string(AppendHex(nil, value))
	case a.IsPeer() && len(value) == 16 && (b.PeerType == 0 || b.PeerType == peerIPv6):
		text = netip.AddrFrom16([16]byte(value)).String()
	case in.Class == ClassAddress && !a.isTrans():
		text = string(AppendDotted(nil, value))
	default:
		n := MakeValue(value...).Uint()
		if a.covers(mask) && !numeric {
			if name := b.name(a, n); name != "" {
				return name
			}
		}
		text = strconv.FormatUint(n, 10)
	}
	return text + a.maskSuffix(mask.Resize(len(value)))
}

// Address family numbers.
const (
	peerIPv4 = 1
	peerIPv6 = 2
)

// lacks reports whether a value of 0 says that the packets have no such thing.
func (b *Beside) lacks(a Attr, value []byte) bool {
	if !MakeValue(value...).Zero() {
		return false
	}
	notIP := b.NoPeer || b.PeerType > peerIPv6
	switch a.Outer() {
	case SourceTransAddress, DestTransAddress:
		return b.NoPeer || b.HasTrans && b.PeerType <= peerIPv6 && !HasPorts(b.TransType)
	case SourceTransType, DestTransType:
		return b.NoPeer
	case DSCodePoint, ECNCodeBits, HopLimit:
		return notIP
	case SourceAdjacentType, DestAdjacentType, VLANid, SourceASN, DestASN, MeterID,
		TunnelKind, MPLSLabel, MPLSBottomLabel, InnerVLANid:
		return true
	}
	return false
}

// HasPorts reports whether packets of a protocol above IP have transport addresses, if
// they are no later fragments.
func HasPorts(transport uint8) bool {
	switch transport {
	case transICMP, transTCP, transUDP, transDCCP, transICMPv6, transSCTP, transUDPLite:
		return true
	}
	return false
}

// name returns what people call value n of a, "" if it has no name.
func (b *Beside) name(a Attr, n uint64) string {
	if b.PeerType > peerIPv6 && (a.isTrans() || a.Outer() == SourceTransType || a.Outer() == DestTransType) {
		return "" // a socket of IPX, say
	}
	transport := transAny
	if b.HasTrans {
		transport = b.TransType
	}
	if !a.isTrans() || transport != transICMP && transport != transICMPv6 {
		return NameOf(a, n, transport)
	}
	if (a.Outer() == DestTransAddress) == b.Swapped {
		return NameOf(SourceTransAddress, n, transport)
	}
	if !b.HasType || n > 0xff {
		return ""
	}
	return codeName(transport, b.ICMPType, uint8(n))
}

// covers reports whether a mask lets all bits of a's values through.
func (a Attr) covers(mask Value) bool {
	size := a.info().Size
	field := WidthMask(8*size, size)
	if bits := a.Bits(); bits < 8*size {
		field = number(1<<bits-1, size)
	}
	return mask.Resize(size).And(field) == field
}

// maskSuffix returns what stands behind a value in SRL: nothing, the width of the mask,
// or the mask.
func (a Attr) maskSuffix(mask Value) string {
	width, prefix := mask.Width()
	switch {
	case width == 8*mask.Len() || !a.IsPeer() && !a.IsAdjacent() && a.covers(mask):
		return ""
	case prefix:
		return "/" + strconv.Itoa(width)
	case a.IsPeer() && mask.Len() == 16:
		return "&" + netip.AddrFrom16([16]byte(mask.Append(nil))).String()
	case a.IsAdjacent():
		return "&" + mask.Hex()
	}
	return "&" + mask.String()
}
