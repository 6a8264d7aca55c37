package block

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"rtfm/ruleset/match"

	"rtfm/mib/smi"
)

// Form is how the values of a flow stand one after the other.
type Form uint8

const (
	// Packages have each value as a BER element.
	Packages Form = iota
	// Blocks have numbers in the attribute's own size, high-order octet first.
	// Octets are after one that tells how many they are, those of a
	// distribution after two.
	Blocks
	// Activity is for column activity data: as in blocks, but for zeros that
	// octets end in, which are left out.
	Activity
)

// head returns what comes before so many octets.
func (as Form) head(octets int) []byte {
	if as == Packages {
		return smi.AppendBERHeader(nil, byte(smi.OctetString), octets)
	}
	return []byte{byte(octets)}
}

// recipe is how the values of a selection are written for flows of one shape:
// what follows from the shape is found out once.
type recipe struct {
	form  Form
	shape *match.Shape
	steps []step
	room  int // octets that all steps need but those of distributions
}

// step writes a value.
type step struct {
	kind    stepKind
	headLen uint8
	head    [2]byte // what comes before octets
	literal []byte
	field   Field
}

type stepKind uint8

const (
	stepLiteral stepKind = iota
	stepOctets           // so many octets of the key
	stepText             // octets of the key without zeros at their end
	stepBER              // a number, as BER element
	stepNumber           // a number
	stepDistribution
	// Numbers that nearly all selections have.
	stepIndex
	stepToOctets
	stepToPDUs
	stepFromOctets
	stepFromPDUs
	stepFirstTime
	stepLastTime
	stepFirstNs
	stepLastNs
)

// numberStep returns how a field that is a number is written.
func numberStep(k fieldKind) stepKind {
	switch k {
	case fieldIndex:
		return stepIndex
	case fieldToOctets:
		return stepToOctets
	case fieldToPDUs:
		return stepToPDUs
	case fieldFromOctets:
		return stepFromOctets
	case fieldFromPDUs:
		return stepFromPDUs
	case fieldFirstTime:
		return stepFirstTime
	case fieldLastTime:
		return stepLastTime
	case fieldFirstNs:
		return stepFirstNs
	case fieldLastNs:
		return stepLastNs
	}
	return stepNumber
}

// wordLen is how many octets numbers, and octets of the key, are written by at
// a time: what is too many is written over by the next step.
const wordLen = 8

func newRecipe(as Form, fields []Field, shape *match.Shape) *recipe {
	r := &recipe{form: as, shape: shape, room: wordLen}
	for _, fd := range fields {
		s := step{field: fd}
		switch fd.kind {
		case fieldOctets, fieldText:
			s.kind, s.field.size = stepOctets, uint8(shape.Len(fd.attr))
			if as == Activity {
				s.field.min = 0
			}
			if fd.kind == fieldText || as == Activity {
				s.kind = stepText
			}
			s.headLen = uint8(copy(s.head[:], as.head(int(s.field.size))))
		case fieldMask:
			of := fd.attr - 1
			mask, _ := shape.Mask(of)
			octets := mask.Resize(shape.Len(of)).Append(nil)
			if as == Activity {
				octets = trim(octets, 0)
			}
			s.literal = append(as.head(len(octets)), octets...)
		case fieldSaved:
			octets := shape.AppendSaved(nil)
			s.literal = append(as.head(len(octets)), octets...)
		case fieldDistribution:
			s.kind = stepDistribution
		case fieldNumber:
			if s.kind = stepBER; as != Packages {
				s.kind = stepOctets // without a head
			}
		default:
			if s.kind = stepBER; as != Packages {
				s.kind = numberStep(fd.kind)
			}
		}
		r.room += len(s.literal) + len(s.head) + max(int(s.field.size), 1+wordLen)
		r.steps = append(r.steps, s)
	}
	return r
}

