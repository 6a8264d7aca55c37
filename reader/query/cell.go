package query

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// field says where flows of a shape have the value of an attribute, and how much of
// it they saved.
type field struct {
	attr   attr.Attr
	offset int
	length int   // octets, 0 if the flows have none
	saved  bool  // the flows' ruleset saved it
	none   bool  // no bit of it
	width  uint8 // leading bits that were saved; whole if all or other ones
}

// whole is the width of a value that was not saved under a prefix.
const whole = 0xff

// fieldOf returns where flows of shape s have a.
func fieldOf(s *match.Shape, a attr.Attr) field {
	in := a.Info()
	f := field{attr: a, offset: in.Offset, length: s.Len(a), width: whole}
	mask, saved := s.Mask(a)
	f.none = mask.Zero()
	if f.saved = saved; !saved {
		f.length = 0
		return f
	}
	if w, prefix := mask.Width(); prefix && w < 8*f.length && in.Class == attr.ClassAddress {
		f.width = uint8(w)
	}
	return f
}

// octets returns the value of a flow with this key.
func (f *field) octets(key *attr.Key) []byte { return key[f.offset : f.offset+f.length] }

// isPort reports whether values of a are numbers of two octets.
func isPort(a attr.Attr) bool {
	a = a.Outer()
	return a == attr.SourceTransAddress || a == attr.DestTransAddress
}

// isNumber reports whether values of a are numbers.
func isNumber(a attr.Attr) bool {
	class := a.Info().Class
	return class == attr.ClassInteger || class == attr.ClassComputed || isPort(a)
}

// namer writes values of attributes for tables.
type namer struct {
	numeric bool // without names
	exact   bool // what was not saved is not there
}

// value returns what a table shows of a value. width is that of the prefix, whole if
// it is none. A zero that was not saved is nothing, where it may mean that.
func (n *namer) value(a attr.Attr, octets []byte, width, transport uint8, saved bool) table.Value {
	switch {
	case isNumber(a):
		return n.number(a, number(octets), transport, saved)
	case len(octets) == 0:
		return table.Value{}
	}
	text := ""
	switch {
	case a.IsPeer() && (len(octets) == 4 || len(octets) == 16):
		addr, _ := netip.AddrFromSlice(octets)
		text = addr.String()
	case a.IsAdjacent():
		text = string(attr.AppendHex(nil, octets))
	default:
		text = string(attr.AppendDotted(nil, octets))
	}
	if width != whole {
		text += "/" + strconv.Itoa(int(width))
	}
	return table.String(text)
}

// number returns what a table shows of a number: its name if it has one.
func (n *namer) number(a attr.Attr, v uint64, transport uint8, saved bool) table.Value {
	if v == 0 && !saved && (n.exact || !zeroMeans(a, transport)) {
		return table.Value{}
	}
	if n.numeric {
		return table.Uint(v)
	}
	if v == 0 && a == attr.TunnelKind {
		return table.Value{} // no tunnel, saved or not
	}
	if a.IsInner() {
		transport = 0 // it is that of the packet around it
	}
	if name := attr.NameOf(a, v, transport); name != "" {
		return table.String(name)
	}
	return table.Uint(v)
}

// zeroMeans reports whether packets can have 0 as the value of a, rather than none.
// Text does not tell which of them it is.
func zeroMeans(a attr.Attr, transport uint8) bool {
	const icmp, icmp6 = 1, 58
	switch a {
	case attr.DSCodePoint, attr.ECNCodeBits, attr.Priority, attr.HopLimit, attr.Duplicate, attr.VLANTags, attr.TunnelID:
		return true
	case attr.SourceTransAddress, attr.DestTransAddress:
		return transport == icmp || transport == icmp6
	}
	return false
}

// number returns the number that up to eight octets are.
func number(octets []byte) uint64 {
	switch len(octets) {
	case 1:
		return uint64(octets[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(octets))
	}
	var n uint64
	for _, o := range octets {
		n = n<<8 | uint64(o)
	}
	return n
}

// columnOf returns the column of an attribute.
func columnOf(a attr.Attr) table.Column {
	c := table.Column{Name: a.String(), Title: titles[a]}
	if isNumber(a) {
		if c.Align = table.Right; attr.ValueNames(a) != nil {
			c.Align = table.Left
		}
	}
	return c
}
