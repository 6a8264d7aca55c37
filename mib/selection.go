package mib

import (
	"slices"

	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// selection is a choice of attributes that the index of a package, of a block
// or of column activity names.
type selection struct {
	subids smi.OID // as the index has them
	fields []field
}

// parse makes s the choice that subids name; in a package selector private
// attributes stand as 192 + n for 1024 + n. False if flows have no such
// attribute. What s was before is not looked at again, so that variable after
// variable with one selector costs but a comparison.
func (s *selection) parse(subids smi.OID, private uint32) bool {
	if len(s.fields) > 0 && slices.Equal(s.subids, subids) {
		return true
	}
	s.fields = s.fields[:0]
	for _, n := range subids {
		ok := n <= 0xffff
		if private != 0 && n >= private {
			ok = n <= 255
			n += 1024 - private
		}
		var fd field
		if ok {
			fd, ok = newField(ruleset.Attr(n))
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

// packagePrivate is the number in a package selector, whose attributes have
// one octet each, that stands for attribute 1024, the first private one.
const packagePrivate = 192

// PackageSelector returns the octet by which a package selector names an
// attribute, false if none does.
func PackageSelector(a ruleset.Attr) (byte, bool) {
	switch {
	case !a.Readable():
		return 0, false
	case a < packagePrivate:
		return byte(a), true
	case a >= 1024 && a < 1024+256-packagePrivate:
		return byte(a - 1024 + packagePrivate), true
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
