package block

import (
	"slices"

	"rtfm/ruleset/attr"

	"rtfm/mib/smi"
)

// Selection is a choice of attributes, as the index of a block, of a package or of
// column activity names it, and writes a flow's values of them.
type Selection struct {
	form    Form
	work    *int    // operations, as mib.Meter.Spend counts them
	subids  smi.OID // as the index has them
	fields  []Field
	recipes []*recipe // by ID of the flows' shape
	last    *recipe   // of the flow before, or nil
}

// Operations of what a Selection does.
const (
	workField  = 4  // to choose an attribute by its number
	workRecipe = 16 // to find out how to write it
)

// NewSelection returns a Selection of nothing. It adds to work the operations
// that it takes beside writing.
func NewSelection(as Form, work *int) Selection { return Selection{form: as, work: work} }

// Parse makes s the choice of the attributes that subids name. False if they name
// none, or one that flows do not have. What s was before is not looked at again,
// so that variable after variable with one choice costs but a comparison.
func (s *Selection) Parse(subids smi.OID) bool {
	if len(s.fields) > 0 && slices.Equal(s.subids, subids) {
		return true
	}
	s.fields, s.recipes, s.last = s.fields[:0], nil, nil
	*s.work += workField * len(subids)
	for rest := subids; len(rest) > 0; {
		var a attr.Attr
		var fd Field
		var ok bool
		if a, rest, ok = s.form.name(rest); ok {
			fd, ok = NewField(a)
		}
		if !ok {
			s.fields = s.fields[:0]
			return false
		}
		s.fields = append(s.fields, fd)
	}
	s.subids = append(s.subids[:0], subids...)
	return len(s.fields) > 0
}

// MaxOctets returns the most octets that the values of a flow take, in a block or
// in column activity.
func (s *Selection) MaxOctets() (n int) {
	for i := range s.fields {
		n += s.fields[i].maxOctets()
	}
	return n
}

// Append appends the values that a flow has of the chosen attributes.
func (s *Selection) Append(b []byte, f *View) []byte {
	if s.last != nil && s.last.shape == f.Shape {
		return s.last.append(b, f)
	}
	id := f.Shape.ID
	if id >= len(s.recipes) || s.recipes[id] == nil || s.recipes[id].shape != f.Shape {
		if id >= len(s.recipes) {
			s.recipes = append(s.recipes, make([]*recipe, id+1-len(s.recipes))...)
		}
		s.recipes[id] = newRecipe(s.form, s.fields, f.Shape)
		*s.work += workRecipe * len(s.fields)
	}
	s.last = s.recipes[id]
	return s.last.append(b, f)
}

// AppendPackage appends a flow's package: its values, each in its type, in a BER
// sequence.
func (s *Selection) AppendPackage(b []byte, f *View) []byte {
	from := len(b)
	b = s.Append(append(b, smi.TagSequence, 0), f)
	n := len(b) - from - 2
	if more := smi.BERHeaderSize(n) - 2; more > 0 {
		b = slices.Insert(b, from+2, make([]byte, more)...)
	}
	smi.AppendBERHeader(b[:from], smi.TagSequence, n)
	return b
}

// name takes the name of an attribute from the beginning of an index.
func (as Form) name(subids smi.OID) (a attr.Attr, rest smi.OID, ok bool) {
	n := subids[0]
	switch {
	case as == Blocks && (len(subids) < 2 || n > 255 || subids[1] > 255):
		return 0, nil, false
	case as == Blocks:
		return attr.Attr(n<<8 | subids[1]), subids[2:], true
	case n >= packagePrivate:
		return attr.Private + attr.Attr(n-packagePrivate), subids[1:], n <= 255
	}
	return attr.Attr(n), subids[1:], true
}

// AppendName appends to an index the name of an attribute, false if it has none
// there.
func (as Form) AppendName(index smi.OID, a attr.Attr) (smi.OID, bool) {
	switch {
	case !a.Readable():
		return index, false
	case as == Blocks:
		return append(index, uint32(a>>8), uint32(a&0xff)), true
	case a < packagePrivate:
		return append(index, uint32(a)), true
	case a >= attr.Private && a < attr.Private+256-packagePrivate:
		return append(index, uint32(a-attr.Private+packagePrivate)), true
	}
	return index, false
}

// packagePrivate is the number that stands for the first private attribute where
// attributes have one octet each.
const packagePrivate = 192
