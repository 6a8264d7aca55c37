package ipfix

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// FieldOf returns the field of IANA's registry for an attribute that flows of a shape
// save, without its length; the zero Field if there is none.
func FieldOf(s *match.Shape, v *match.Saved) Field {
	whole := v.Mask == attr.Ones(s.Len(v.Attr))
	element := uint16(0)
	switch v.Attr {
	case attr.SourcePeerAddress:
		element = peer(s, whole, SourceIPv4Address, SourceIPv6Address, SourceIPv4Prefix, SourceIPv6Prefix)
	case attr.DestPeerAddress:
		element = peer(s, whole, DestinationIPv4Address, DestinationIPv6Address, DestinationIPv4Prefix, DestinationIPv6Prefix)
	case attr.SourceTransType:
		element = ProtocolIdentifier
	case attr.DestTransType:
		if _, both := s.Mask(attr.SourceTransType); !both {
			element = ProtocolIdentifier
		}
	case attr.SourceTransAddress:
		element = SourceTransportPort
	case attr.DestTransAddress:
		element = DestinationTransportPort
	case attr.SourceInterface:
		element = IngressInterface
	case attr.DestInterface:
		element = EgressInterface
	case attr.DSCodePoint:
		element = IPDiffServCodePoint
	case attr.VLANid:
		element = VLANID
	case attr.SourceAdjacentAddress:
		if s.AdjacentLen == 6 {
			element = SourceMACAddress
		}
	case attr.DestAdjacentAddress:
		if s.AdjacentLen == 6 {
			element = DestinationMACAddress
		}
	}
	return Field{Element: element}
}

// peer returns the element for an address of a shape, or for a part of it.
func peer(s *match.Shape, whole bool, v4, v6, prefix4, prefix6 uint16) uint16 {
	switch {
	case s.PeerLen == 4 && whole:
		return v4
	case s.PeerLen == 4:
		return prefix4
	case s.PeerLen == 16 && whole:
		return v6
	case s.PeerLen == 16:
		return prefix6
	}
	return 0
}
