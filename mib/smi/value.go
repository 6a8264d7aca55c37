package smi

import (
	"fmt"
	"net/netip"
)

// Type is the type of a value: its BER tag (RFC 2578 section 7.1, RFC 3416
// section 3), which is also its number in AgentX (RFC 2741 section 5.4).
type Type uint8

// The types of values.
const (
	Integer32        Type = 0x02
	OctetString      Type = 0x04
	Null             Type = 0x05 // the unSpecified value of a request
	ObjectIdentifier Type = 0x06
	IpAddress        Type = 0x40
	Counter32        Type = 0x41
	Gauge32          Type = 0x42 // and Unsigned32, which has the same tag
	TimeTicks        Type = 0x43
	Opaque           Type = 0x44
	Counter64        Type = 0x46
)

// The exceptions, which stand in the place of a value (RFC 3416 section 2.5).
const (
	NoSuchObject   Type = 0x80
	NoSuchInstance Type = 0x81
	EndOfMibView   Type = 0x82
)

// kind is how a type's value is held and encoded.
type kind uint8

const (
	kindInvalid kind = iota
	kindNone         // null and the exceptions: no content
	kindSigned
	kindUnsigned
	kindOctets
	kindOID
)

func (t Type) kind() kind {
	switch t {
	case Integer32:
		return kindSigned
	case Counter32, Gauge32, TimeTicks, Counter64:
		return kindUnsigned
	case OctetString, IpAddress, Opaque:
		return kindOctets
	case ObjectIdentifier:
		return kindOID
	case Null, NoSuchObject, NoSuchInstance, EndOfMibView:
		return kindNone
	}
	return kindInvalid
}

// Valid reports whether t is one of the types above.
func (t Type) Valid() bool { return t.kind() != kindInvalid }

// String returns the type's name as the RFCs spell it.
func (t Type) String() string {
	switch t {
	case Integer32:
		return "Integer32"
	case OctetString:
		return "OCTET STRING"
	case Null:
		return "NULL"
	case ObjectIdentifier:
		return "OBJECT IDENTIFIER"
	case IpAddress:
		return "IpAddress"
	case Counter32:
		return "Counter32"
	case Gauge32:
		return "Gauge32"
	case TimeTicks:
		return "TimeTicks"
	case Opaque:
		return "Opaque"
	case Counter64:
		return "Counter64"
	case NoSuchObject:
		return "noSuchObject"
	case NoSuchInstance:
		return "noSuchInstance"
	case EndOfMibView:
		return "endOfMibView"
	}
	return fmt.Sprintf("type(0x%02x)", uint8(t))
}

// Value is a value of any type. Only the field that its Type calls for counts;
// the others keep their memory for later values.
type Value struct {
	Type Type
	// Int is an Integer32.
	Int int32
	// Uint is a Counter32, Gauge32, TimeTicks or Counter64.
	Uint uint64
	// Octets is an OCTET STRING, IpAddress (4 octets) or Opaque.
	Octets []byte
	// OID is an OBJECT IDENTIFIER.
	OID OID
}

// SetInt makes v the Integer32 n.
func (v *Value) SetInt(n int32) { v.Type, v.Int = Integer32, n }

// SetUint makes v the Counter32, Gauge32, TimeTicks or Counter64 n; all but
// the last keep the lower 32 bits.
func (v *Value) SetUint(t Type, n uint64) {
	if t != Counter64 {
		n = uint64(uint32(n))
	}
	v.Type, v.Uint = t, n
}

// SetOctets makes v an OCTET STRING, IpAddress or Opaque that holds a copy of b.
func (v *Value) SetOctets(t Type, b []byte) { v.Type, v.Octets = t, append(v.Octets[:0], b...) }

// SetOID makes v an OBJECT IDENTIFIER that holds a copy of o.
func (v *Value) SetOID(o OID) { v.Type, v.OID = ObjectIdentifier, append(v.OID[:0], o...) }

// SetNone makes v NULL or an exception.
func (v *Value) SetNone(t Type) { v.Type = t }

// Set makes v a copy of w.
func (v *Value) Set(w *Value) {
	v.Type, v.Int, v.Uint = w.Type, w.Int, w.Uint
	switch w.Type.kind() {
	case kindOctets:
		v.Octets = append(v.Octets[:0], w.Octets...)
	case kindOID:
		v.OID = append(v.OID[:0], w.OID...)
	}
}

// Equal reports whether v and w have the same type and value.
func (v *Value) Equal(w *Value) bool {
	if v.Type != w.Type {
		return false
	}
	switch v.Type.kind() {
	case kindSigned:
		return v.Int == w.Int
	case kindUnsigned:
		return v.Uint == w.Uint
	case kindOctets:
		return string(v.Octets) == string(w.Octets)
	case kindOID:
		return v.OID.Compare(w.OID) == 0
	}
	return true
}

// String returns type and value for people.
func (v *Value) String() string {
	switch v.Type.kind() {
	case kindSigned:
		return fmt.Sprintf("%v %d", v.Type, v.Int)
	case kindUnsigned:
		return fmt.Sprintf("%v %d", v.Type, v.Uint)
	case kindOctets:
		if a, ok := netip.AddrFromSlice(v.Octets); ok && v.Type == IpAddress {
			return fmt.Sprintf("%v %v", v.Type, a)
		}
		return fmt.Sprintf("%v %q", v.Type, v.Octets)
	case kindOID:
		return fmt.Sprintf("%v %v", v.Type, v.OID)
	}
	return v.Type.String()
}

// VarBind is a variable binding: the name of a variable and its value. It
// owns the memory of both.
type VarBind struct {
	Name  OID
	Value Value
}

// SetName makes the binding's name a copy of o.
func (vb *VarBind) SetName(o OID) { vb.Name = append(vb.Name[:0], o...) }

// Set makes vb a copy of w.
func (vb *VarBind) Set(w *VarBind) {
	vb.SetName(w.Name)
	vb.Value.Set(&w.Value)
}

// Equal reports whether vb and w have the same name and value.
func (vb *VarBind) Equal(w *VarBind) bool {
	return vb.Name.Compare(w.Name) == 0 && vb.Value.Equal(&w.Value)
}

// String returns name, type and value for people.
func (vb *VarBind) String() string { return vb.Name.String() + " = " + vb.Value.String() }

// Resize returns vbs with n elements, of which those that its capacity held
// keep their memory.
func Resize(vbs []VarBind, n int) []VarBind {
	vbs = vbs[:cap(vbs)]
	if n > len(vbs) {
		vbs = append(vbs, make([]VarBind, n-len(vbs))...)
	}
	return vbs[:n]
}

// Held returns how many octets of memory names and values hold, those after the
// end of vbs included, but not what vbs has itself.
func Held(vbs []VarBind) (octets int) {
	for i := range vbs[:cap(vbs)] {
		vb := &vbs[:cap(vbs)][i]
		octets += cap(vb.Value.Octets) + 4*(cap(vb.Name)+cap(vb.Value.OID))
	}
	return octets
}
