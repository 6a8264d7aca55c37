package schema

import (
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// isDelta reports whether a column has what an interval added, which may not be known.
func isDelta(c record.Column) bool { return strings.HasPrefix(c.Name, "Delta") }

// isAddress reports whether a column has what is in most cases an IP address.
func isAddress(c record.Column) bool {
	a, ok := attr.ByName(c.Name)
	return ok && a.IsPeer()
}

// isMask reports whether a column has masks, which JSON has as numbers where they are
// the lengths of prefixes.
func isMask(c record.Column) bool {
	a, ok := attr.ByName(c.Name)
	return ok && a.Info().Class == attr.ClassMask
}

// isFew reports whether a column of strings has few values that are the same in many rows.
func isFew(c record.Column) bool {
	switch c.Name {
	case "Meter", "Boot", "RuleSet", "RuleSetName":
		return true
	}
	_, named := record.NamedColumn(c.Name)
	return named || isMask(c)
}

// describe returns what a column means, in its unit.
func describe(c record.Column) string {
	if c.Unit == "" || strings.Contains(c.Meaning, c.Unit) {
		return c.Meaning
	}
	return c.Meaning + ", " + c.Unit
}
