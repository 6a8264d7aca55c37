package attr

// Reverse returns the attribute that takes a's place in a flow's identity when
// source and destination are swapped. Attributes without direction stay, and so
// do the types: a packet has the same at both ends, so that a ruleset which
// saves only one of them still finds a flow from its other direction.
func (a Attr) Reverse() Attr {
	switch {
	case a.IsType():
		return a
	case a >= SourceInterface && a <= SourceTransMask:
		return a + 10
	case a >= DestInterface && a <= DestTransMask:
		return a - 10
	case a >= InnerSourcePeerType && a <= InnerSourceTransMask:
		return a + (InnerDestPeerType - InnerSourcePeerType)
	case a >= InnerDestPeerType && a <= InnerDestTransMask:
		return a - (InnerDestPeerType - InnerSourcePeerType)
	}
	switch a {
	case SourceSubscriberID:
		return DestSubscriberID
	case DestSubscriberID:
		return SourceSubscriberID
	case SourceClass:
		return DestClass
	case DestClass:
		return SourceClass
	case SourceKind:
		return DestKind
	case DestKind:
		return SourceKind
	case SourceASN:
		return DestASN
	case DestASN:
		return SourceASN
	case SourcePrefix:
		return DestPrefix
	case DestPrefix:
		return SourcePrefix
	}
	return a
}

// IsInner reports whether a is of an end of the packet that a tunnel carries.
func (a Attr) IsInner() bool { return a >= InnerSourcePeerType && a <= InnerDestTransMask }

// Outer returns the attribute of the packet itself that is what a is of the packet
// that a tunnel carries; other attributes are their own.
func (a Attr) Outer() Attr {
	switch {
	case a >= InnerSourcePeerType && a <= InnerSourceTransMask:
		return a - InnerSourcePeerType + SourcePeerType
	case a >= InnerDestPeerType && a <= InnerDestTransMask:
		return a - InnerDestPeerType + DestPeerType
	}
	return a
}

// Inner returns the attribute of the packet that a tunnel carries that is what peer
// or transport attribute a is of the packet itself.
func (a Attr) Inner() Attr {
	switch {
	case a >= SourcePeerType && a <= SourceTransMask:
		return a - SourcePeerType + InnerSourcePeerType
	case a >= DestPeerType && a <= DestTransMask:
		return a - DestPeerType + InnerDestPeerType
	}
	return a
}

// IsType reports whether a is an adjacent, peer or transport type.
func (a Attr) IsType() bool {
	switch a.Outer() {
	case SourceAdjacentType, SourcePeerType, SourceTransType, DestAdjacentType, DestPeerType, DestTransType:
		return true
	}
	return false
}

// SourceType returns the source's type, which is the same in every packet, if a is a
// type of the dest; else a.
func (a Attr) SourceType() Attr {
	switch a {
	case DestAdjacentType, DestPeerType, DestTransType:
		return a - (DestInterface - SourceInterface)
	case InnerDestPeerType, InnerDestTransType:
		return a - (InnerDestPeerType - InnerSourcePeerType)
	}
	return a
}

// IsPeer reports whether a is a peer address, of the packet or of the one that a
// tunnel carries.
func (a Attr) IsPeer() bool {
	a = a.Outer()
	return a == SourcePeerAddress || a == DestPeerAddress
}

// IsAdjacent reports whether a is an adjacent address.
func (a Attr) IsAdjacent() bool { return a == SourceAdjacentAddress || a == DestAdjacentAddress }

// Mask returns the attribute that is the mask of address a, Null when a has
// none.
func (a Attr) Mask() Attr {
	if in := (a + 1).Info(); in.Class == ClassMask {
		return in.Attr
	}
	return Null
}
