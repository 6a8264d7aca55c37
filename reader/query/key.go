package query

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/spell"
)

// Key is what flows are added up by.
type Key struct {
	kind  keyKind
	attr  attr.Attr // of the source, for hosts
	width [2]uint8  // leading bits of addresses of 4 and of 16 octets, whole for all
	list  *Networks // nil without one
}

type keyKind uint8

const (
	keyAttribute keyKind = iota
	keyHost              // both ends of a flow
	keyIndex
	keyRuleSet
	keyMeter
)

// hostWord is the key that is the address of both ends of a flow, each in its turn.
const hostWord = "Host"

// isHosts reports whether any of the keys is for both ends of a flow.
func isHosts(keys []Key) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.kind == keyHost })
}

// ParseKeys reads keys with commas between them:
//
//	SourcePeerAddress       the attribute's value
//	SourcePeerAddress/24    the first 24 bits of IPv4 addresses
//	SourcePeerAddress/24/64 and the first 64 of IPv6 addresses
//	DestPeerAddress=FILE    the network of a list of them, see ReadNetworks
//	Host, Host/24, Host=FILE   the same of both ends: a flow adds to two rows, to the
//	                        second with To and From changed over
//	Port                    that of both ends, likewise
//	SrcPort, Proto          and the other words of SRL for attributes
//	FlowIndex, FlowRuleSet, Meter
//
// open opens a list.
func ParseKeys(text string, open func(name string) (*Networks, error)) ([]Key, error) {
	var keys []Key
	for part := range strings.SplitSeq(text, ",") {
		k, err := parseKey(strings.TrimSpace(part), open)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(o Key) bool { return o == k }) {
			return nil, fmt.Errorf("%s is there twice", k)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parseKey(text string, open func(name string) (*Networks, error)) (k Key, err error) {
	k.width = [2]uint8{whole, whole}
	name, file, isList := strings.Cut(text, "=")
	var widths []string
	if !isList {
		words := strings.Split(text, "/")
		name, widths = words[0], words[1:]
	}
	if err := k.named(name); err != nil {
		return k, err
	}
	isAddress := k.attr.IsPeer()
	switch {
	case !isAddress && (isList || len(widths) > 0):
		return k, fmt.Errorf("%s is no address of a host: it has neither widths nor lists of networks", k)
	case isList && file == "":
		return k, fmt.Errorf("want a file of networks behind %s=", k)
	case isList:
		k.list, err = open(file)
		return k, err
	case len(widths) > 2:
		return k, fmt.Errorf("%q has more than two widths: want %s/24, or %[2]s/24/64 for IPv6 too", text, k)
	}
	for i, w := range widths {
		most := [...]int{32, 128}[i]
		n, err := strconv.Atoi(w)
		if err != nil || n < 0 || n > most {
			return k, fmt.Errorf("%q: want a width of 0 to %d bits for %s", text, most, [...]string{"IPv4, and one for IPv6 behind a second /", "IPv6"}[i])
		}
		k.width[i] = uint8(n)
	}
	return k, nil
}

// named sets what the key is by its name.
func (k *Key) named(name string) error {
	a, known := attr.ByName(name)
	ends := attr.ByWord(name)
	switch {
	case name == "":
		return errors.New("want the name of an attribute, or " + hostWord)
	case strings.EqualFold(name, meterWord):
		k.kind = keyMeter
		return nil
	case len(ends) == 1:
		a = ends[0]
	case len(ends) == 2:
		k.kind, k.attr = keyHost, ends[0]
		return nil
	case !known:
		return errors.New(unknownAttribute(name, KeyNames()))
	}
	k.attr = a
	switch class := a.Info().Class; {
	case a == attr.FlowIndex:
		k.kind = keyIndex
	case a == attr.FlowRuleSet:
		k.kind = keyRuleSet
	case class != attr.ClassInteger && class != attr.ClassAddress && class != attr.ClassComputed:
		return fmt.Errorf("%s is not what flows can be added up by: that takes an attribute which they have saved, %s, FlowIndex, FlowRuleSet or Meter", a, hostWord)
	}
	return nil
}

// Saved returns the attributes of which a flow must have saved one to have the key;
// none if every flow has it.
func (k Key) Saved() []attr.Attr {
	switch k.kind {
	case keyAttribute:
		return []attr.Attr{k.attr}
	case keyHost:
		return []attr.Attr{k.attr, k.attr.Reverse()}
	}
	return nil
}

// unknownAttribute says that there is no such attribute, and which was probably meant.
func unknownAttribute(name string, known []string) string {
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	msg := "there is no attribute " + name
	if n, ok := spell.Nearest(name, known); ok {
		msg += "; did you mean " + n + "?"
	}
	return msg
}

// KeyNames returns the names of keys without widths and lists.
func KeyNames() []string {
	names := append(attr.Words(), "FlowIndex", "FlowRuleSet", meterWord)
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			names = append(names, in.Name)
		}
	}
	return names
}

