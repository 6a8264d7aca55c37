package query

import (
	"math"
	"slices"
	"strings"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
	"rtfm/ruleset/srl"
)

// In expressions ToSizeStats.mean is a part of a statistic. While it is read, it is
// ToSizeStats_mean: a word, which names of SRL can be.

// isPart reports whether the period at a place of a text stands between a statistic and
// the name of a part.
func isPart(text string, at int) bool {
	from := at
	for from > 0 && isWord(text[from-1]) {
		from--
	}
	if at+1 == len(text) || !isWord(text[at+1]) || isDigit(text[at+1]) {
		return false
	}
	a, ok := attr.ByName(text[from:at])
	return ok && a.Form() != attr.FormBuckets
}

// statisticByWord finds a statistic, and the name of its part behind a _, by its name in
// an expression.
func statisticByWord(word string) (a attr.Attr, part string, ok bool) {
	name, part, _ := strings.Cut(word, "_")
	a, ok = attr.ByName(name)
	return a, part, ok && a.Form() != attr.FormBuckets
}

// statisticParts are the parts that have values, of each form.
var statisticParts = map[attr.Form][]string{
	attr.FormStats: {"n", "sum", "min", "max", "mean", "sd"},
	attr.FormRange: {"n", "min", "max"},
	attr.FormFlags: {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"},
}

// statisticNames returns the names by which expressions can test a statistic.
func statisticNames(a attr.Attr) (names []string) {
	parts := statisticParts[a.Form()]
	for _, p := range parts {
		names = append(names, a.String()+"."+p)
	}
	if parts == nil && a.Form() != attr.FormPackets {
		names = append(names, a.String())
	}
	return names
}

// statistic compiles the test of a statistic, or of a part of one.
func (c *compiler) statistic(t *srl.Test, a attr.Attr, part string) predicate {
	c.attrs = append(c.attrs, a)
	form := a.Form()
	parts := statisticParts[form]
	switch {
	case form == attr.FormPackets:
		return c.fault(t.Attr.Place, "%s is a list of packets, which has no single value to be compared", a)
	case form == attr.FormID || form == attr.FormDigest:
		return c.identifier(t, a)
	case parts == nil && part != "":
		return c.fault(t.Attr.Place, "%s is one number: write it without .%s", a, part)
	case parts != nil && part == "":
		return c.fault(t.Attr.Place, "%s has several values: write %s", a, strings.Join(statisticNames(a), ", "))
	case parts != nil && !slices.Contains(parts, strings.ToLower(part)):
		return c.fault(t.Attr.Place, "%s", spell.UnknownOf("part of "+a.String(), part, parts))
	}
	c.varies = true
	q, has := partOf(a, strings.ToLower(part))
	return allOf([]predicate{has, c.numbers(q, t)})
}

// partOf returns a part of a statistic as a number of flow records, and whether a record
// has it.
func partOf(a attr.Attr, part string) (q *quantity, has predicate) {
	q = &quantity{name: a.String(), unit: unitOf(a)}
	if part != "" {
		q.name += "." + part
	}
	counted := func(r *Row) bool {
		numbers := statisticOf(r, a)
		return numbers != nil && numbers[0] > 0
	}
	number := func(i int) func(*Row) uint64 { return func(r *Row) uint64 { return statisticOf(r, a)[i] } }
	has = func(r *Row) bool { return statisticOf(r, a) != nil }
	q.get = number(0)
	switch form := a.Form(); {
	case form == attr.FormFlags:
		q.get, q.unit = number(1+slices.Index(statisticParts[form], part)), packets
	case part == "n":
		q.unit = packets // of which there may be k and M
	case part == "sum":
		q.get = number(attr.StatSum)
	case part == "min" || part == "max":
		at := map[bool][2]int{true: {attr.StatMin, attr.StatMax}, false: {attr.RangeMin, attr.RangeMax}}[form == attr.FormStats]
		q.get, has = number(at[0]), counted
		if part == "max" {
			q.get = number(at[1])
		}
	case part == "mean":
		has, q.unit = counted, q.unit|twice
		q.get = func(r *Row) uint64 {
			numbers := statisticOf(r, a)
			return doubled(numbers[attr.StatSum]/numbers[attr.StatCount], numbers[attr.StatSum]%numbers[attr.StatCount] > 0)
		}
	case part == "sd":
		q.unit |= twice
		has = func(r *Row) bool {
			numbers := statisticOf(r, a)
			return numbers != nil && numbers[attr.StatCount] > 1
		}
		q.get = func(r *Row) uint64 {
			deviation, _ := attr.Deviation(statisticOf(r, a))
			if deviation >= 1<<63 {
				return math.MaxUint64
			}
			return doubled(uint64(deviation), deviation != math.Floor(deviation))
		}
	}
	return q, has
}

// doubled returns twice a number, and one more if it has a fraction too: so whole
// numbers compare with it as they do with the exact one.
func doubled(whole uint64, fraction bool) uint64 {
	if whole > math.MaxUint64/2 {
		return math.MaxUint64
	}
	if fraction {
		return 2*whole + 1
	}
	return 2 * whole
}

// unitOf returns the unit of the values of a statistic.
func unitOf(a attr.Attr) unit {
	switch a.Unit() {
	case "octets":
		return octets
	case "ns":
		return length
	case "PDUs":
		return packets
	}
	return plain
}

// statisticOf returns the numbers of a statistic of a flow record, nil if it has none:
// those of the interval, or of all where these are not known.
func statisticOf(r *Row, a attr.Attr) []uint64 {
	s := r.Flow.Shape
	for i := range s.Measures {
		switch {
		case s.Measures[i].Attr != a:
		case len(r.Counted.Measures) > 0:
			return numbersOf(s, i, r.Counted.Measures)
		case i < len(r.Flow.Counters):
			return r.Flow.Counters[i]
		}
	}
	return nil
}

// identifier compiles the test of an identifier, whose values stand in quotation marks
// if they would be no words.
func (c *compiler) identifier(t *srl.Test, a attr.Attr) predicate {
	if t.Op != srl.Equal && t.Op != srl.NotEqual {
		return c.fault(t.Attr.Place, "identifiers have no order: write == or !=")
	}
	var wanted [][]uint64
	for i := range t.Operands {
		o := &t.Operands[i]
		if o.Mask.Text != "" || o.To.Text != "" {
			return c.fault(o.Value.Place, "%s has neither mask nor range", a)
		}
		numbers, err := a.Form().ParseStatistic(nil, []byte(strings.Trim(o.Value.Text, `"'`)))
		if err != nil {
			return c.fault(o.Value.Place, "%s: %v", a, err)
		}
		wanted = append(wanted, numbers)
	}
	equal := t.Op == srl.Equal
	return func(r *Row) bool {
		numbers := statisticOf(r, a)
		return numbers != nil && equal == slices.ContainsFunc(wanted, func(w []uint64) bool { return slices.Equal(w, numbers) })
	}
}
