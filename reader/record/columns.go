package record

import (
	"slices"

	"rtfm/ruleset/attr"
)

// Columns returns all columns that rows of flows may have, in the order in which tables
// have them. A row lacks those of what its flow has not saved.
func Columns() []Column {
	all := slices.Concat(identity[:], own[:])
	var measures []Column
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			all = append(all, ofAttribute(in)...)
		case attr.ClassDistrib, attr.ClassStatistic:
			measures = append(measures, ofMeasure(in.Attr)...)
		}
	}
	return slices.Concat(all, measures, counted[:])
}

// ofAttribute returns the columns of an attribute that flows may save.
func ofAttribute(in attr.Info) (columns []Column) {
	c := Column{Name: in.Name, Type: "string", Meaning: in.Attr.Meaning()}
	if !in.Variable && (in.Class != attr.ClassAddress || in.Size == 2) {
		c.Type = map[int]string{1: "uint8", 2: "uint16", 4: "uint32"}[in.Size]
	}
	columns = append(columns, c)
	if mask := in.Attr.Mask(); mask != attr.Null {
		columns = append(columns, Column{Name: mask.String(), Type: "string", Meaning: "its mask, if it was not saved whole: the length of a prefix, or as the address is written"})
	}
	if IsNamed(in.Attr) {
		columns = append(columns, Column{Name: NameColumn(in.Attr), Type: "string", Meaning: "what a table of the ruleset calls its value"})
	}
	return columns
}

// ofMeasure returns the columns of what flows may measure. Type json is an object, as
// FORMAT.md has it.
func ofMeasure(a attr.Attr) []Column {
	switch {
	case a.Identifies():
		return []Column{{Name: a.String(), Type: "string", Meaning: a.Meaning()}}
	case a.Form() == attr.FormEdges:
		return []Column{{Name: a.String(), Type: "uint8", Meaning: a.Meaning()}}
	case a.Form() == attr.FormCount:
		return []Column{
			{Name: a.String(), Type: "uint64", Meaning: a.Meaning()},
			{Name: "Delta" + a.String(), Type: "uint64", Meaning: "that of this interval alone"},
		}
	}
	return []Column{{Name: a.String(), Type: "json", Meaning: a.Meaning()}}
}
