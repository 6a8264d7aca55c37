package record

import (
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// NameOf returns what the tables of a flow's ruleset, or the flow data that it was
// read from, call a value that it has saved; empty if they do not.
func NameOf(names *ruleset.Names, f *match.Flow, a attr.Attr) string {
	for i := range f.Names {
		if f.Names[i].Attr == a {
			return f.Names[i].Text
		}
	}
	if !names.Has(a) {
		return ""
	}
	mask, saved := f.Shape.Mask(a)
	if !saved {
		return ""
	}
	return names.Of(a, mask, attr.MakeValue(f.Value(a)...))
}

// IsNamed reports whether values of a may have names: those are of addresses and
// numbers of packets.
func IsNamed(a attr.Attr) bool {
	class := a.Info().Class
	return class == attr.ClassInteger || class == attr.ClassAddress
}

// nameSuffix stands behind the name of an attribute in that of the column which has
// the names of its values.
const nameSuffix = "Name"

// NameColumn returns the name of the column that has the names of a's values.
func NameColumn(a attr.Attr) string { return a.String() + nameSuffix }

// NamedColumn returns the attribute whose values have their names in a column, false if
// that is another column.
func NamedColumn(column string) (attr.Attr, bool) {
	name, is := strings.CutSuffix(column, nameSuffix)
	a, known := attr.ByName(name)
	return a, is && known && IsNamed(a)
}
