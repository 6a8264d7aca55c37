package netflow

import (
	"encoding/binary"

	"rtfm/traces/ipfix"
)

// field is a field of a template: its number, 0 for one that is passed over,
// and its length in octets.
type field struct{ number, length uint16 }

// variable is the length of a field that tells its length itself (RFC 7011
// section 7).
const variable = 0xffff

// template says what records are made of.
type template struct {
	fields  []field
	options bool // the records are options
	least   int  // the length of the shortest record, more than 0
	// The records are of a feed of packets (traces/feed): those that count none are
	// no flows, and nobody misses them.
	feed bool
}

// size is what the template takes of the memory for all, in units of a field.
func (t *template) size() int { return len(t.fields) + 32 }

// specifiers reads n field specifiers, of which so many at the beginning are
// scopes, into a template; false if b has less. IPFIX has enterprise numbers,
// NetFlow 9 scopes with numbers of their own.
func specifiers(b []byte, n, scopes int, isIPFIX bool) (t *template, rest []byte, ok bool) {
	t = &template{}
	for i := range n {
		if len(b) < 4 {
			return nil, nil, false
		}
		f := field{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])}
		b = b[4:]
		known := f.number&reverse == 0 && read(f.number)
		t.feed = t.feed || f.number == ipfix.ObservationTimeNanoseconds
		switch {
		case isIPFIX && f.number&reverse != 0: // an enterprise number follows
			if len(b) < 4 {
				return nil, nil, false
			}
			pen := binary.BigEndian.Uint32(b)
			known = pen == ipfix.ReversePEN && read(f.number)
			t.feed = t.feed || pen == ipfix.PEN
			b = b[4:]
		case !isIPFIX && i < scopes:
			known = false
		}
		if !known {
			f.number = 0
		}
		if f.length == 0 {
			continue // it would take time in each record, but no room
		}
		if f.length == variable && isIPFIX {
			t.least++
		} else {
			t.least += int(f.length)
		}
		// Fields that are passed over become one.
		if last := len(t.fields) - 1; last >= 0 && f.number == 0 && t.fields[last].number == 0 &&
			f.length != variable && t.fields[last].length < variable-f.length {
			t.fields[last].length += f.length
		} else {
			t.fields = append(t.fields, f)
		}
	}
	return t, b, true
}

// record reads a record at the beginning of b, into f or o. It returns the
// record's length, false if b is shorter.
func (t *template) record(b []byte, f *flow, o *options) (n int, ok bool) {
	at := b
	for _, fd := range t.fields {
		size := int(fd.length)
		if size == variable {
			if len(at) < 1 {
				return 0, false
			}
			size, at = int(at[0]), at[1:]
			if size == 255 {
				if len(at) < 2 {
					return 0, false
				}
				size, at = int(binary.BigEndian.Uint16(at)), at[2:]
			}
		}
		if len(at) < size {
			return 0, false
		}
		switch value := at[:size]; {
		case fd.number == 0:
		case t.options:
			o.set(fd.number, number(value))
		default:
			f.set(fd.number, value)
		}
		at = at[size:]
	}
	return len(b) - len(at), true
}
