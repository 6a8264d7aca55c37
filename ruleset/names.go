package ruleset

import "rtfm/ruleset/attr"

// Names are what a ruleset's tables call the values that flows save.
type Names map[nameKey]string

// nameKey is a value under a mask, both filled with zeros.
type nameKey struct {
	attr        attr.Attr
	mask, value [attr.MaxAddress]byte
}

// key returns the key of a value. All of its bits are the same under a mask of the
// value's length and of the attribute's.
func key(a attr.Attr, mask, value attr.Value) nameKey {
	if mask.Padded() == attr.Ones(value.Len()).Padded() {
		mask = attr.Ones(attr.MaxAddress)
	}
	return nameKey{a, mask.Padded(), value.Padded()}
}

// Add names a value.
func (n Names) Add(a attr.Attr, mask, value attr.Value, name string) { n[key(a, mask, value)] = name }

// Of returns the name of a value that a flow has saved under a mask, empty if there
// is none.
func (n Names) Of(a attr.Attr, mask, value attr.Value) string { return n[key(a, mask, value)] }
