package control

import (
	"cmp"
	"slices"
	"strings"

	"rtfm/meter/series"
	"rtfm/ruleset"
)

// Series returns the latest hour of the series, nil if Config asks for none. It may be
// read at any time.
func (c *Meter) Series() *series.Ring { return c.series }

// SeriesFrom implements mib.Meter.
func (c *Meter) SeriesFrom(number uint64) (series.Interval, bool) {
	if c.series == nil {
		return series.Interval{}, false
	}
	return c.series.Next(number)
}

// takeSeries returns what takes intervals of the series: it gives rulesets the indexes
// that managers know them by, and keeps the intervals. Then has them next, if that is
// not nil.
func (c *Meter) takeSeries(then func(*series.Interval) error) func(*series.Interval) error {
	return func(i *series.Interval) error {
		for j := range i.Rows {
			if r := &i.Rows[j]; !r.IsInterface() {
				r.RuleSet = int(c.indexes[r.RuleSet])
				r.Name = plainName(r.Name)
			}
		}
		i.Rows = mergeRuleSets(i.Rows)
		c.series.Put(i)
		if then == nil {
			return nil
		}
		return then(i)
	}
}

// mergeRuleSets puts the rows of rulesets in the order of their indexes. One that was
// destroyed within the interval and another one that got its index are one row.
func mergeRuleSets(rows []series.Row) []series.Row {
	n := slices.IndexFunc(rows, func(r series.Row) bool { return r.IsInterface() })
	if n < 0 {
		n = len(rows)
	}
	slices.SortStableFunc(rows[:n], func(a, b series.Row) int { return cmp.Compare(a.RuleSet, b.RuleSet) })
	for j := n - 1; j > 0; j-- {
		if a, b := &rows[j-1], &rows[j]; a.RuleSet == b.RuleSet {
			a.Add(b)
			a.Flows += b.Flows
			rows = slices.Delete(rows, j, j+1)
		}
	}
	return rows
}

// plainName returns a ruleset's name without the hash that managers put behind it.
func plainName(name string) string {
	at := len(name) - ruleset.HashLen - 1
	if at > 0 && name[at] == ' ' && strings.Trim(name[at+1:], "0123456789abcdef") == "" {
		return name[:at]
	}
	return name
}
