package attr

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// A named is a value of an attribute and what people call it.
type named struct {
	value uint16
	// of is the transport in whose flows the value is shown by this name, 0 for all.
	// In rules the name stands for the value in any case.
	of uint8
	// names are separated by blanks: the first is shown, all are read.
	names string
	// icmpType is the type of ICMP whose code this is, plus one; 0 for no code.
	icmpType uint16
}

// The transports that change what a value is called.
const (
	transAny     uint8 = 0
	transICMP    uint8 = 1
	transTCP     uint8 = 6
	transUDP     uint8 = 17
	transDCCP    uint8 = 33
	transICMPv6  uint8 = 58
	transSCTP    uint8 = 132
	transUDPLite uint8 = 136
)

// A nameTable holds the names of the values of some attributes.
type nameTable struct {
	attrs  []Attr
	values [][]named // each in order of value
	byName func() map[string]uint16
}

// nameTables has each attribute once at most.
var nameTables = [...]*nameTable{
	names([]Attr{SourceAdjacentType, DestAdjacentType}, adjacentTypes),
	names([]Attr{SourcePeerType, DestPeerType}, peerTypes),
	names([]Attr{SourceTransType, DestTransType}, protocols),
	names([]Attr{SourceTransAddress, DestTransAddress}, ports, icmpTypes, icmpCodes),
	names([]Attr{DSCodePoint}, codePoints),
	names([]Attr{Priority}, priorities),
	names([]Attr{ECNCodeBits}, ecnCodes),
	names([]Attr{TunnelKind}, tunnelKinds),
	names([]Attr{Duplicate}, duplicates),
}

// names returns a table whose index by name is made when it is first needed.
func names(attrs []Attr, values ...[]named) *nameTable {
	return &nameTable{attrs, values, sync.OnceValue(func() map[string]uint16 {
		index := make(map[string]uint16)
		for _, list := range values {
			for _, v := range list {
				for name := range strings.FieldsSeq(v.names) {
					index[strings.ToLower(name)] = v.value
				}
			}
		}
		return index
	})}
}

// namesOf returns the table of names for attribute a, nil if its values have none.
func namesOf(a Attr) *nameTable {
	a = a.Outer()
	for _, t := range nameTables {
		if slices.Contains(t.attrs, a) {
			return t
		}
	}
	return nil
}

// ValueName returns the value that a well-known name stands for in a rule on
// attribute a, whatever transport it belongs to, and attribute names for the meter
// variables, which an Assign rule sets. Case is ignored, and '_' is the same as '-'.
func ValueName(a Attr, name string) (Value, bool) {
	if a.Info().Class == ClassVariable {
		if of, ok := ByName(name); ok {
			return AttrValue(of), true
		}
		return Value{}, false
	}
	if a.takesPairName() {
		kind, ok := pairKindByName(name)
		return MakeValue(0, byte(kind)).Resize(DistributionSize), ok
	}
	t := namesOf(a)
	if t == nil {
		return Value{}, false
	}
	n, ok := t.byName()[strings.ReplaceAll(strings.ToLower(name), "_", "-")]
	return number(uint64(n), a.info().Size), ok
}

// ValueNames returns the names that ValueName knows for attribute a, in no
// particular order; none when rules on a take numbers or addresses only.
func ValueNames(a Attr) []string {
	if a.Info().Class == ClassVariable {
		return TestableNames()
	}
	if a.takesPairName() {
		return pairKindNames()
	}
	t := namesOf(a)
	if t == nil {
		return nil
	}
	names := make([]string, 0, len(t.byName()))
	for n := range t.byName() {
		names = append(names, n)
	}
	return names
}

// TestableNames returns the names of the attributes that rules may test.
func TestableNames() []string {
	var names []string
	for i := range attributes {
		if in := &attributes[i]; in.Attr.Testable() {
			names = append(names, in.Name)
		}
	}
	return names
}

// NameOf returns what people call value v of attribute a in flows of some transport
// protocol, 0 if that is not known; "" if it has no name. ValueName returns v for each
// such name. Codes of ICMP depend on the type: codeName knows them.
func NameOf(a Attr, v uint64, transport uint8) string {
	t := namesOf(a)
	if t == nil || v > 0xffff {
		return ""
	}
	if a.isTrans() {
		switch transport {
		case transICMP, transICMPv6:
			if a.Outer() == DestTransAddress {
				return ""
			}
			return shown(icmpTypes, v, transport)
		}
	}
	return shown(t.values[0], v, transport)
}

// codeName returns what people call a code of a type of ICMP or ICMPv6, which is the
// transport; "" if it has no name. It is a name of a transport address.
func codeName(transport, icmpType, code uint8) string {
	for _, v := range icmpCodes {
		if v.of == transport && v.icmpType == uint16(icmpType)+1 && v.value == uint16(code) {
			return v.names[:wordEnd(v.names)]
		}
	}
	return ""
}

// shown returns the first name of a value in flows of a transport.
func shown(values []named, v uint64, transport uint8) string {
	i, _ := slices.BinarySearchFunc(values, uint16(v), func(n named, v uint16) int { return cmp.Compare(n.value, v) })
	first := ""
	for ; i < len(values) && values[i].value == uint16(v); i++ {
		name := values[i].names[:wordEnd(values[i].names)]
		switch values[i].of {
		case transport:
			return name
		case transAny:
			first = name
		}
	}
	return first
}

// wordEnd returns where the first word of names ends.
func wordEnd(names string) int {
	if i := strings.IndexByte(names, ' '); i >= 0 {
		return i
	}
	return len(names)
}

// isTrans reports whether a is a transport address, of the packet or of the one that a
// tunnel carries.
func (a Attr) isTrans() bool {
	a = a.Outer()
	return a == SourceTransAddress || a == DestTransAddress
}

// Named returns the attributes whose values have names, one of each direction.
func Named() []Attr {
	list := make([]Attr, len(nameTables))
	for i, t := range nameTables {
		list[i] = t.attrs[0]
	}
	return list
}

// NamedValue is a value and its names in rules.
type NamedValue struct {
	Value uint16
	Names []string
	// Of says of what the value is called so, if not of all: `udp`, `type of icmp`,
	// `code of unreachable`.
	Of string
}

// NamedValues returns the values of attribute a that have names: ports in order, then
// the types of ICMP and of ICMPv6, then codes type by type.
func NamedValues(a Attr) []NamedValue {
	t := namesOf(a)
	if t == nil {
		return nil
	}
	var values []NamedValue
	for _, list := range t.values {
		first := len(values)
		for _, v := range list {
			values = append(values, NamedValue{v.value, strings.Fields(v.names), v.belongs()})
		}
		if first > 0 {
			slices.SortStableFunc(values[first:], func(a, b NamedValue) int { return strings.Compare(a.Of, b.Of) })
		}
	}
	return values
}

// belongs says of what v is called so, if not of all.
func (v *named) belongs() string {
	switch {
	case v.of == transAny:
		return ""
	case v.icmpType > 0:
		return "code of " + shown(icmpTypes, uint64(v.icmpType-1), v.of)
	case v.of == transICMP || v.of == transICMPv6:
		return "type of " + NameOf(SourceTransType, uint64(v.of), 0)
	}
	return NameOf(SourceTransType, uint64(v.of), 0)
}