// ends returns the name of what both ends of a flow have.
func (k *Key) ends() string {
	switch {
	case k.attr.IsPeer():
		return hostWord
	case isPort(k.attr):
		return "Port"
	}
	return strings.TrimPrefix(k.attr.String(), "Source")
}

// String returns the key as ParseKeys reads it.
func (k Key) String() string {
	text := k.attr.String()
	switch k.kind {
	case keyHost:
		text = k.ends()
	case keyMeter:
		text = meterWord
	}
	switch {
	case k.list != nil:
		return text + "=" + k.list.File
	case k.width[1] != whole:
		return fmt.Sprintf("%s/%d/%d", text, k.width[0], k.width[1])
	case k.width[0] != whole:
		return fmt.Sprintf("%s/%d", text, k.width[0])
	}
	return text
}

// keyField is where flows of a shape have a key, for each end.
type keyField [2]field

// fields returns where flows of shape s have the keys.
func fields(keys []Key, s *match.Shape, to []keyField) []keyField {
	to = to[:0]
	for i := range keys {
		k := &keys[i]
		var at keyField
		switch k.kind {
		case keyAttribute:
			at[0] = fieldOf(s, k.attr)
			at[1] = at[0]
		case keyHost:
			at[0], at[1] = fieldOf(s, k.attr), fieldOf(s, k.attr.Reverse())
		}
		to = append(to, at)
	}
	return to
}

// calledKey is what keys begin with that are names, which are 255 octets at most: no
// value is so long.
const calledKey = 0xff

// isNamed reports whether the key is the name of the value, if it has one.
func (k *Key) isNamed() bool {
	return k.list == nil && k.width == [2]uint8{whole, whole} && (k.kind == keyAttribute || k.kind == keyHost) && record.IsNamed(k.attr)
}

// appendName appends the name of a value as a key.
func appendName(b []byte, name string) []byte {
	return append(append(b, calledKey, byte(len(name))), name...)
}

// append appends the key of one end of a flow.
func (k *Key) append(b []byte, f *match.Flow, at *field, meter string) []byte {
	switch k.kind {
	case keyIndex:
		return append(b, byte(f.Index>>24), byte(f.Index>>16), byte(f.Index>>8), byte(f.Index))
	case keyRuleSet:
		return append(b, byte(f.Shape.RuleSet>>8), byte(f.Shape.RuleSet))
	case keyMeter:
		n := min(len(meter), 1<<16-1)
		return append(append(b, byte(n>>8), byte(n)), meter[:n]...)
	}
	octets := at.octets(&f.Key)
	if k.list != nil {
		n := k.list.find(octets)
		return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	width, isNumber := at.width, at.attr.Info().Class != attr.ClassAddress || isPort(at.attr)
	if isNumber && allZero(octets) {
		octets = nil // whether it was saved or not
	}
	own := uint8(whole)
	switch len(octets) {
	case 4:
		own = k.width[0]
	case 16:
		own = k.width[1]
	}
	b = append(append(b, byte(len(octets)), min(width, own)), octets...)
	if own < width {
		clearBits(b[len(b)-len(octets):], int(own))
	}
	return b
}

// allZero reports whether all octets are 0.
func allZero(octets []byte) bool {
	for _, o := range octets {
		if o != 0 {
			return false
		}
	}
	return true
}

// clearBits clears all bits but the first ones.
func clearBits(octets []byte, width int) {
	for i := range octets {
		if w := width - 8*i; w <= 0 {
			octets[i] = 0
		} else if w < 8 {
			octets[i] &= 0xff << (8 - w)
		}
	}
}
