package smi

import "fmt"

// Decoder reads BER from octets that it does not change. Lengths may be
// written in more octets than they need, as net-snmp accepts; the indefinite
// form is not SNMP's (RFC 3417 section 8).
type Decoder struct {
	b   []byte
	pos int
}

// NewDecoder returns a Decoder of b.
func NewDecoder(b []byte) Decoder { return Decoder{b: b} }

// Len returns how many octets have not been read.
func (d *Decoder) Len() int { return len(d.b) - d.pos }

func (d *Decoder) errorf(format string, args ...any) error {
	return fmt.Errorf("ber: offset %d: %w", d.pos, fmt.Errorf(format, args...))
}

// Next reads one element and returns its tag and a Decoder of its content,
// which reports the same offsets.
func (d *Decoder) Next() (tag byte, content Decoder, err error) {
	if d.Len() < 2 {
		return 0, Decoder{}, d.errorf("%d octets are too few for tag and length", d.Len())
	}
	tag = d.b[d.pos]
	if tag&0x1f == 0x1f {
		return 0, Decoder{}, d.errorf("tag 0x%02x has more octets", tag)
	}
	n, at := int(d.b[d.pos+1]), d.pos+2
	if n >= 0x80 {
		k := n & 0x7f
		if k == 0 {
			return 0, Decoder{}, d.errorf("indefinite length")
		}
		if k > 8 || k > len(d.b)-at {
			return 0, Decoder{}, d.errorf("length of %d octets", k)
		}
		n = 0
		for _, c := range d.b[at : at+k] {
			if n = n<<8 | int(c); n > len(d.b) {
				return 0, Decoder{}, d.errorf("length is more than the %d octets there are", len(d.b))
			}
		}
		at += k
	}
	if n > len(d.b)-at {
		return 0, Decoder{}, d.errorf("length %d is more than the %d octets that remain", n, len(d.b)-at)
	}
	content = Decoder{b: d.b[:at+n], pos: at}
	d.pos = at + n
	return tag, content, nil
}

// Expect reads one element that has to have this tag and returns a Decoder of
// its content.
func (d *Decoder) Expect(tag byte) (Decoder, error) {
	at := *d
	got, content, err := d.Next()
	if err != nil {
		return Decoder{}, err
	}
	if got != tag {
		return Decoder{}, at.errorf("tag 0x%02x instead of 0x%02x", got, tag)
	}
	return content, nil
}

// Int reads an INTEGER of 32 bits.
func (d *Decoder) Int() (int32, error) {
	c, err := d.Expect(byte(Integer32))
	if err != nil {
		return 0, err
	}
	return c.signed()
}

// Counter64 reads a Counter64.
func (d *Decoder) Counter64() (uint64, error) {
	c, err := d.Expect(byte(Counter64))
	if err != nil {
		return 0, err
	}
	return c.unsigned(Counter64)
}

// Octets reads an OCTET STRING. What it returns is part of the Decoder's own
// octets.
func (d *Decoder) Octets() ([]byte, error) {
	c, err := d.Expect(byte(OctetString))
	return c.b[c.pos:], err
}

// VarBind reads a variable binding into vb.
func (d *Decoder) VarBind(vb *VarBind) error {
	c, err := d.Expect(TagSequence)
	if err != nil {
		return err
	}
	name, err := c.Expect(byte(ObjectIdentifier))
	if err != nil {
		return err
	}
	if vb.Name, err = name.oid(vb.Name); err != nil {
		return err
	}
	if err := c.Value(&vb.Value); err != nil {
		return err
	}
	if c.Len() > 0 {
		return c.errorf("%d octets after the value", c.Len())
	}
	return nil
}

// Value reads a value of any type, or an exception, into v.
func (d *Decoder) Value(v *Value) error {
	at := *d
	tag, value, err := d.Next()
	if err != nil {
		return err
	}
	v.Type = Type(tag)
	switch v.Type.kind() {
	case kindSigned:
		v.Int, err = value.signed()
	case kindUnsigned:
		v.Uint, err = value.unsigned(v.Type)
	case kindOctets:
		if v.Type == IpAddress && value.Len() != 4 {
			return value.errorf("IpAddress of %d octets", value.Len())
		}
		v.Octets = append(v.Octets[:0], value.b[value.pos:]...)
	case kindOID:
		v.OID, err = value.oid(v.OID)
	case kindNone:
		if value.Len() != 0 {
			return value.errorf("%v of %d octets", v.Type, value.Len())
		}
	default:
		return at.errorf("value of unknown type, tag 0x%02x", tag)
	}
	return err
}

// signed reads the whole content as a number from -2^31 to 2^31-1, in any
// number of octets up to 8.
func (d *Decoder) signed() (int32, error) {
	if d.Len() == 0 || d.Len() > 8 {
		return 0, d.errorf("Integer32 of %d octets", d.Len())
	}
	n := int64(int8(d.b[d.pos]))
	for _, c := range d.b[d.pos+1:] {
		n = n<<8 | int64(c)
	}
	if int64(int32(n)) != n {
		return 0, d.errorf("Integer32 of value %d", n)
	}
	return int32(n), nil
}

// unsigned reads the whole content as a number of 32 bits, or of 64 for
// Counter64, in any number of octets up to 9. One that fills its type without
// the leading zero octet is no negative number: senders err that way.
func (d *Decoder) unsigned(t Type) (uint64, error) {
	size := 4
	if t == Counter64 {
		size = 8
	}
	c := d.b[d.pos:]
	if len(c) == 0 || len(c) > 9 {
		return 0, d.errorf("%v of %d octets", t, len(c))
	}
	if c[0]&0x80 != 0 && len(c) != size {
		return 0, d.errorf("%v of a negative value", t)
	}
	for len(c) > size {
		if c[0] != 0 {
			return 0, d.errorf("%v of more than %d bits", t, 8*size)
		}
		c = c[1:]
	}
	var n uint64
	for _, c := range c {
		n = n<<8 | uint64(c)
	}
	return n, nil
}

// oid reads the whole content as an object identifier, into o's memory. As in
// net-snmp, no content at all is 0.0.
func (d *Decoder) oid(o OID) (OID, error) {
	o = o[:0]
	if d.Len() == 0 {
		return append(o, 0, 0), nil
	}
	var n uint64
	for i, c := range d.b[d.pos:] {
		n = n<<7 | uint64(c&0x7f)
		if n > 1<<32+79 {
			return o, d.errorf("sub-identifier of more than 32 bits")
		}
		if c&0x80 != 0 {
			if i == d.Len()-1 {
				return o, d.errorf("object identifier ends within a sub-identifier")
			}
			continue
		}
		switch {
		case len(o) > 0:
			if n > 1<<32-1 {
				return o, d.errorf("sub-identifier of more than 32 bits")
			}
		case n < 80:
			o = append(o, uint32(n/40))
			n %= 40
		default:
			o = append(o, 2)
			n -= 80
		}
		if len(o) == MaxOID {
			return o, d.errorf("object identifier of more than %d sub-identifiers", MaxOID)
		}
		o = append(o, uint32(n))
		n = 0
	}
	return o, nil
}
