package flowfile

import (
	"cmp"
	"slices"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// FormatFor returns the columns of a file for the flows of these rulesets:
// those of their FORMAT statements, each once, and DefaultFormat for the
// rulesets that have none.
func FormatFor(rulesets ...*ruleset.RuleSet) *ruleset.Format {
	var formats []*ruleset.Format
	var plain []attr.Attr
	for _, rs := range rulesets {
		if rs.Format != nil {
			formats = append(formats, rs.Format)
		} else {
			plain = append(plain, rs.Saves()...)
		}
	}
	if len(formats) < len(rulesets) || len(rulesets) == 0 {
		formats = append(formats, DefaultFormat(plain))
	}
	union := &ruleset.Format{}
	for _, f := range formats {
		for _, fd := range f.Fields {
			if !slices.ContainsFunc(union.Fields, func(u ruleset.Field) bool { return u.Attr == fd.Attr }) {
				union.Fields = append(union.Fields, fd)
			}
		}
	}
	return union
}

// DefaultFormat returns the columns of files whose rulesets have no FORMAT:
// what identifies a flow, the attributes that it saved, its counters and its
// last time. Two blanks stand between groups.
func DefaultFormat(saved []attr.Attr) *ruleset.Format {
	attrs := slices.Clone(saved)
	slices.SortFunc(attrs, func(a, b attr.Attr) int {
		ga, sa := place(a)
		gb, sb := place(b)
		return cmp.Or(cmp.Compare(ga, gb), cmp.Compare(sa, sb), cmp.Compare(a, b))
	})
	attrs = slices.Compact(attrs)
	f := &ruleset.Format{}
	group := func(attrs ...attr.Attr) {
		for _, a := range attrs {
			f.Fields = append(f.Fields, ruleset.Field{Attr: a, Separator: " "})
		}
		f.Fields[len(f.Fields)-1].Separator = "  "
	}
	group(attr.FlowRuleSet, attr.FlowIndex, attr.FirstTime)
	for len(attrs) > 0 {
		n := 1
		first, _ := place(attrs[0])
		for n < len(attrs) {
			if g, _ := place(attrs[n]); g != first {
				break
			}
			n++
		}
		group(attrs[:n]...)
		attrs = attrs[n:]
	}
	group(attr.ToPDUs, attr.FromPDUs)
	group(attr.ToOctets, attr.FromOctets)
	group(attr.LastActiveTime)
	f.Fields[len(f.Fields)-1].Separator = " "
	return f
}

// place returns the group of columns to which a belongs, and its place in
// there, which is the same for source and destination.
func place(a attr.Attr) (group, within attr.Attr) {
	if a.IsInner() {
		group, within = place(a.Outer())
		return group.Inner(), within
	}
	source := a
	if a >= attr.DestInterface && a <= attr.DestTransMask {
		source = a - (attr.DestInterface - attr.SourceInterface)
	}
	switch {
	case source > attr.SourceTransMask:
		return min(source, attr.SourceSubscriberID), 0
	case source == attr.SourceInterface:
		return source, 0
	}
	// Three each: type, address, mask.
	within = (source - attr.SourceAdjacentType) % 3
	return source - within, within
}

// appendFormat appends the #Format line.
func appendFormat(b []byte, columns []Column) []byte {
	b = append(b, markFormat+" "...)
	for i, c := range columns {
		b = append(b, c.Name...)
		if i < len(columns)-1 {
			b = append(b, c.Separator...)
		}
	}
	return append(b, '\n')
}

// Column is one of the values on each flow record's line.
type Column struct {
	Name string // as #Format has it
	// Attr is the attribute of that name, Null when there is none: programs
	// that work on flow data add columns of their own.
	Attr      attr.Attr
	Separator string // what stands after the value
}

// columns returns the columns of a FORMAT.
func columns(f *ruleset.Format) []Column {
	cs := make([]Column, len(f.Fields))
	for i, fd := range f.Fields {
		cs[i] = Column{strings.ToLower(fd.Attr.String()), fd.Attr, fd.Separator}
	}
	return cs
}
