package ruleset

import (
	"maps"
	"slices"

	"rtfm/ruleset/attr"
)

// Names are what a ruleset's tables call the values that flows save. They do not
// change any more once a ruleset is made, and are safe for concurrent use. A nil
// pointer has none.
type Names struct {
	of map[attr.Attr]map[nameKey]string
}

// MaxName is how many octets a name has at most: it is shown in tables and kept with
// each flow.
const MaxName = 255

// nameKey is a value under a mask, both filled with zeros.
type nameKey struct{ mask, value [attr.MaxAddress]byte }

// keyOf returns the key of a value. All of its bits are the same under a mask of the
// value's length and of the attribute's.
func keyOf(mask, value attr.Value) nameKey {
	if mask.Padded() == attr.Ones(value.Len()).Padded() {
		mask = attr.Ones(attr.MaxAddress)
	}
	return nameKey{mask.Padded(), value.Padded()}
}

// Grow makes room for names of so many values of a.
func (n *Names) Grow(a attr.Attr, values int) {
	if n.of == nil {
		n.of = map[attr.Attr]map[nameKey]string{}
	}
	if n.of[a] == nil {
		n.of[a] = make(map[nameKey]string, values)
	}
}

// Add names a value.
func (n *Names) Add(a attr.Attr, mask, value attr.Value, name string) {
	n.Grow(a, 1)
	n.of[a][keyOf(mask, value)] = name
}

// Of returns the name of a value that a flow has saved under a mask, empty if there
// is none.
func (n *Names) Of(a attr.Attr, mask, value attr.Value) string {
	if !n.Has(a) {
		return ""
	}
	return n.of[a][keyOf(mask, value)]
}

// Has reports whether values of a have names.
func (n *Names) Has(a attr.Attr) bool { return n != nil && len(n.of[a]) > 0 }

// Attrs returns the attributes whose values have names, in order of number.
func (n *Names) Attrs() []attr.Attr {
	if n == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(n.of))
}

// Len returns how many values have names.
func (n *Names) Len() (all int) {
	if n != nil {
		for _, of := range n.of {
			all += len(of)
		}
	}
	return all
}