// append appends the values that f has.
func (r *recipe) append(b []byte, f *View) []byte {
	b = slices.Grow(b, r.room)
	n, b := len(b), b[:cap(b)]
	for i := range r.steps {
		s := &r.steps[i]
		switch s.kind {
		case stepLiteral:
			n += copy(b[n:], s.literal)
		case stepOctets:
			b[n], b[n+1] = s.head[0], s.head[1]
			n += int(s.headLen)
			// Octets are read by as many at a time as they were written by:
			// processors make others wait.
			from := f.Key[s.field.off:]
			switch s.field.size {
			case 1:
				b[n] = from[0]
			case 2:
				binary.NativeEndian.PutUint16(b[n:], binary.NativeEndian.Uint16(from))
			case 4:
				binary.NativeEndian.PutUint32(b[n:], binary.NativeEndian.Uint32(from))
			default:
				copy(b[n:], from[:s.field.size])
			}
			n += int(s.field.size)
		case stepText:
			octets := trim(f.Key[s.field.off:s.field.off+s.field.size], int(s.field.min))
			b[n], b[n+1] = s.head[0], s.head[1]
			n += int(s.headLen)
			b[n-1] = byte(len(octets))
			n += copy(b[n:], octets)
		case stepBER:
			n += putUnsigned(b[n:], s.field.typ, f.number(&s.field))
		case stepNumber:
			binary.BigEndian.PutUint64(b[n:], f.number(&s.field)<<(8*(wordLen-s.field.size)))
			n += int(s.field.size)
		case stepIndex:
			binary.BigEndian.PutUint32(b[n:], f.Index)
			n += 4
		case stepToOctets:
			binary.BigEndian.PutUint64(b[n:], f.ToOctets)
			n += 8
		case stepToPDUs:
			binary.BigEndian.PutUint64(b[n:], f.ToPDUs)
			n += 8
		case stepFromOctets:
			binary.BigEndian.PutUint64(b[n:], f.FromOctets)
			n += 8
		case stepFromPDUs:
			binary.BigEndian.PutUint64(b[n:], f.FromPDUs)
			n += 8
		case stepFirstTime:
			binary.BigEndian.PutUint32(b[n:], f.Ticks(f.FirstTime))
			n += 4
		case stepLastTime:
			binary.BigEndian.PutUint32(b[n:], f.Ticks(f.LastTime))
			n += 4
		case stepFirstNs:
			binary.BigEndian.PutUint64(b[n:], uint64(f.FirstTime))
			n += 8
		case stepLastNs:
			binary.BigEndian.PutUint64(b[n:], uint64(f.LastTime))
			n += 8
		case stepDistribution:
			octets := f.distribution(s.field.attr)
			if b = b[:n]; r.form == Packages {
				b = smi.AppendBERHeader(b, byte(smi.OctetString), len(octets))
			} else {
				b = binary.BigEndian.AppendUint16(b, uint16(len(octets)))
			}
			b = append(b, octets...)
			n, b = len(b), slices.Grow(b, r.room)
			b = b[:cap(b)]
		}
	}
	return b[:n]
}

// putUnsigned puts a number that is not negative, as BER element, at the
// beginning of b and returns its length. It writes up to 2 octets and a word
// after the number's own.
func putUnsigned(b []byte, typ smi.Type, n uint64) int {
	size := bits.Len64(n)/8 + 1
	b[0], b[1] = byte(typ), byte(size)
	if size > wordLen {
		b[2] = 0 // keeps the sign bit clear
		binary.BigEndian.PutUint64(b[3:], n)
	} else {
		binary.BigEndian.PutUint64(b[2:], n<<(8*(wordLen-size)))
	}
	return 2 + size
}

// appendUnsigned appends what putUnsigned puts.
func appendUnsigned(b []byte, typ smi.Type, n uint64) []byte {
	var room [3 + wordLen]byte
	return append(b, room[:putUnsigned(room[:], typ, n)]...)
}
