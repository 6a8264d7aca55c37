package lsp

import (
	"fmt"
	"strings"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// attributes returns what word i names: one attribute, two for either end, none if
// it names something else.
func attributes(ix *index, i int) []attr.Attr {
	name := ix.at(i)
	if a, ok := attr.ByName(name); ok {
		return []attr.Attr{a}
	}
	if two := ix.lower(i-1) + " " + ix.lower(i); ix.kind(i-1) == srl.Name && frontWords[ix.lower(i-1)] {
		return attr.ByWord(two)
	}
	if frontWords[strings.ToLower(name)] && ix.kind(i+1) == srl.Name {
		if list := attr.ByWord(ix.lower(i) + " " + ix.lower(i+1)); len(list) > 0 {
			return list
		}
	}
	return attr.ByWord(name)
}

// frontWords may be the first of two words for an attribute.
var frontWords = map[string]bool{"src": true, "source": true, "dst": true, "dest": true, "destination": true}

// compared returns the attribute with which word i is compared, or in which it is
// saved: Null and false if that is not known.
func (ix *index) compared(i int) (attr.Attr, bool) {
	for i--; i > 0; i-- {
		switch ix.at(i) {
		case "==", "!=", "<", "<=", ">", ">=", "=", ":=":
			if list := attributes(ix, i-1); len(list) > 0 {
				return list[0], true
			}
			return attr.Null, false
		case ";", "{", "}", "&&", "||":
			return attr.Null, false
		}
		if ix.kind(i) == srl.Keyword {
			return attr.Null, false
		}
	}
	return attr.Null, false
}

// source names where an attribute is defined.
func standard(a attr.Attr) string {
	switch class := a.Info().Class; {
	case class == attr.ClassDistrib:
		return "RFC 2724"
	case class == attr.ClassInterval:
		return "flow data only"
	case a >= attr.Private, a == attr.DSCodePoint, a >= attr.MeterID && a <= attr.DestPrefix:
		return "not in RFC 2720"
	}
	return "RFC 2720"
}

// aboutAttribute tells what an attribute is.
func aboutAttribute(a attr.Attr) string {
	var b strings.Builder
	about := a.About()
	fmt.Fprintf(&b, "**%v**", a)
	for _, part := range []string{a.Width(), about.Unit, about.Source, a.Use(), fmt.Sprintf("number %d, %s", uint16(a), standard(a))} {
		if part != "" {
			fmt.Fprintf(&b, " · %s", part)
		}
	}
	if a.Info().Class == attr.ClassDistrib {
		about.Meaning = "distribution of " + about.Meaning
	}
	fmt.Fprintf(&b, "\n\n%s", about.Meaning)
	if named := attr.NamedValues(a); len(named) > 0 {
		var some []string
		for _, v := range named[:min(len(named), 6)] {
			some = append(some, v.Names[0])
		}
		fmt.Fprintf(&b, "\n\nnamed values: %s", strings.Join(some, ", "))
		if len(named) > len(some) {
			fmt.Fprintf(&b, " and %d more", len(named)-len(some))
		}
	}
	return b.String()
}

// pairKinds returns the kinds of packet pairs that an attribute may have, none if it has
// no use for them.
func pairKinds(a attr.Attr) (kinds []attr.PairKind) {
	for kind := range attr.PairKind(attr.PairKinds) {
		if a.CountsPairs() && kind.Valid() {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// aboutValue tells what the name of a value means, for an attribute or, if that is not
// known, for each that has it.
func aboutValue(name string, a attr.Attr, known bool) string {
	among := attr.Named()
	if known {
		among = []attr.Attr{a}
	}
	var lines []string
	for _, kind := range pairKinds(a) {
		if strings.EqualFold(kind.String(), name) {
			lines = append(lines, fmt.Sprintf("**%v** = %d, a kind of packet pairs", kind, kind))
		}
	}
	name = strings.ReplaceAll(name, "_", "-")
	for _, a := range among {
		for _, v := range attr.NamedValues(a) {
			for _, n := range v.Names {
				if !strings.EqualFold(n, name) {
					continue
				}
				line := fmt.Sprintf("**%s** = %d, a value of %v", n, v.Value, a)
				if v.Of != "" {
					line += " (" + v.Of + ")"
				}
				if len(v.Names) > 1 {
					line += ": " + strings.Join(v.Names, ", ")
				}
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "\n\n")
}
