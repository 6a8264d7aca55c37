package flowfile

import (
	"fmt"
	"slices"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// A field says what a value of a flow record becomes.
type field struct {
	name string
	kind fieldKind
	attr attr.Attr // of all but identity
	// place is which one of record.Identity, or a bit of rowState.have.
	place uint16   // or of the parts of a statistic
	in    keyPlace // of what flows save
}

// keyPlace says where the key of flows has an attribute.
type keyPlace struct {
	offset, size uint8 // in octets
	number       bool  // it is written as a number
}

type fieldKind uint8

const (
	fieldIgnored  fieldKind = iota // derived from others, or not ours
	fieldIdentity                  // one of record.Identity
	fieldMeasured
	fieldSaved
	fieldMask
	fieldName // of a value of attr
	fieldDistribution
	fieldDeltaDistribution // its counters of the interval
	fieldPart              // of a statistic: place is which
	fieldDeltaPart         // what the interval added to it
	fieldBits              // SavedAttributes
)

// fieldOf returns the field of a column or member of this name, false if there is
// none.
func fieldOf(name string) (field, bool) {
	if rest, ok := strings.CutPrefix(name, deltaName); ok {
		if a, ok := attr.ByName(rest); ok && a.Info().Class == attr.ClassDistrib {
			return field{name: name, kind: fieldDeltaDistribution, attr: a}, true
		}
	}
	if f, ok := partByColumn(name); ok {
		return f, true
	}
	for i, c := range record.Identity() {
		if c.Name == name && name != attr.FlowRuleSet.String() {
			return field{name: name, kind: fieldIdentity, place: uint16(i)}, true
		}
	}
	is := func(c record.Column) bool { return c.Name == name }
	if slices.ContainsFunc(record.Texts(), is) || slices.ContainsFunc(record.Fed(), is) {
		return field{name: name}, true
	}
	a, ok := attr.ByName(name)
	if a, named := record.NamedColumn(name); named {
		return field{name: name, kind: fieldName, attr: a}, true
	}
	if !ok || !a.IsColumn() {
		return field{name: name}, false
	}
	return attributeField(name, a), true
}

// attributeField returns the field of an attribute.
func attributeField(name string, a attr.Attr) field {
	f := field{name: name, attr: a}
	switch a.Info().Class {
	case attr.ClassMeasured, attr.ClassInterval:
		if f.kind = fieldMeasured; a == attr.SavedAttributes {
			f.kind = fieldBits
		}
		f.place = bitOf(a)
	case attr.ClassInteger, attr.ClassComputed, attr.ClassAddress:
		f.kind = fieldSaved
		f.in = keyPlace{uint8(a.Info().Offset), uint8(a.Info().Size), isNumber(a)}
	case attr.ClassMask:
		f.kind = fieldMask
	case attr.ClassDistrib, attr.ClassStatistic:
		f.kind = fieldDistribution
	}
	return f
}

// told are the attributes of which rowState.have has a bit.
var told = [...]attr.Attr{
	attr.DeltaToPDUs, attr.DeltaFromPDUs, attr.DeltaToOctets, attr.DeltaFromOctets, // deltaBits
	attr.ToPDUs, attr.FromPDUs, attr.ToOctets, attr.FromOctets, attr.FlowIndex,
	attr.FirstTime, attr.FirstTimeNs, attr.LastActiveTime, attr.LastActiveTimeNs,
}

// deltaBits are the bits of what the interval added.
const deltaBits = 1<<4 - 1

// bitOf returns the bit of an attribute, 0 if it has none.
func bitOf(a attr.Attr) uint16 {
	if a == attr.FlowTimeMark {
		a = attr.LastActiveTime
	}
	if i := slices.Index(told[:], a); i >= 0 {
		return 1 << i
	}
	return 0
}

// missing returns those attributes that all flows have and these bits do not. A time
// is there as uptime and in nanoseconds if it is as one of them. What the interval
// added is either not known at all, or some of it is missing.
func missing(have uint16) (none []attr.Attr) {
	for _, pair := range [][2]attr.Attr{{attr.FirstTime, attr.FirstTimeNs}, {attr.LastActiveTime, attr.LastActiveTimeNs}} {
		if both := bitOf(pair[0]) | bitOf(pair[1]); have&both != 0 {
			have |= both
		}
	}
	if have&deltaBits == 0 {
		have |= deltaBits
	}
	for i, a := range told {
		if have&(1<<i) == 0 {
			none = append(none, a)
		}
	}
	return none
}

// numberFault says that text is no number of so many bits.
func numberFault(text []byte, bits int) error {
	for _, c := range text {
		if c < '0' || c > '9' {
			return fmt.Errorf("%q is not a number", shown(text))
		}
	}
	return fmt.Errorf("%q is no number of %d bits", shown(text), bits)
}

// shown returns as much of a text as an error may have.
func shown(text []byte) []byte {
	const most = 60
	if len(text) > most {
		return append(slices.Clone(text[:most]), "..."...)
	}
	return text
}

// parseUint reads decimal digits, false if they are none, or more than 64 bits.
func parseUint(text []byte) (n uint64, ok bool) {
	if len(text) == 0 || len(text) > 20 {
		return 0, false
	}
	for _, c := range text {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		if n > (1<<64-1)/10 || n == (1<<64-1)/10 && d > (1<<64-1)%10 {
			return 0, false
		}
		n = 10*n + d
	}
	return n, true
}
