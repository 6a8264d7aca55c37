package block

import (
	"encoding/binary"
	"errors"
	"fmt"

	"rtfm/mib/smi"
)

// Values takes the values of one flow, in the order of a Reader's attributes: i is
// the place of the attribute. Octets are valid until the block or package changes.
type Values interface {
	Number(i int, n uint64) error
	Octets(i int, octets []byte) error
}

// Reader reads the values of chosen attributes. What it reads may come from anybody:
// lengths are checked, sizes and ranges of values are for Values to check.
type Reader struct {
	fields []Field
	rest   []byte // of the block
	left   int    // flows
	values []smi.Value
}

var errShort = errors.New("it is cut short")

// NewReader returns a Reader of these fields.
func NewReader(fields []Field) *Reader {
	return &Reader{fields: fields, values: make([]smi.Value, len(fields))}
}

// Block begins a block, whose flows Flow reads.
func (r *Reader) Block(b []byte) error {
	if len(b) < HeadOctets {
		return fmt.Errorf("%d octets", len(b))
	}
	r.left, r.rest = int(binary.BigEndian.Uint16(b)), b[HeadOctets:]
	return nil
}

// More reports whether the block has another flow.
func (r *Reader) More() bool { return r.left > 0 }

// Rest returns how many octets of the block are left.
func (r *Reader) Rest() int { return len(r.rest) }

// Flow reads the block's next flow.
func (r *Reader) Flow(to Values) error {
	b := r.rest
	r.left--
	for i := range r.fields {
		fd := &r.fields[i]
		if fd.typ != smi.OctetString {
			size := int(fd.size)
			if len(b) < size {
				return errShort
			}
			if err := to.Number(i, unsigned(b[:size])); err != nil {
				return err
			}
			b = b[size:]
			continue
		}
		head := 1
		if fd.kind == fieldDistribution {
			head = 2
		}
		if len(b) < head {
			return errShort
		}
		size := int(unsigned(b[:head]))
		b = b[head:]
		if len(b) < size {
			return errShort
		}
		if err := to.Octets(i, b[:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	r.rest = b
	return nil
}

// unsigned returns the number that octets are, the high-order one first.
func unsigned(octets []byte) (n uint64) {
	for _, o := range octets {
		n = n<<8 | uint64(o)
	}
	return n
}

// Package reads a package: a BER sequence of values (RFC 2720, flowPackageData).
func (r *Reader) Package(b []byte, to Values) error {
	outer := smi.NewDecoder(b)
	d, err := outer.Expect(smi.TagSequence)
	if err != nil {
		return err
	}
	for i := range r.fields {
		if err := d.Value(&r.values[i]); err != nil {
			return err
		}
		if err := r.fields[i].Read(i, &r.values[i], to); err != nil {
			return err
		}
	}
	if n := d.Len(); n > 0 {
		return fmt.Errorf("it has %d octets too many", n)
	}
	return nil
}

// Read passes on the field's value as a variable shows it.
func (fd *Field) Read(i int, v *smi.Value, to Values) error {
	switch {
	case v.Type != fd.typ:
		return fmt.Errorf("%v has type %v, not %v", fd.attr, v.Type, fd.typ)
	case v.Type == smi.OctetString:
		return to.Octets(i, v.Octets)
	case v.Type == smi.Integer32:
		if v.Int < 0 {
			return fmt.Errorf("%v is %d", fd.attr, v.Int)
		}
		return to.Number(i, uint64(v.Int))
	}
	return to.Number(i, v.Uint)
}
