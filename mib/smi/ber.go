package smi

import "math/bits"

// TagSequence is the BER tag of a SEQUENCE.
const TagSequence = 0x30

// BERHeaderSize returns the length of a tag and a length field that says n.
func BERHeaderSize(n int) int {
	if n < 0x80 {
		return 2
	}
	return 2 + (bits.Len(uint(n))+7)/8
}

// AppendBERHeader appends a tag and, in as few octets as possible, the length
// n of the content that is to follow.
func AppendBERHeader(b []byte, tag byte, n int) []byte {
	if n < 0x80 {
		return append(b, tag, byte(n))
	}
	k := (bits.Len(uint(n)) + 7) / 8
	b = append(b, tag, 0x80|byte(k))
	return appendBytes(b, uint64(n), k)
}

// appendBytes appends the last k octets of n, 8 at most, the highest first;
// of more than 8, the first are zero.
func appendBytes(b []byte, n uint64, k int) []byte {
	for ; k > 0; k-- {
		b = append(b, byte(n>>(8*(k-1)))) // a shift by 64 gives the zero octet before an unsigned number
	}
	return b
}

// BERIntSize returns the length of an INTEGER's encoding, header included.
func BERIntSize(n int64) int { return 2 + signedLen(n) }

// AppendBERInt appends an INTEGER.
func AppendBERInt(b []byte, n int64) []byte {
	k := signedLen(n)
	return appendBytes(append(b, byte(Integer32), byte(k)), uint64(n), k)
}

// signedLen returns how many octets two's complement needs for n.
func signedLen(n int64) int { return bits.Len64(uint64(n^n>>63))/8 + 1 }

// unsignedLen returns how many octets n needs with a sign bit that is 0.
func unsignedLen(n uint64) int { return bits.Len64(n)/8 + 1 }

// subidLen returns how many octets a sub-identifier takes, 7 bits in each.
func subidLen(n uint64) int { return max(1, (bits.Len64(n)+6)/7) }

// firstSubid returns the number that BER makes of an object identifier's first
// two sub-identifiers. The empty OID is written as 0.0, and one of a single
// sub-identifier as if a 0 followed.
func (o OID) firstSubid() (first uint64, rest OID) {
	switch len(o) {
	case 0:
		return 0, nil
	case 1:
		return 40 * uint64(o[0]), nil
	}
	return 40*uint64(o[0]) + uint64(o[1]), o[2:]
}

func (o OID) contentSize() int {
	first, rest := o.firstSubid()
	n := subidLen(first)
	for _, s := range rest {
		if s < 0x80 {
			n++
		} else {
			n += subidLen(uint64(s))
		}
	}
	return n
}

func appendSubid(b []byte, n uint64) []byte {
	for k := subidLen(n) - 1; k > 0; k-- {
		b = append(b, 0x80|byte(n>>(7*k)))
	}
	return append(b, byte(n)&0x7f)
}

// appendBER appends the OBJECT IDENTIFIER, whose content has size octets.
func (o OID) appendBER(b []byte, size int) []byte {
	b = AppendBERHeader(b, byte(ObjectIdentifier), size)
	first, rest := o.firstSubid()
	b = appendSubid(b, first)
	for _, s := range rest {
		if s < 0x80 {
			b = append(b, byte(s))
		} else {
			b = appendSubid(b, uint64(s))
		}
	}
	return b
}

func (v *Value) contentSize() int {
	switch v.Type.kind() {
	case kindSigned:
		return signedLen(int64(v.Int))
	case kindUnsigned:
		return unsignedLen(v.Uint)
	case kindOctets:
		return len(v.Octets)
	case kindOID:
		return v.OID.contentSize()
	}
	return 0
}

func (v *Value) appendBER(b []byte, size int) []byte {
	if v.Type.kind() == kindOID {
		return v.OID.appendBER(b, size)
	}
	b = AppendBERHeader(b, byte(v.Type), size)
	switch v.Type.kind() {
	case kindSigned:
		b = appendBytes(b, uint64(v.Int), size)
	case kindUnsigned:
		b = appendBytes(b, v.Uint, size)
	case kindOctets:
		b = append(b, v.Octets...)
	}
	return b
}

// BERSize returns the length of the binding's encoding.
func (vb *VarBind) BERSize() int {
	name, value := vb.Name.contentSize(), vb.Value.contentSize()
	n := BERHeaderSize(name) + name + BERHeaderSize(value) + value
	return BERHeaderSize(n) + n
}

// AppendBER appends the binding: a SEQUENCE of name and value.
func (vb *VarBind) AppendBER(b []byte) []byte {
	name, value := vb.Name.contentSize(), vb.Value.contentSize()
	b = AppendBERHeader(b, TagSequence, BERHeaderSize(name)+name+BERHeaderSize(value)+value)
	b = vb.Name.appendBER(b, name)
	return vb.Value.appendBER(b, value)
}
