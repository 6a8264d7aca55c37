package mib

import (
	"slices"

	"rtfm/ruleset/attr"

	"rtfm/mib/smi"
)

// selection is a choice of attributes that the index of a package, of a block
// or of column activity names.
type selection struct {
	form    form
	work    *int    // of the Handler
	subids  smi.OID // as the index has them
	fields  []field
	recipes []*recipe // by ID of the flows' shape
	last    *recipe   // of the flow before, or nil
}

// parse makes s the choice of the attributes that subids name, each by so many
// of them. False if flows have no such attribute. What s was before is not
// looked at again, so that variable after variable with one selector costs but
// a comparison.
func (s *selection) parse(subids smi.OID, name attributeName) bool {
	if len(s.fields) > 0 && slices.Equal(s.subids, subids) {
		return true
	}
	s.fields, s.recipes, s.last = s.fields[:0], nil, nil
	*s.work += workField * len(subids)
	for rest := subids; len(rest) > 0; {
		var a attr.Attr
		var fd field
		var ok bool
		if a, rest, ok = name(rest); ok {
			fd, ok = newField(a)
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

// append appends the values that a flow has of the chosen attributes.
func (s *selection) append(b []byte, f *flowView) []byte {
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

// attributeName takes the name of an attribute from the beginning of subids.
type attributeName func(subids smi.OID) (a attr.Attr, rest smi.OID, ok bool)

// byOctet is for the names of attributes that have one octet: in packages and
// in column activity.
func byOctet(subids smi.OID) (attr.Attr, smi.OID, bool) {
	n := subids[0]
	if n >= packagePrivate {
		return attr.Attr(n - packagePrivate + privateBase), subids[1:], n <= 255
	}
	return attr.Attr(n), subids[1:], true
}

// byNumber is for full numbers in two octets: in blocks.
func byNumber(subids smi.OID) (attr.Attr, smi.OID, bool) {
	if len(subids) < 2 || subids[0] > 255 || subids[1] > 255 {
		return 0, nil, false
	}
	return attr.Attr(subids[0]<<8 | subids[1]), subids[2:], true
}

// packagePrivate is the number in a package selector, whose attributes have
// one octet each, that stands for attribute 1024, the first private one.
const (
	packagePrivate = 192
	privateBase    = 1024
)

// PackageSelector returns the octet by which a package selector names an
// attribute, false if none does.
func PackageSelector(a attr.Attr) (byte, bool) {
	switch {
	case !a.Readable():
		return 0, false
	case a < packagePrivate:
		return byte(a), true
	case a >= privateBase && a < privateBase+256-packagePrivate:
		return byte(a - privateBase + packagePrivate), true
	}
	return 0, false
}

// selector splits an index that begins with the length of a list and the
// list, false if it does not.
func selector(index smi.OID) (list, rest smi.OID, ok bool) {
	if len(index) == 0 || index[0] == 0 || int64(index[0]) >= int64(len(index)) {
		return nil, nil, false
	}
	n := 1 + int(index[0])
	return index[1:n], index[n:], true
}
