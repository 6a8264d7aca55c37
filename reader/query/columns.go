package query

import (
	"fmt"
	"slices"
	"strings"

	"rtfm/reader/flowfile"
	"rtfm/ruleset/attr"
)

// Attributes returns the attributes that flows must have saved to be added up by keys,
// or to be filtered by an expression, which may be nil.
func Attributes(keys []Key, e *Expr) (attrs []attr.Attr) {
	for i := range keys {
		switch keys[i].kind {
		case keyAttribute, keyHost:
			attrs = append(attrs, keys[i].attr)
		}
		if keys[i].kind == keyHost {
			attrs = append(attrs, keys[i].attr.Reverse())
		}
	}
	if e != nil {
		attrs = append(attrs, e.attrs...)
	}
	return attrs
}

// CheckColumns reports the attributes that the columns of a file do not have. The error
// says which there are.
func CheckColumns(wanted []attr.Attr, columns []flowfile.Column) error {
	var there []attr.Attr
	for _, c := range columns {
		there = append(there, c.Attr)
	}
	return missing(wanted, there, "is in none of its columns")
}

// Check reports the attributes that no flow of a file has saved. Without flows there is
// nothing to be said.
func (s *Seen) Check(wanted []attr.Attr) error {
	if s.Flows == 0 {
		return nil
	}
	var there []attr.Attr
	for a := range s.saved {
		there = append(there, a)
	}
	slices.Sort(there)
	return missing(wanted, there, "is in none of its flows")
}

// missing reports what is wanted and not there.
func missing(wanted, there []attr.Attr, fault string) error {
	for _, a := range wanted {
		if slices.Contains(there, a) {
			continue
		}
		var names []string
		for _, t := range there {
			switch t.Info().Class {
			case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed, attr.ClassStatistic:
				names = append(names, t.String())
			}
		}
		if len(names) == 0 {
			return fmt.Errorf("%s %s: these flows were saved without any attributes", a, fault)
		}
		return fmt.Errorf("%s %s: these flows were not saved by it; there are %s", a, fault, strings.Join(names, ", "))
	}
	return nil
}

// CheckIdentity reports columns without which flows of several collections cannot be
// told from each other.
func CheckIdentity(columns []flowfile.Column) error {
	has := func(attrs ...attr.Attr) bool {
		return slices.ContainsFunc(columns, func(c flowfile.Column) bool { return slices.Contains(attrs, c.Attr) })
	}
	switch {
	case columns == nil || has(attr.FlowIndex) && has(attr.FirstTime, attr.FirstTimeNs):
		return nil
	case !has(attr.FlowIndex):
		return fmt.Errorf("there are several collections and no column FlowIndex: what flows added in each cannot be told")
	}
	return fmt.Errorf("there are several collections and no column FirstTime: what flows added in each cannot be told")
}
