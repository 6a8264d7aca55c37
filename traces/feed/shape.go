package feed

import (
	"encoding/binary"

	"rtfm/traces/ipfix"
)

// Shape is a kind of flow: those of a ruleset that save the same attributes under the
// same masks, with addresses of the same lengths.
type Shape struct {
	RuleSet uint8
	Name    string // of the ruleset
	Saved   []Saved
	// ICMP is the element for type and code of ICMP, which END has for readers that do
	// not look for them in ports: icmpTypeCodeIPv4 or IPv6, 0 of other flows.
	ICMP uint16
	slot int // a Writer's, of which each has two templates
}

// Saved is an attribute that flows of a shape save.
type Saved struct {
	Attribute uint16 // its number
	Mask      []byte // as long as its value
	// Field is its place in the templates. One with PEN 0 and Element 0 stands for
	// an attribute that IANA's registry has not.
	Field ipfix.Field
}

// template returns the number of NEW's template; END's is one higher.
func (s *Shape) template() uint16 { return firstFlowTemplate + uint16(2*s.slot) }

// keyFields returns the fields of the key.
func (s *Shape) keyFields() (fields []ipfix.Field) {
	for _, v := range s.Saved {
		f := v.Field
		if f == (ipfix.Field{}) {
			f = own(elementAttribute+v.Attribute, 0)
		}
		f.Length = uint16(len(v.Mask))
		fields = append(fields, f)
	}
	return fields
}

// KeyLen returns the octets of a key.
func (s *Shape) KeyLen() (n int) {
	for _, v := range s.Saved {
		n += len(v.Mask)
	}
	return n
}

// appendSaved appends what SHAPE tells of the attributes.
func (s *Shape) appendSaved(b []byte) []byte {
	for _, v := range s.Saved {
		b = binary.BigEndian.AppendUint16(b, v.Attribute)
		b = append(append(b, uint8(len(v.Mask))), v.Mask...)
	}
	return b
}

// icmp returns type and code of ICMP, which a key of the shape has as ports.
func (s *Shape) icmp(key []byte) (typeCode uint16) {
	for _, v := range s.Saved {
		if n := len(v.Mask); n == 2 && v.Field.Element == ipfix.SourceTransportPort {
			typeCode |= binary.BigEndian.Uint16(key) << 8
		} else if n == 2 && v.Field.Element == ipfix.DestinationTransportPort {
			typeCode |= binary.BigEndian.Uint16(key) & 0xff
		}
		key = key[len(v.Mask):]
	}
	return typeCode
}
