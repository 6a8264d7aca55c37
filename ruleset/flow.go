package ruleset

// Saved is one attribute of a flow's identity, with the mask under which its
// value was saved.
type Saved struct {
	Attr Attr
	Mask Value
}

// Shape is what the flows of one kind have in common: their ruleset and the
// attributes and masks that it saved. Flows are the same only if shape and
// values are (RFC 2722 section 3.1: a record stores value and mask).
type Shape struct {
	RuleSet int     // 1 to 255
	Saved   []Saved // in order of attribute number
}

// Mask returns the mask under which the flows of this shape save a, false
// when they do not save it.
func (s *Shape) Mask(a Attr) (Value, bool) {
	for i := range s.Saved {
		if s.Saved[i].Attr == a {
			return s.Saved[i].Mask, true
		}
	}
	return Value{}, false
}

// Flow is one flow as a reader sees it.
type Flow struct {
	Shape *Shape
	// Key holds the values of the saved attributes; the others are zero.
	Key Key
	// PeerLen and AdjacentLen are the lengths of the flow's peer and adjacent
	// addresses in octets.
	PeerLen, AdjacentLen uint8
	// Index is the row in the flow table, from 1; used again after the flow
	// was recovered.
	Index uint32
	// FirstTime and LastTime are the times of the flow's first and latest
	// packet, in nanoseconds since 1970-01-01 00:00:00 UTC.
	FirstTime, LastTime int64
	// The counters only grow (Counter64 of RFC 2720).
	ToOctets, ToPDUs, FromOctets, FromPDUs uint64
}

// Value returns the octets of attribute a as this flow holds them: those of
// an address as many as the flow's addresses have, none for an attribute
// without a place in the key. They are valid as long as f is.
func (f *Flow) Value(a Attr) []byte {
	in := a.Info()
	n := in.Size
	switch in.Class {
	case ClassInteger, ClassComputed:
	case ClassAddress:
		switch a {
		case SourcePeerAddress, DestPeerAddress:
			n = int(f.PeerLen)
		case SourceAdjacentAddress, DestAdjacentAddress:
			n = int(f.AdjacentLen)
		case SourceTransAddress, DestTransAddress:
		default:
			n = 0
		}
	default:
		return nil
	}
	return f.Key[in.Offset : in.Offset+n]
}
